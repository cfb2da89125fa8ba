"""Stock that is given back: licenses that return to the lots they came from."""

from collections.abc import Sequence
from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from stock.models import StockLot, StockMovement
from stock.services import movements
from stock.services.sums import sums_of, with_sums
from stock.services.take import Taking, quantity_per_lot
from text.amounts import day_text


class GivingBackRefused(Exception):
    """Licenses cannot return to a lot; nothing was given back. `lot` is the first that refuses."""

    def __init__(self, lot: StockLot, sentence: str) -> None:
        super().__init__(sentence)
        self.lot = lot


class LotIsPastUse(GivingBackRefused):
    """The lot's last day is over, so nobody could take from it what comes back."""


class MoreThanIsOut(GivingBackRefused):
    """More would come back to the lot than is out, or than it has room for."""


def give_back(takings: Sequence[Taking], *, actor: User, reference: str, on: date) -> None:
    """Return what was taken to its lots, all or nothing, and write one movement each.

    `on` is the day on which it comes back. Raises LotIsPastUse or MoreThanIsOut; the caller's transaction is
    rolled back with it.
    """
    if not takings:
        return
    with transaction.atomic():
        returning = quantity_per_lot(takings)
        lots = list(StockLot.objects.filter(pk__in=returning).locked())
        out = {lot.pk: sums_of(lot).out for lot in with_sums(StockLot.objects.filter(pk__in=returning))}
        for lot in lots:
            _check_lot(lot, returning[lot.pk], out=out[lot.pk], on=on)
        movements.write(returning, reason=StockMovement.Reason.RETURNED, actor=actor, reference=reference)


def _check_lot(lot: StockLot, quantity: int, *, out: int, on: date) -> None:
    if lot.use_by < on:
        raise LotIsPastUse(
            lot,
            _("This stock was to be used by %(day)s. What was taken from it can no longer be given back.")
            % {"day": day_text(lot.use_by)},
        )
    if quantity > min(out, lot.quantity - lot.remaining):
        raise MoreThanIsOut(
            lot, _("More would be given back than was taken from this stock. Look at what is left to give back.")
        )
