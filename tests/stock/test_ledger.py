"""What happens to a lot after it came in: given back, corrected, and every change with its movement."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from accounts.models import User
from contracts.models import ContractProduct
from stock.models import StockLot, StockMovement
from stock.services.correct import (
    CorrectedLotIsPastUse,
    CorrectionRefused,
    LessThanNothing,
    MoreThanCameIn,
    NothingToCorrect,
    ReasonMissing,
    ReasonTooLong,
    correct,
)
from stock.services.give_back import GivingBackRefused, LotIsPastUse, MoreThanIsOut, give_back
from stock.services.sums import sums_of, with_sums
from stock.services.take import StockNotLeft, Taking, take_stock
from tests.factories import ContractProductFactory, UserFactory, receive

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 24)
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def line() -> ContractProduct:
    return ContractProductFactory()


@pytest.fixture
def actor() -> User:
    return UserFactory()


def a_lot(line: ContractProduct, *, quantity: int = 10, out: int = 0, use_by: date = TODAY) -> StockLot:
    """A lot to be used by today, from which some were taken already."""
    lot = receive(line.contract, line.product, quantity, use_by=use_by)
    if out:
        take_stock([Taking(lot, out)], actor=UserFactory(), reference="P-1")
    return lot


def remaining() -> dict[int, int]:
    """What remains of each lot; fails if its movements add up to something else."""
    lots = dict(StockLot.objects.values_list("pk", "remaining"))
    assert dict(StockMovement.objects.values_list("lot").annotate(Sum("change")).order_by()) == lots
    return lots


def written() -> list[tuple[int, int, str, int | None, str]]:
    """The movements that neither let in nor took out, in their order."""
    later = StockMovement.objects.exclude(reason__in=["received", "allocated"]).order_by("pk")
    return list(later.values_list("lot", "change", "reason", "actor", "reference"))


# Giving back


def test_giving_back_returns_licenses_to_their_lots_with_a_movement_each(line: ContractProduct, actor: User) -> None:
    first, second, third = (a_lot(line, out=5) for _ in range(3))

    give_back([Taking(second, 5), Taking(first, 2)], actor=actor, reference="P-1", on=TODAY)

    assert remaining() == {first.pk: 7, second.pk: 10, third.pk: 5}
    assert written() == [(first.pk, 2, "returned", actor.pk, "P-1"), (second.pk, 5, "returned", actor.pk, "P-1")]


def test_giving_back_nothing_asks_the_database_nothing() -> None:
    with CaptureQueriesContext(connection) as statements:
        give_back([], actor=UserFactory.build(), reference="P-1", on=TODAY)

    assert len(statements) == 0


def test_giving_back_more_than_is_out_is_refused_for_all_lots(line: ContractProduct, actor: User) -> None:
    enough, too_few = a_lot(line, out=5), a_lot(line, out=5)

    with pytest.raises(MoreThanIsOut, match="Look at what is left to give back") as refused:
        give_back([Taking(enough, 5), Taking(too_few, 6)], actor=actor, reference="P-1", on=TODAY)

    assert refused.value.lot == too_few
    assert remaining() == {enough.pk: 5, too_few.pk: 5}
    assert written() == []


def test_giving_back_the_same_twice_is_refused(line: ContractProduct, actor: User) -> None:
    lot = a_lot(line, out=5)
    give_back([Taking(lot, 5)], actor=actor, reference="P-1", on=TODAY)

    with pytest.raises(MoreThanIsOut):
        give_back([Taking(lot, 1)], actor=actor, reference="P-1", on=TODAY)

    assert remaining() == {lot.pk: 10}


def test_two_parts_of_one_lot_count_together(line: ContractProduct, actor: User) -> None:
    lot = a_lot(line, out=5)

    with pytest.raises(MoreThanIsOut):
        give_back([Taking(lot, 3), Taking(lot, 3)], actor=actor, reference="P-1", on=TODAY)
    with pytest.raises(StockNotLeft):
        take_stock([Taking(lot, 3), Taking(lot, 3)], actor=actor, reference="P-2")
    give_back([Taking(lot, 3), Taking(lot, 2)], actor=actor, reference="P-1", on=TODAY)

    assert remaining() == {lot.pk: 10}
    assert written() == [(lot.pk, 5, "returned", actor.pk, "P-1")]


def test_giving_back_what_was_corrected_away_meanwhile_is_no_return(line: ContractProduct, actor: User) -> None:
    lot = a_lot(line, out=2)
    correct(lot, -8, reason_text="Lost.", actor=actor, on=TODAY)

    with pytest.raises(MoreThanIsOut):
        give_back([Taking(lot, 3)], actor=actor, reference="P-1", on=TODAY)
    give_back([Taking(lot, 2)], actor=actor, reference="P-1", on=TODAY)

    assert remaining() == {lot.pk: 2}


def test_giving_back_beyond_the_quantity_is_refused_by_name_even_where_the_books_are_wrong(
    line: ContractProduct, actor: User
) -> None:
    lot = a_lot(line, out=5)
    StockLot.objects.update(remaining=9)

    with pytest.raises(MoreThanIsOut):
        give_back([Taking(lot, 2)], actor=actor, reference="P-1", on=TODAY)

    assert StockLot.objects.get().remaining == 9


def test_giving_back_ends_with_the_lot_s_last_day(line: ContractProduct, actor: User) -> None:
    lot = a_lot(line, out=5, use_by=TODAY)
    give_back([Taking(lot, 1)], actor=actor, reference="P-1", on=TODAY)

    with pytest.raises(LotIsPastUse, match="was to be used by 24 November 2026") as refused:
        give_back([Taking(lot, 1)], actor=actor, reference="P-1", on=TOMORROW)

    assert refused.value.lot == lot
    assert isinstance(refused.value, GivingBackRefused)
    assert remaining() == {lot.pk: 6}


def test_giving_back_to_many_lots_costs_the_statements_of_one(line: ContractProduct, actor: User) -> None:
    counts = []

    for lots in ([a_lot(line, out=5)], [a_lot(line, out=5) for _ in range(50)]):
        with CaptureQueriesContext(connection) as statements:
            give_back([Taking(lot, 1) for lot in lots], actor=actor, reference="P-1", on=TODAY)
        counts.append(len(statements))

    assert counts[0] == counts[1]


# Correcting


def test_correction_changes_what_remains_and_keeps_its_reason(line: ContractProduct, actor: User) -> None:
    lot = a_lot(line)

    movement = correct(lot, -3, reason_text=" Counted anew. ", actor=actor, on=TODAY)

    assert remaining() == {lot.pk: 7}
    assert written() == [(lot.pk, -3, "corrected", actor.pk, "Counted anew.")]
    assert movement == StockMovement.objects.get(reason="corrected")


def test_correction_can_be_taken_back(line: ContractProduct, actor: User) -> None:
    lot = a_lot(line)
    correct(lot, -3, reason_text="Lost.", actor=actor, on=TODAY)

    correct(lot, 3, reason_text="Found.", actor=actor, on=TODAY)

    assert remaining() == {lot.pk: 10}


@pytest.mark.parametrize(
    ("change", "reason_text", "refusal", "sentence"),
    [
        (0, "Counted.", NothingToCorrect, "changes nothing. Type how many to add"),
        (-7, "Counted.", LessThanNothing, "This stock holds 6. Take away no more than that."),
        (1, "Counted.", MoreThanCameIn, "corrected away from this stock: 0. .* take the rest in as new stock"),
        (-1, "", ReasonMissing, "Say why"),
        (-1, " \n ", ReasonMissing, "Say why"),
        (-1, "x" * 201, ReasonTooLong, "has 201 characters. Shorten it to 200."),
    ],
)
def test_wrong_correction_is_refused(
    line: ContractProduct,
    actor: User,
    change: int,
    reason_text: str,
    refusal: type[CorrectionRefused],
    sentence: str,
) -> None:
    lot = a_lot(line, out=4)

    with pytest.raises(refusal, match=sentence) as refused:
        correct(lot, change, reason_text=reason_text, actor=actor, on=TODAY)

    assert refused.value.answer in ("change", "reason_text")
    assert remaining() == {lot.pk: 6}
    assert written() == []


def test_correction_to_nothing_and_a_reason_of_the_full_length_are_accepted(line: ContractProduct, actor: User) -> None:
    lot = a_lot(line)

    correct(lot, -10, reason_text="x" * 200, actor=actor, on=TODAY)

    assert remaining() == {lot.pk: 0}


def test_correction_leaves_room_for_what_is_out(line: ContractProduct, actor: User) -> None:
    """Were a lot filled up while licenses of it are out, they could not be given back."""
    lot = a_lot(line, out=4)
    correct(lot, -2, reason_text="Lost.", actor=actor, on=TODAY)

    with pytest.raises(MoreThanCameIn, match="stock: 2"):
        correct(lot, 3, reason_text="Found.", actor=actor, on=TODAY)
    correct(lot, 2, reason_text="Found.", actor=actor, on=TODAY)
    give_back([Taking(lot, 4)], actor=actor, reference="P-1", on=TODAY)

    assert remaining() == {lot.pk: 10}


def test_correction_puts_nothing_back_into_a_lot_that_is_past_its_use(line: ContractProduct, actor: User) -> None:
    lot = a_lot(line, use_by=TODAY)
    correct(lot, -3, reason_text="Lost.", actor=actor, on=TOMORROW)

    with pytest.raises(CorrectedLotIsPastUse, match=r"24 November 2026.* Take it in as new stock"):
        correct(lot, 3, reason_text="Found.", actor=actor, on=TOMORROW)

    assert remaining() == {lot.pk: 7}


def test_refusals_speak_turkish(line: ContractProduct, actor: User) -> None:
    lot = a_lot(line, out=1)

    with override("tr"), pytest.raises(CorrectionRefused, match="stok"):
        correct(lot, -10, reason_text="Sayım", actor=actor, on=TODAY)
    with override("tr"), pytest.raises(GivingBackRefused, match="stok"):
        give_back([Taking(lot, 2)], actor=actor, reference="P-1", on=TODAY)


# What the movements say


def test_sums_tell_where_a_lot_s_licenses_are(line: ContractProduct, actor: User) -> None:
    lot = a_lot(line, out=6)
    a_lot(line, out=1)
    give_back([Taking(lot, 1)], actor=actor, reference="P-1", on=TODAY)
    correct(lot, -2, reason_text="Lost.", actor=actor, on=TODAY)
    correct(lot, 1, reason_text="Found.", actor=actor, on=TODAY)

    sums = sums_of(with_sums(StockLot.objects.filter(pk=lot.pk)).get())

    assert (sums.received, sums.allocated, sums.returned, sums.expired, sums.corrected) == (10, -6, 1, 0, -1)
    assert (sums.balance, sums.out, sums.written_off) == (4, 5, 1)
