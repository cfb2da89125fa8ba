"""Changing many prices of one contract: first shown, old and new, and then written as they were shown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.models import Act
from audit.refusals import refusals_recorded
from audit.services import record
from contracts.models import Contract, ContractProduct
from contracts.services.checks import check_unit_price
from contracts.services.life import ContractClosed, check_editable
from desk.history import recorded_as
from text.amounts import currency_decimals, money_text

HIGHEST_PRICE = Decimal("9999999999.99")
"""What the column holds."""

_AT_ONCE = 500
"""How many lines one statement writes."""

NewPrice = Callable[[ContractProduct], Decimal]


@dataclass(frozen=True)
class PriceChange:
    """One line of the price list, with what it costs now and what it shall cost."""

    line: ContractProduct
    old: Decimal
    new: Decimal

    @property
    def is_change(self) -> bool:
        return self.old != self.new


class PricesRefused(Exception):
    """No price was changed. Its text is a sentence that tells the next move."""

    code: ClassVar[str]


class PriceNotPossible(PricesRefused):
    """A new price is finer than the currency, too high, or below zero."""

    code = "price_not_possible"


class NoPriceChanges(PricesRefused):
    """Every chosen product costs already what it shall cost."""

    code = "no_price_changes"


class PricesOutdated(PricesRefused):
    """The prices are no longer those that were shown. `changes` are those that would be made now."""

    code = "prices_outdated"

    def __init__(self, changes: Sequence[PriceChange]) -> None:
        self.changes = changes
        super().__init__(_("The prices were changed since you looked at them. Look at these, and confirm them again."))


def by_percentage(percentage: Decimal) -> NewPrice:
    """Each price raised (or, below zero, lowered) by so many percent, rounded half up to the currency's decimals."""

    def new_price(line: ContractProduct) -> Decimal:
        decimals = currency_decimals(line.contract.currency)
        step = Decimal(1).scaleb(-(2 if decimals is None else decimals))
        return (line.unit_price * (100 + percentage) / 100).quantize(step, rounding=ROUND_HALF_UP)

    return new_price


def to_list(prices: Mapping[int, Decimal]) -> NewPrice:
    """The price given for each line, by the line's key."""
    return lambda line: prices[line.pk]


def plan_prices(contract: Contract, lines: Sequence[int], new_price: NewPrice) -> list[PriceChange]:
    """What would be changed in the contract's lines with those keys, by the products' names.

    Raises PriceNotPossible, NoPriceChanges, or ContractClosed.
    """
    check_editable(contract)
    chosen = contract.contract_products.filter(pk__in=lines).select_related("product")
    changes = [_plan(contract, line, new_price) for line in chosen.order_by("product__name", "pk")]
    if not any(change.is_change for change in changes):
        raise NoPriceChanges(_("This changes no price. Choose other products or other prices."))
    return changes


def fingerprint_of(contract: Contract, changes: Sequence[PriceChange]) -> str:
    """What was shown, signed for the contract: each line with its old and new price, and the currency."""
    return _signer(contract).sign_object(_shown(contract, changes), compress=True)


def change_prices(
    contract: Contract, lines: Sequence[int], new_price: NewPrice, *, fingerprint: str, by: User, reason: str
) -> list[PriceChange]:
    """Write the prices that were shown, all or none, under the lock that buying takes.

    Raises PricesOutdated with what would be changed now, if that is not what was shown, and what
    `plan_prices` raises; then nothing was written.
    """
    with refusals_recorded(PricesRefused, ContractClosed, by=by, on=contract), transaction.atomic():
        held = Contract.objects.locked(contract.pk)
        changes = plan_prices(held, lines, new_price)
        if not _is_what_was_shown(held, changes, fingerprint):
            raise PricesOutdated(changes)
        made = [change for change in changes if change.is_change]
        with recorded_as(by=by, reason=reason):
            for change in made:
                change.line.unit_price = change.new
            ContractProduct.objects.bulk_update([change.line for change in made], ["unit_price"], batch_size=_AT_ONCE)
        record(Act.PRICES_CHANGED, by=by, on=held, detail=f"{len(made)} prices")
    return made


def _plan(contract: Contract, line: ContractProduct, new_price: NewPrice) -> PriceChange:
    line.contract = contract
    new = new_price(line)
    try:
        check_unit_price(contract, new)
    except ValidationError as error:
        raise PriceNotPossible(f"{line.product}: {' '.join(error.messages)}") from None
    if not 0 <= new <= HIGHEST_PRICE:
        raise PriceNotPossible(
            _("%(product)s would cost %(price)s, which no price list can hold. Choose another price.")
            % {"product": line.product, "price": money_text(new, contract.currency)}
        )
    return PriceChange(line, line.unit_price, new)


def _shown(contract: Contract, changes: Sequence[PriceChange]) -> list[object]:
    return [contract.currency, *([change.line.pk, f"{change.old:f}", f"{change.new:f}"] for change in changes)]


def _is_what_was_shown(contract: Contract, changes: Sequence[PriceChange], fingerprint: str) -> bool:
    try:
        return bool(_signer(contract).unsign_object(fingerprint) == _shown(contract, changes))
    except (BadSignature, UnicodeEncodeError):
        return False


def _signer(contract: Contract) -> Signer:
    return Signer(salt=f"contracts.prices.{contract.pk}")
