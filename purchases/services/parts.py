"""From where licenses come, and how long they last (rules 8 and 9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from contracts.models import Contract
from contracts.periods import EndDateMissing, license_end
from purchases.models import Fulfilment
from purchases.services.rules import PurchaseRefused
from stock.models import StockLot
from stock.services.take import plan_takings


class ContractEndMissing(PurchaseRefused):
    """Rule 9: licenses shall end with the contract, which has no end."""

    code = "contract_end_missing"
    answer = "contract"


@dataclass(frozen=True)
class Part:
    """Licenses of one purchase from one source: a lot, or (without one) bought new. Both days are inclusive."""

    lot: StockLot | None
    quantity: int
    starts_on: date
    ends_on: date


def split(
    quantity: int, fulfilment: Fulfilment, *, contract: Contract, lots: Sequence[StockLot], on: date
) -> tuple[Part, ...]:
    """The parts of a purchase of that many licenses on the day, from the lots in their order and then new.

    Raises ContractEndMissing if licenses shall end with a contract that is open-ended.
    """
    takings = [] if fulfilment is Fulfilment.NEW else plan_takings(lots, quantity=quantity)
    parts = [
        Part(taking.lot, taking.quantity, on, end_of_licenses(contract, taking.lot, starts_on=on)) for taking in takings
    ]
    if missing := quantity - sum(taking.quantity for taking in takings):
        parts.append(Part(None, missing, on, end_of_licenses(contract, None, starts_on=on)))
    return tuple(parts)


def end_of_licenses(contract: Contract, lot: StockLot | None, *, starts_on: date) -> date:
    """The last day of licenses from the lot, or of new ones, that start on the day (rule 9).

    Raises ContractEndMissing if they shall end with a contract that is open-ended.
    """
    terms = contract if lot is None else lot
    try:
        return license_end(
            starts_on, term_months=terms.term_months, end_rule=terms.end_rule, contract_ends_on=contract.ends_on
        )
    except EndDateMissing:
        raise ContractEndMissing(
            _("Licenses shall end with contract %(contract)s, which has no end date. Ask the operator.")
            % {"contract": contract.number}
        ) from None
