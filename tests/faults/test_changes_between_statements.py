"""A change between any two statements of Buy stops it, or waits for it: never both."""

from collections.abc import Callable
from concurrent.futures import wait
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Any

import pytest
from django.db import connection, transaction

from contracts.models import Contract
from purchases.models import Fulfilment, Purchase, PurchaseDraft
from purchases.services.quote import PreviewOutdated
from purchases.services.rules import PurchaseRefused
from stock.models import StockLot, StockMovement
from stock.services.correct import correct
from tests.factories import OperatorFactory
from tests.purchases.at_once import PATIENCE, Pause, meanwhile
from tests.purchases.happenings import Happening, change_contract, change_line, withdraw_the_grant
from tests.purchases.orders import TODAY, an_order, press_buy, quote_of, stock_for

pytestmark = pytest.mark.faults

A_WHILE = 0.25
"""Seconds after which a change that is not done is taken to be waiting."""

LEAST = 8


def empty_the_lot(draft: PurchaseDraft) -> None:
    lot = StockLot.objects.get(contract=draft.contract_id)
    with transaction.atomic():
        left = StockLot.objects.locked().get(pk=lot.pk).remaining
        if left:
            correct(lot, -left, reason_text="Gone.", actor=OperatorFactory(), on=TODAY)


CHANGES: dict[str, Happening] = {
    "contract suspended": change_contract(status="suspended"),
    "grant withdrawn": withdraw_the_grant,
    "price changed": change_line(unit_price=Decimal("120.00")),
    "lot emptied": empty_the_lot,
}


class PausingAt:
    """Lets the purchase pause before so many statements."""

    def __init__(self, pause: Pause, statement: int) -> None:
        self.pause = pause
        self.statement = statement
        self.done = 0

    def __call__(self, execute: Callable[..., Any], sql: str, values: Any, many: bool, context: Any) -> Any:
        self.done += 1
        if self.done == self.statement:
            self.pause.reach()
        return execute(sql, values, many, context)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_change_between_any_two_statements_comes_strictly_first_or_strictly_second(change: Happening) -> None:
    outcomes = []
    for statement in count(1):
        draft = an_order(quantity=3, fulfilment=Fulfilment.STOCK_THEN_NEW)
        stock_for(draft, 2)
        shown, pause = quote_of(draft).fingerprint, Pause()
        wrapper = PausingAt(pause, statement)

        def press(
            draft: PurchaseDraft = draft, shown: str = shown, wrapper: PausingAt = wrapper
        ) -> Purchase | Exception:
            buyer_and_draft_are_read = PurchaseDraft.objects.select_related("user__reseller").get(pk=draft.pk)
            with connection.execute_wrapper(wrapper):
                try:
                    return press_buy(buyer_and_draft_are_read, fingerprint=shown)
                except (PurchaseRefused, PreviewOutdated) as refusal:
                    return refusal

        with meanwhile(press) as pressing, pause:
            while not pause.is_reached.wait(timeout=0.01) and not pressing.done():
                pass
            if not pause.is_reached.is_set():
                assert isinstance(pressing.result(timeout=PATIENCE), Purchase)
                break
            with meanwhile(partial(change, draft)) as changing:
                comes_first = bool(wait([changing], timeout=A_WHILE).done)
                pause.may_go_on.set()
                outcome = pressing.result(timeout=PATIENCE)
                changing.result(timeout=PATIENCE)
        is_bought = isinstance(outcome, Purchase)
        assert not (is_bought and comes_first), statement
        outcomes.append(is_bought)
    assert len(outcomes) > LEAST
    assert set(outcomes) == {True, False}


@pytest.mark.control
def test_lot_that_is_emptied_without_the_lock_and_the_ledger_is_noticed() -> None:
    draft = an_order(quantity=2, fulfilment=Fulfilment.STOCK)
    lot = stock_for(draft, 2)
    press_buy(draft)

    StockLot.objects.filter(pk=lot.pk).update(remaining=2)

    assert StockMovement.objects.filter(lot=lot).count() == 2
    assert Contract.objects.count() == 1
