"""A deadlock is no refusal: the act begins anew, at most three times."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from contracts.models import Contract
from purchases.models import Fulfilment, Purchase
from purchases.services.busy import MOST_BEGINNINGS, PortalBusy
from purchases.services.give_back import give_back_purchase
from stock.models import StockLot
from tests.purchases.at_once import PATIENCE, Pause, meanwhile
from tests.purchases.orders import TODAY, an_order, nothing_is_written, press_buy, quote_of, stock_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql_only]


class Deadlocks:
    """Has the database end the transaction as it ends one of two that wait for each other, so many times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.broken = 0

    def __call__(self, execute: Callable[..., Any], sql: str, values: Any, many: bool, context: Any) -> Any:
        if sql.startswith("UPDATE") and self.broken < self.times:
            self.broken += 1
            return execute("DO $$BEGIN RAISE deadlock_detected; END$$", None, many, context)
        return execute(sql, values, many, context)


@pytest.mark.parametrize("times", range(1, MOST_BEGINNINGS))
def test_purchase_begins_anew_after_a_deadlock_and_is_made_once(times: int) -> None:
    draft = an_order(quantity=3, fulfilment=Fulfilment.STOCK_THEN_NEW)
    lot = stock_for(draft, 2)
    deadlocks = Deadlocks(times)

    with connection.execute_wrapper(deadlocks):
        purchase = press_buy(draft)

    assert deadlocks.broken == times
    assert Purchase.objects.get() == purchase
    assert list(lot.movements.order_by("pk").values_list("change", flat=True)) == [2, -2]


def test_after_three_new_beginnings_the_buyer_is_told_that_nothing_was_bought() -> None:
    draft = an_order(quantity=3, fulfilment=Fulfilment.STOCK_THEN_NEW)
    stock_for(draft, 2)
    deadlocks = Deadlocks(100)

    with nothing_is_written(), connection.execute_wrapper(deadlocks), pytest.raises(PortalBusy):
        press_buy(draft)

    assert deadlocks.broken == MOST_BEGINNINGS == 4


def test_giving_back_begins_anew_too() -> None:
    draft = an_order(quantity=2, fulfilment=Fulfilment.STOCK)
    lot = stock_for(draft, 2)
    purchase = press_buy(draft)

    with connection.execute_wrapper(Deadlocks(3)):
        assert give_back_purchase(purchase, buyer=draft.user, on=TODAY) == 2

    assert list(lot.movements.order_by("pk").values_list("change", flat=True)) == [2, -2, 2]


def test_nothing_begins_anew_inside_of_another_transaction() -> None:
    draft = an_order(quantity=2, fulfilment=Fulfilment.STOCK)
    stock_for(draft, 2)
    deadlocks = Deadlocks(100)

    with pytest.raises(PortalBusy), transaction.atomic(), connection.execute_wrapper(deadlocks):
        press_buy(draft)

    assert deadlocks.broken == 1


def test_purchase_that_meets_a_real_deadlock_is_made() -> None:
    """Somebody holds the lot and then wants the contract, which the purchase holds while it wants the lot."""
    draft = an_order(quantity=2, fulfilment=Fulfilment.STOCK)
    lot = stock_for(draft, 2)
    assert draft.contract is not None
    contract, shown, holding = draft.contract, quote_of(draft).fingerprint, Pause()

    def take_the_locks_the_other_way_round() -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                # The purchase, and not this one, shall find the deadlock and be ended.
                cursor.execute("SET LOCAL deadlock_timeout = '20s'")
                cursor.execute("SET LOCAL lock_timeout = 0")
            StockLot.objects.locked().get(pk=lot.pk)
            holding.is_reached.set()
            while not _somebody_waits():
                time.sleep(0.01)
            Contract.objects.locked(contract.pk)

    with meanwhile(take_the_locks_the_other_way_round) as other:
        assert holding.is_reached.wait(timeout=PATIENCE)
        purchase = press_buy(draft, fingerprint=shown)
        other.result(timeout=PATIENCE)

    assert purchase.from_stock == 2
    assert Purchase.objects.count() == 1


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
        [waits] = cursor.fetchone()
    return bool(waits)
