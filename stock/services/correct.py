"""Stock that is corrected: what the ledger says is brought in line with what is true, for a reason."""

from datetime import date
from typing import ClassVar

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.models import Act
from audit.refusals import refusals_recorded
from audit.services import record
from stock.models import REFERENCE_LIMIT, StockLot, StockMovement
from stock.services import movements
from stock.services.sums import sums_of, with_sums
from text.amounts import count_text, day_text


class CorrectionRefused(Exception):
    """A correction is not allowed; nothing was changed. `answer` is the argument that has to change."""

    code: ClassVar[str]
    answer = "change"


class NothingToCorrect(CorrectionRefused):
    """The correction is by nothing."""

    code = "nothing_to_correct"


class ReasonMissing(CorrectionRefused):
    """Nobody could know later why the lot was corrected."""

    code = "reason_missing"
    answer = "reason_text"


class ReasonTooLong(CorrectionRefused):
    """The reason does not fit the ledger."""

    code = "reason_too_long"
    answer = "reason_text"


class LessThanNothing(CorrectionRefused):
    """More would be taken away than the lot holds."""

    code = "less_than_nothing"


class MoreThanCameIn(CorrectionRefused):
    """More would be put back than is missing from what came in with the lot."""

    code = "more_than_came_in"


class CorrectedLotIsPastUse(CorrectionRefused):
    """The lot's last day is over, so nobody could take from it what is put back."""

    code = "corrected_lot_is_past_use"


def correct(lot: StockLot, change: int, *, reason_text: str, actor: User, on: date) -> StockMovement:
    """Add to or take from what remains of the lot, on the day, and write the movement with its reason.

    A correction puts back at most what lapsed or was corrected away before: what is out must still find room
    in the lot when it is given back. Raises CorrectionRefused.
    """
    with refusals_recorded(CorrectionRefused, by=actor, on=lot):
        return _correct(lot, change, reason_text=reason_text.strip(), actor=actor, on=on)


def _correct(lot: StockLot, change: int, *, reason_text: str, actor: User, on: date) -> StockMovement:
    _check_reason(reason_text)
    with transaction.atomic():
        held = StockLot.objects.locked().get(pk=lot.pk)
        _check_change(held, change, on=on)
        reason = StockMovement.Reason.CORRECTED
        [movement] = movements.write({held.pk: change}, reason=reason, actor=actor, reference=reason_text)
        record(Act.STOCK_CORRECTED, by=actor, on=held, detail=f"{change:+d}")
    return movement


def _check_reason(reason_text: str) -> None:
    if not reason_text:
        raise ReasonMissing(_("Say why the stock is corrected: the reason stays in the ledger."))
    if len(reason_text) > REFERENCE_LIMIT:
        raise ReasonTooLong(
            _("The reason has %(length)s characters. Shorten it to %(limit)s.")
            % {"length": count_text(len(reason_text)), "limit": count_text(REFERENCE_LIMIT)}
        )


def _check_change(lot: StockLot, change: int, *, on: date) -> None:
    if change == 0:
        raise NothingToCorrect(_("This changes nothing. Type how many to add, or with a minus how many to take away."))
    if change < -lot.remaining:
        raise LessThanNothing(
            _("This stock holds %(remaining)s. Take away no more than that.") % {"remaining": count_text(lot.remaining)}
        )
    if change < 0:
        return
    if lot.use_by < on:
        raise CorrectedLotIsPastUse(
            _("This stock was to be used by %(day)s, so what is put back would lapse. Take it in as new stock.")
            % {"day": day_text(lot.use_by)}
        )
    written_off = sums_of(with_sums(StockLot.objects.filter(pk=lot.pk)).get()).written_off
    if change > written_off:
        raise MoreThanCameIn(
            _(
                "Lapsed or corrected away from this stock: %(written_off)s. Put back no more than that, "
                "and take the rest in as new stock."
            )
            % {"written_off": count_text(written_off)}
        )
