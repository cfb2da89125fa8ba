"""Why somebody cannot buy: the rules of buying, asked about a user, a contract, an account and a product."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from accounts.models import Account, User
from contracts.models import Contract
from products.models import Product
from purchases.models import PurchaseDraft
from purchases.services.facts import PurchaseFacts
from purchases.services.rules import PurchaseRefused
from purchases.services.steps import Step


@dataclass(frozen=True)
class Finding:
    """What the rules have against the answer at one step of the wizard; None if there was nothing to ask about."""

    step: Step
    refusals: Sequence[PurchaseRefused] | None


@dataclass(frozen=True)
class Diagnosis:
    """What stands in the way of a purchase, step by step."""

    findings: Sequence[Finding]

    @property
    def is_refused(self) -> bool:
        """Whether any rule says no."""
        return any(finding.refusals for finding in self.findings)

    @property
    def is_complete(self) -> bool:
        """Whether every step could be asked about."""
        return all(finding.refusals is not None for finding in self.findings)


def diagnose(
    *, buyer: User, contract: Contract, account: Account | None, product: Product | None, on: date
) -> Diagnosis:
    """Ask the very checks that hold at choosing, previewing and buying; nothing is written.

    The quantity is the least that the contract allows, and a PO number is taken to be given.
    """
    draft = PurchaseDraft(
        user=buyer,
        reseller=contract.reseller,
        contract=contract,
        account=account,
        product=product,
        quantity=contract.minimum_quantity,
        po_number="1" if contract.requires_po_number else "",
    )
    facts = PurchaseFacts(draft, buyer=buyer, on=on)
    is_answered = {
        Step.CONTRACT: True,
        Step.ACCOUNT: account is not None,
        Step.PRODUCT: product is not None,
        Step.QUANTITY: product is not None and facts.line is not None,
    }
    return Diagnosis([Finding(step, facts.refusals(step) if asked else None) for step, asked in is_answered.items()])
