"""The ledger of stock: what comes in, what is suitable, and what is taken."""

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from contracts.models import ContractProduct
from stock.models import StockLot, StockMovement
from stock.services.receive import receive_stock
from stock.services.take import StockNotLeft, Taking, plan_takings, take_stock
from tests.factories import ContractFactory, ContractProductFactory, ProductFactory, UserFactory, receive

TODAY = date(2026, 11, 24)
NEXT_YEAR = date(2027, 11, 24)


def lot_of(line: ContractProduct, quantity: int = 5, *, use_by: date = NEXT_YEAR, **facts: Any) -> StockLot:
    return receive(line.contract, line.product, quantity, use_by=use_by, **facts)


def suitable(line: ContractProduct, *, on: date = TODAY) -> list[StockLot]:
    return list(StockLot.objects.suitable(contract=line.contract, product=line.product, on=on).in_order_of_use())


def ledger() -> dict[int, int]:
    """The sum of each lot's movements."""
    return dict(StockMovement.objects.values_list("lot").annotate(Sum("change")).order_by("lot"))


def remaining() -> dict[int, int]:
    return dict(StockLot.objects.values_list("pk", "remaining").order_by("pk"))


# What comes in


@pytest.mark.django_db
def test_stock_that_is_received_has_the_contract_s_terms_and_a_movement() -> None:
    line = ContractProductFactory(contract=ContractFactory(term_months=24, end_rule="month_end"))
    actor = UserFactory()

    lot = receive_stock(
        contract=line.contract, product=line.product, quantity=7, use_by=NEXT_YEAR, actor=actor, reference="INV-1"
    )

    assert (lot.reseller, lot.quantity, lot.remaining, lot.use_by) == (line.contract.reseller, 7, 7, NEXT_YEAR)
    assert (lot.term_months, lot.end_rule) == (24, "month_end")
    movement = StockMovement.objects.get()
    assert (movement.lot, movement.change, movement.reason) == (lot, 7, "received")
    assert (movement.actor, movement.reference, movement.created_at) == (actor, "INV-1", lot.received_at)


@pytest.mark.django_db
def test_stock_may_have_terms_of_its_own() -> None:
    lot = lot_of(ContractProductFactory(), term_months=6, end_rule="month_end")

    assert (lot.term_months, lot.end_rule) == (6, "month_end")


@pytest.mark.django_db
def test_stock_of_nothing_cannot_be_received() -> None:
    line = ContractProductFactory()

    with pytest.raises(IntegrityError), transaction.atomic():
        lot_of(line, 0)

    assert not StockMovement.objects.exists()


# What is suitable


@pytest.mark.django_db
def test_lots_are_used_by_their_last_day_and_then_by_age() -> None:
    line = ContractProductFactory()
    young = lot_of(line, use_by=TODAY + timedelta(days=9))
    late = lot_of(line, use_by=TODAY + timedelta(days=10))
    soon = lot_of(line, use_by=TODAY)
    with time_machine.travel(young.received_at - timedelta(days=1)):
        old = lot_of(line, use_by=TODAY + timedelta(days=9))

    assert suitable(line) == [soon, old, young, late]


@pytest.mark.django_db
def test_lot_is_suitable_to_its_last_day() -> None:
    line = ContractProductFactory()
    lot = lot_of(line, use_by=TODAY)

    assert suitable(line, on=TODAY) == [lot]
    assert suitable(line, on=TODAY + timedelta(days=1)) == []


@pytest.mark.django_db
def test_empty_lot_is_not_suitable() -> None:
    line = ContractProductFactory()
    take_stock([Taking(lot_of(line, 5), 5)], actor=UserFactory(), reference="P-1")

    assert suitable(line) == []


@pytest.mark.django_db
def test_lot_of_another_contract_product_or_reseller_is_not_suitable() -> None:
    line = ContractProductFactory()
    lot_of(ContractProductFactory(contract=line.contract))
    lot_of(ContractProductFactory(product=line.product, contract=ContractFactory(reseller=line.contract.reseller)))
    StockLot.objects.create(
        reseller=ContractFactory().reseller,
        contract=line.contract,
        product=line.product,
        quantity=5,
        remaining=5,
        use_by=NEXT_YEAR,
        term_months=12,
        end_rule="anniversary",
        received_at=timezone.now(),
    )

    assert suitable(line) == []


# What shall be taken


@given(remaining=st.lists(st.integers(0, 50), max_size=8), quantity=st.integers(1, 300))
def test_plan_takes_in_the_given_order_and_never_more_than_there_is(remaining: list[int], quantity: int) -> None:
    lots = [StockLot(pk=number, remaining=left) for number, left in enumerate(remaining, start=1)]

    takings = plan_takings(lots, quantity=quantity)

    assert sum(taking.quantity for taking in takings) == min(quantity, sum(remaining))
    assert all(0 < taking.quantity <= taking.lot.remaining for taking in takings)
    filled = [lot for lot in lots if lot.remaining]
    assert [taking.lot for taking in takings] == filled[: len(takings)]
    assert all(taking.quantity == taking.lot.remaining for taking in takings[:-1])


# What is taken


@pytest.mark.django_db
def test_taking_changes_the_lots_and_writes_a_movement_each() -> None:
    line = ContractProductFactory()
    first, second, third = lot_of(line, 5), lot_of(line, 5), lot_of(line, 5)
    actor = UserFactory()

    take_stock([Taking(second, 5), Taking(first, 2)], actor=actor, reference="P-1")

    assert remaining() == ledger() == {first.pk: 3, second.pk: 0, third.pk: 5}
    movements = StockMovement.objects.filter(reason="allocated").order_by("lot")
    assert [(movement.lot_id, movement.change) for movement in movements] == [(first.pk, -2), (second.pk, -5)]
    assert {(movement.actor, movement.reference) for movement in movements.select_related("actor")} == {(actor, "P-1")}


@pytest.mark.django_db
def test_two_takings_from_one_lot_count_together() -> None:
    lot = lot_of(ContractProductFactory(), 5)
    actor = UserFactory()

    with pytest.raises(StockNotLeft):
        take_stock([Taking(lot, 3), Taking(lot, 3)], actor=actor, reference="P-1")
    take_stock([Taking(lot, 2), Taking(lot, 3)], actor=actor, reference="P-2")

    assert remaining() == ledger() == {lot.pk: 0}


@pytest.mark.django_db
def test_taking_nothing_asks_the_database_nothing() -> None:
    with CaptureQueriesContext(connection) as statements:
        take_stock([], actor=UserFactory.build(), reference="P-1")

    assert len(statements) == 0


@pytest.mark.django_db
def test_lot_that_holds_less_by_now_leaves_all_lots_as_they_are() -> None:
    line = ContractProductFactory()
    full, touched = lot_of(line, 5), lot_of(line, 5)
    take_stock([Taking(touched, 4)], actor=UserFactory(), reference="P-1")

    with pytest.raises(StockNotLeft):
        take_stock([Taking(full, 5), Taking(touched, 2)], actor=UserFactory(), reference="P-2")

    assert remaining() == ledger() == {full.pk: 5, touched.pk: 1}
    assert not StockMovement.objects.filter(reference="P-2").exists()


@pytest.mark.django_db
def test_taking_from_a_lot_leaves_its_last_day_and_its_terms() -> None:
    line = ContractProductFactory()
    lot = lot_of(line, 5, term_months=6, end_rule="month_end")

    take_stock([Taking(lot, 2)], actor=UserFactory(), reference="P-1")

    after = StockLot.objects.get()
    assert (after.use_by, after.term_months, after.end_rule) == (lot.use_by, 6, "month_end")
    assert (after.received_at, after.quantity) == (lot.received_at, 5)


@pytest.mark.django_db
def test_taking_from_many_lots_costs_the_statements_of_taking_from_one() -> None:
    line = ContractProductFactory()
    actor = UserFactory()
    one, many = [lot_of(line, 5)], [lot_of(line, 5) for _ in range(50)]
    counts = []

    for lots in (one, many):
        with CaptureQueriesContext(connection) as statements:
            take_stock([Taking(lot, 1) for lot in lots], actor=actor, reference="P-1")
        counts.append(len(statements))

    assert counts[0] == counts[1]
    assert set(remaining().values()) == {4}


@pytest.mark.django_db
@pytest.mark.parametrize("remaining", [-1, 6])
def test_database_holds_what_remains_within_the_quantity(remaining: int) -> None:
    lot = receive(ContractFactory(), ProductFactory(), 5)

    with pytest.raises(IntegrityError), transaction.atomic():
        StockLot.objects.filter(pk=lot.pk).update(remaining=remaining)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("reason", "change"),
    [("received", -1), ("returned", -1), ("allocated", 1), ("expired", 1), ("corrected", 0), ("given away", -1)],
)
def test_database_refuses_a_movement_whose_sign_and_reason_contradict(reason: str, change: int) -> None:
    lot = receive(ContractFactory(), ProductFactory(), 5)

    with pytest.raises(IntegrityError), transaction.atomic():
        StockMovement.objects.create(lot=lot, change=change, reason=reason, created_at=lot.received_at)
