"""Giving back what was moved from stock by mistake: the licenses return to their lots."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from audit.models import Act
from audit.refusals import refusals_recorded
from audit.services import record
from contracts.models import Contract
from contracts.services.permission import locked_grant
from purchases.models import License, LicenseQuerySet, Purchase
from purchases.services.busy import begun_again_after_deadlocks, refused_when_busy
from purchases.services.rules import PurchaseRefused, check_permission
from stock.models import StockLot
from stock.services.give_back import GivingBackRefused, give_back
from stock.services.take import Taking
from text.amounts import day_text

GIVING_BACK_WITHIN = timedelta(days=7)
"""How long after a purchase what it took from stock can be given back."""


class GivingBackTooLate(PurchaseRefused):
    """The days for giving back, or the use-by of a lot, are over."""

    code = "giving_back_too_late"
    answer = ""


class NothingToGiveBack(PurchaseRefused):
    """The purchase took nothing from stock, or all of it was given back."""

    code = "nothing_to_give_back"
    answer = ""


@dataclass(frozen=True)
class Returnable:
    """So many licenses of a purchase that came from stock, and the last day on which they can be given back."""

    quantity: int
    until: date


def returnable(purchase: Purchase, *, on: date) -> Returnable | None:
    """What of the purchase can still be given back on the day; None if nothing can."""
    takings = _takings(_taken_from_stock(purchase))
    until = last_day_of_giving_back([taking.lot for taking in takings], taken_on=_placed_on(purchase))
    if not takings or until < on:
        return None
    return Returnable(sum(taking.quantity for taking in takings), until)


def last_day_of_giving_back(lots: Iterable[StockLot], *, taken_on: date) -> date:
    """The last day for giving back what was taken from the lots: within 7 days, and while all can be used."""
    return min([taken_on + GIVING_BACK_WITHIN, *(lot.use_by for lot in lots)])


def give_back_purchase(purchase: Purchase, *, buyer: User, on: date) -> int:
    """Return all that the purchase took from stock to its lots, and say how many licenses that are.

    The licenses become invalid. Raises PurchaseRefused if the buyer may not create licenses under the contract,
    if it is too late, or if nothing is left to give back; nothing is written then.
    """
    with refusals_recorded(PurchaseRefused, by=buyer, on=purchase), refused_when_busy():
        return _give_back_purchase(purchase, buyer=buyer, on=on)


@begun_again_after_deadlocks
def _give_back_purchase(purchase: Purchase, *, buyer: User, on: date) -> int:
    with transaction.atomic():
        contract = Contract.objects.locked(purchase.contract_id)
        grant = locked_grant(contract, buyer)
        buyer = User.objects.select_related("reseller").get(pk=buyer.pk)
        check_permission(contract, buyer=buyer, is_granted=grant is not None)
        taken = _taken_from_stock(purchase)
        takings = _takings(taken)
        if not takings:
            raise NothingToGiveBack(_("Nothing of this purchase is left to give back to stock."))
        last_day = _placed_on(purchase) + GIVING_BACK_WITHIN
        if on > last_day:
            raise GivingBackTooLate(
                _("This could be given back until %(day)s. Ask the operator.") % {"day": day_text(last_day)}
            )
        try:
            give_back(takings, actor=buyer, reference=purchase.number, on=on)
        except GivingBackRefused as refusal:
            raise GivingBackTooLate(str(refusal)) from refusal
        record(Act.GAVE_BACK, by=buyer, on=purchase, detail=str(sum(taking.quantity for taking in takings)))
        return taken.update(cancelled_at=timezone.now())


def _placed_on(purchase: Purchase) -> date:
    return purchase.reseller.today(purchase.placed_at)


def _taken_from_stock(purchase: Purchase) -> LicenseQuerySet:
    """The purchase's valid licenses from stock."""
    return License.objects.valid().filter(purchase=purchase, stock_lot__isnull=False)


def _takings(licenses: LicenseQuerySet) -> list[Taking]:
    per_lot = licenses.order_by().values_list("stock_lot").annotate(Count("pk"))
    quantities = {lot: quantity for lot, quantity in per_lot if lot is not None}
    return [Taking(lot, quantities[lot.pk]) for lot in StockLot.objects.filter(pk__in=quantities)]
