"""What a purchase keeps of its contract, as it stood on that day."""

from typing import Any

from contracts.models import Contract


def contract_terms(contract: Contract) -> dict[str, Any]:
    """The contract's conditions as plain values for `Purchase.terms`; dates as ISO 8601."""
    return {
        "number": contract.number,
        "title": contract.title,
        "starts_on": contract.starts_on.isoformat(),
        "ends_on": contract.ends_on and contract.ends_on.isoformat(),
        "currency": contract.currency,
        "term_months": contract.term_months,
        "end_rule": contract.end_rule,
        "billing": contract.billing,
        "minimum_quantity": contract.minimum_quantity,
        "requires_po_number": contract.requires_po_number,
        "conditions": contract.conditions,
    }
