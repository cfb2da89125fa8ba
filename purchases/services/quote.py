"""What a draft would buy now, computed the same way for the preview and for the purchase (rules 8 to 10)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.models import Account, User
from contracts.models import Contract
from contracts.periods import anniversary_end
from products.models import Product
from purchases.models import Fulfilment, PurchaseDraft
from purchases.services.facts import Held, PurchaseFacts
from purchases.services.fingerprint import Change, Values, changes_between, read_fingerprint, write_fingerprint
from purchases.services.parts import ContractEndMissing, Part, end_of_licenses
from purchases.services.steps import Step
from purchases.services.terms import contract_terms
from stock.services.take import Taking


class PreviewOutdated(Exception):
    """What would be bought is not what the buyer was shown; nothing was bought (rule 10).

    `changes` names each difference, old and new. It is empty if the fingerprint is none of ours.
    """

    code = "preview_outdated"

    def __init__(self, quote: "Quote", changes: tuple[Change, ...]) -> None:
        super().__init__(_("Nothing was bought, because the order is no longer what you were shown."))
        self.quote = quote
        self.changes = changes


@dataclass(frozen=True)
class Quote:
    """Everything that the preview shows and the purchase writes. Prices are in `contract.currency`."""

    draft_id: UUID
    on: date
    contract: Contract
    account: Account | None
    """None: the licenses go into stock."""
    product: Product
    quantity: int
    fulfilment: Fulfilment
    parts: tuple[Part, ...]
    unit_price: Decimal
    note: str
    po_number: str
    held: tuple[Held, ...]
    available: int
    """How many licenses lie in suitable stock, taken by this purchase or not."""
    has_stock_step: bool
    use_by: date | None
    """The last day on which what goes into stock can be taken; None if nothing does."""

    @cached_property
    def terms(self) -> dict[str, Any]:
        return contract_terms(self.contract)

    @property
    def takings(self) -> list[Taking]:
        """What is taken from which lot."""
        return [Taking(part.lot, part.quantity) for part in self.parts if part.lot is not None]

    @property
    def from_stock(self) -> int:
        return sum(taking.quantity for taking in self.takings)

    @property
    def new_quantity(self) -> int:
        """How many licenses are bought new: the ones that cost money."""
        return self.quantity - self.from_stock

    @property
    def total(self) -> Decimal:
        """What the purchase costs. Stock is paid for already."""
        return self.unit_price * self.new_quantity

    @property
    def stock_after(self) -> int:
        """How many licenses lie in suitable stock with a purchase into stock."""
        return self.available + self.quantity

    @property
    def new_ends_on(self) -> date | None:
        """The last day of a license bought new on the day; None if it would have none."""
        try:
            return end_of_licenses(self.contract, None, starts_on=self.on)
        except ContractEndMissing:
            return None

    @property
    def held_quantity(self) -> int:
        """How many licenses of the product the account has before the purchase."""
        return sum(group.quantity for group in self.held)

    @property
    def quantity_after(self) -> int:
        """How many it has with the purchase."""
        return self.held_quantity + self.quantity

    @property
    def stock_left(self) -> int:
        """How many licenses stay in suitable stock."""
        return self.available - self.from_stock

    def purchase_values(self) -> dict[str, Any]:
        """What binds both sides, as plain values: the fingerprint carries it."""
        return {
            "contract": str(self.contract),
            "account": str(self.account or ""),
            "product": str(self.product),
            "quantity": self.quantity,
            "sources": [
                [part.lot and part.lot.pk, part.lot and part.lot.use_by.isoformat(), part.quantity]
                for part in self.parts
            ],
            "periods": [[part.starts_on.isoformat(), part.ends_on.isoformat()] for part in self.parts],
            "use_by": self.use_by and self.use_by.isoformat(),
            "unit_price": str(self.unit_price),
            "total": str(self.total),
            "po_number": self.po_number,
            "note": self.note,
            "terms": self.terms,
        }

    @cached_property
    def fingerprint(self) -> str:
        """The values that the buyer is shown, signed: it comes back at the press of Buy."""
        return write_fingerprint(self.purchase_values(), draft_id=self.draft_id)

    def must_match(self, fingerprint: str) -> None:
        """Raise PreviewOutdated unless the fingerprint was made of this very purchase."""
        values = self.purchase_values()
        shown = read_fingerprint(fingerprint, draft_id=self.draft_id)
        if shown is None or not _of_this_release(shown, values):
            raise PreviewOutdated(self, ())
        if changes := changes_between(shown, values):
            raise PreviewOutdated(self, changes)


def _of_this_release(shown: Values, values: Values) -> bool:
    """Whether a fingerprint holds what this release of the portal shows, and so can be compared."""
    return shown.keys() == values.keys() and shown["terms"].keys() == values["terms"].keys()


def quote_purchase(draft: PurchaseDraft, *, buyer: User, on: date, locked: bool = False) -> Quote:
    """Compute what the draft buys on the day. With `locked`, hold what it depends on until the transaction ends.

    Raises PurchaseRefused if a rule says no or an answer is missing.
    """
    return quote_from(PurchaseFacts(draft, buyer=buyer, on=on, locked=locked))


def quote_from(facts: PurchaseFacts) -> Quote:
    """The same, from facts of which some may have been read already."""
    facts.check_until(Step.PREVIEW)
    return Quote(
        draft_id=facts.draft.pk,
        on=facts.on,
        contract=facts.contract,
        account=None if facts.is_for_stock else facts.account,
        product=facts.product,
        quantity=facts.quantity,
        fulfilment=facts.chosen_fulfilment,
        parts=facts.parts,
        unit_price=facts.line_on_sale.unit_price,
        note=facts.draft.note,
        po_number=facts.draft.po_number,
        held=facts.held,
        available=facts.available,
        has_stock_step=facts.has_stock_step,
        use_by=anniversary_end(facts.on, months=facts.contract.stock_life_months) if facts.is_for_stock else None,
    )
