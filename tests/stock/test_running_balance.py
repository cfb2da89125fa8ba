"""A lot's movements in the order in which they were written, and what the lot held after each."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from listing.pages import At
from stock.models import StockLot
from stock.services import ledger
from stock.services.ledger import Entry, entries_of
from stock.services.take import Taking, take_stock
from tests.factories import ContractProductFactory, UserFactory, receive

pytestmark = pytest.mark.django_db


@pytest.fixture
def lot() -> StockLot:
    """A lot of 10 from which 1, 2 and 3 were taken, while each time the clock had been turned back an hour."""
    line, actor, now = ContractProductFactory(), UserFactory(), timezone.now()
    lot = receive(line.contract, line.product, 10)
    for number in (1, 2, 3):
        with time_machine.travel(now - timedelta(hours=number), tick=False):
            take_stock([Taking(lot, number)], actor=actor, reference=f"P-{number}")
    return lot


def told(entries: list[Entry]) -> list[tuple[int, int]]:
    return [(entry.movement.change, entry.balance) for entry in entries]


def test_balance_runs_in_the_order_of_writing_though_the_clock_was_turned_back(lot: StockLot) -> None:
    assert told(entries_of(lot, at=At()).rows) == [(10, 10), (-1, 9), (-2, 7), (-3, 4)]
    assert [movement.change for movement in lot.movements.all()] == [10, -1, -2, -3]


def test_balance_runs_on_over_pages_and_back(lot: StockLot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "MOVEMENTS_SHOWN", 2)

    first = entries_of(lot, at=At())
    second = entries_of(lot, at=At(after=first.next))
    first_again = entries_of(lot, at=At(before=second.previous))

    assert told(first.rows) == [(10, 10), (-1, 9)]
    assert told(second.rows) == [(-2, 7), (-3, 4)]
    assert told(first_again.rows) == told(first.rows)
