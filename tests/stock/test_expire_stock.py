"""Stock lapses after its last day, once, wherever its reseller is and whoever else writes it off at the same time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from threading import Barrier, Event

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from contracts.models import ContractProduct
from stock.models import StockLot, StockMovement
from stock.services import lapse as lapsing
from stock.services.lapse import Lapsed, lapse
from stock.services.take import Taking, take_stock
from tests.factories import ContractFactory, ContractProductFactory, ResellerFactory, UserFactory, receive

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 24)
YESTERDAY = TODAY - timedelta(days=1)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def a_line(*, time_zone: str = "Europe/Istanbul") -> ContractProduct:
    return ContractProductFactory(contract=ContractFactory(reseller=ResellerFactory(time_zone=time_zone)))


def a_lot(line: ContractProduct | None = None, *, quantity: int = 5, use_by: date = YESTERDAY) -> StockLot:
    line = line or a_line()
    return receive(line.contract, line.product, quantity, use_by=use_by)


def expire_stock(*, at: datetime = NOON) -> str:
    said = StringIO()
    with time_machine.travel(at, tick=False):
        call_command("expire_stock", stdout=said)
    return said.getvalue().strip()


def remaining() -> dict[int, int]:
    """What remains of each lot; fails if its movements add up to something else."""
    lots = dict(StockLot.objects.values_list("pk", "remaining"))
    assert dict(StockMovement.objects.values_list("lot").annotate(Sum("change")).order_by()) == lots
    return lots


@contextmanager
def held_elsewhere(lot: StockLot) -> Iterator[None]:
    """Let another connection hold the lot, as a purchase does while it is written."""
    is_held, may_go = Event(), Event()

    def hold() -> None:
        with closing(connection), transaction.atomic():
            StockLot.objects.locked().get(pk=lot.pk)
            is_held.set()
            may_go.wait(timeout=20)

    with ThreadPoolExecutor(max_workers=1) as others:
        holding = others.submit(hold)
        try:
            assert is_held.wait(timeout=20)
            yield
        finally:
            may_go.set()
            holding.result()


def test_what_is_left_after_the_last_day_is_written_off() -> None:
    over, last_day = a_lot(use_by=YESTERDAY), a_lot(use_by=TODAY)
    take_stock([Taking(over, 2)], actor=UserFactory(), reference="P-1")

    said = expire_stock()

    assert said == "Lots written off: 1. Licenses written off: 3."
    assert remaining() == {over.pk: 0, last_day.pk: 5}
    movement = StockMovement.objects.get(reason="expired")
    assert (movement.lot, movement.change, movement.actor, movement.reference) == (over, -3, None, "")
    assert movement.created_at == NOON


def test_empty_lot_is_left_alone() -> None:
    lot = a_lot()
    take_stock([Taking(lot, 5)], actor=UserFactory(), reference="P-1")

    assert expire_stock() == "Lots written off: 0. Licenses written off: 0."
    assert not StockMovement.objects.filter(reason="expired").exists()


def test_second_run_writes_off_nothing() -> None:
    lot = a_lot()
    expire_stock()

    assert expire_stock() == "Lots written off: 0. Licenses written off: 0."
    assert remaining() == {lot.pk: 0}
    assert StockMovement.objects.filter(reason="expired").count() == 1


def test_run_without_any_lot_or_reseller_says_so() -> None:
    assert expire_stock() == "Lots written off: 0. Licenses written off: 0."


@pytest.mark.parametrize(
    ("at", "lapsed"),
    [
        (datetime(2026, 11, 23, 10, 59, 59, tzinfo=UTC), set()),
        (datetime(2026, 11, 23, 11, tzinfo=UTC), {"Pacific/Auckland"}),
        (datetime(2026, 11, 23, 20, 59, 59, tzinfo=UTC), {"Pacific/Auckland"}),
        (datetime(2026, 11, 23, 21, tzinfo=UTC), {"Pacific/Auckland", "Europe/Istanbul"}),
        (datetime(2026, 11, 24, 7, 59, 59, tzinfo=UTC), {"Pacific/Auckland", "Europe/Istanbul"}),
        (
            datetime(2026, 11, 24, 8, tzinfo=UTC),
            {"Pacific/Auckland", "Europe/Istanbul", "America/Los_Angeles"},
        ),
    ],
)
def test_last_day_ends_where_the_reseller_is(at: datetime, lapsed: set[str]) -> None:
    for time_zone in ("Pacific/Auckland", "Europe/Istanbul", "America/Los_Angeles"):
        a_lot(a_line(time_zone=time_zone), use_by=date(2026, 11, 23))

    expire_stock(at=at)

    assert set(StockLot.objects.filter(remaining=0).values_list("reseller__time_zone", flat=True)) == lapsed


def test_many_lots_are_written_off_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    line = a_line()
    lots = [a_lot(line) for _ in range(5)]
    monkeypatch.setattr(lapsing, "BATCH", 2)

    said = expire_stock()

    assert said == "Lots written off: 5. Licenses written off: 25."
    assert remaining() == dict.fromkeys((lot.pk for lot in lots), 0)


def test_batch_costs_the_same_with_many_lots_as_with_one() -> None:
    line = a_line()
    counts = []

    for quantity in (1, 50):
        for _ in range(quantity):
            a_lot(line)
        with CaptureQueriesContext(connection) as statements:
            lapse(at=NOON)
        counts.append(len(statements))

    assert counts[0] == counts[1]
    assert not StockLot.objects.filter(remaining__gt=0).exists()


@pytest.mark.django_db(transaction=True)
def test_machines_that_run_at_once_write_every_license_off_once(monkeypatch: pytest.MonkeyPatch) -> None:
    line = a_line()
    for _ in range(30):
        a_lot(line)
    monkeypatch.setattr(lapsing, "BATCH", 4)
    start = Barrier(4)

    def run() -> Lapsed:
        with closing(connection):
            start.wait(timeout=20)
            return lapse(at=NOON)

    with ThreadPoolExecutor(max_workers=4) as machines:
        runs = [machines.submit(run) for _ in range(4)]
    lapsed = [run.result() for run in runs]

    assert sum(each.lots for each in lapsed) == 30
    assert sum(each.licenses for each in lapsed) == 150
    assert set(remaining().values()) == {0}
    assert StockMovement.objects.filter(reason="expired").count() == 30


@pytest.mark.postgresql_only
@pytest.mark.django_db(transaction=True)
def test_run_that_is_broken_off_keeps_what_it_did_and_can_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    line = a_line()
    free, held = a_lot(line), a_lot(line)
    monkeypatch.setattr(lapsing, "BATCH", 1)

    with held_elsewhere(held), pytest.raises(CommandError, match=r"Broken off: .*lock timeout.* Run the command again"):
        expire_stock()
    after_the_first = remaining()
    said = expire_stock()

    assert after_the_first == {free.pk: 0, held.pk: 5}
    assert said == "Lots written off: 1. Licenses written off: 5."
    assert remaining() == {free.pk: 0, held.pk: 0}
