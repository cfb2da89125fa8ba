"""A worker that is killed at any statement of Buy leaves nothing half-written, and the retry makes one purchase."""

import multiprocessing
import signal
from contextlib import closing
from itertools import count

import django
import pytest
from django.db import connection

from purchases.models import Fulfilment, License, Purchase, PurchaseDraft, Purpose
from purchases.services.buy import _write
from purchases.services.quote import quote_purchase
from tests.purchases.killed import Killer, dies_while_it_answers, form_of
from tests.purchases.orders import TODAY, an_order, stock_for, written
from tests.purchases.wizard import begin

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("noon")]

LEAST = 10
"""With fewer statements than Buy needs, a test would have killed nobody in the middle."""


@pytest.mark.parametrize("purpose", [Purpose.BUY, Purpose.STOCK_UP])
def test_buy_that_is_killed_at_any_statement_buys_nothing_and_its_retry_once(purpose: Purpose) -> None:
    for statements in count(1):
        draft = an_order(quantity=3, purpose=purpose, fulfilment=Fulfilment.STOCK_THEN_NEW)
        if purpose == Purpose.BUY:
            stock_for(draft, 2)
        wizard = begin(draft)
        shown = wizard.fingerprint()
        before = written()

        is_killed = dies_while_it_answers(
            form_of(wizard.client, wizard.url("buy"), {"fingerprint": shown}), after=statements
        )
        after = written()
        retry = wizard.buy(shown)

        assert (after == before) is is_killed
        purchase = Purchase.objects.get(draft_id=draft.pk)
        assert (retry.status_code, retry.headers["Location"]) == (303, purchase.get_absolute_url())
        assert License.objects.filter(purchase=purchase).count() == (3 if purpose == Purpose.BUY else 0)
        if not is_killed:
            break
    assert statements > LEAST


def _buy_without_a_transaction(database: str, draft: str, after: int) -> None:
    django.setup()
    connection.settings_dict["NAME"] = database
    with closing(connection), connection.execute_wrapper(Killer(after)):
        ordered = PurchaseDraft.objects.get(pk=draft)
        _write(quote_purchase(ordered, buyer=ordered.user, on=TODAY), buyer=ordered.user)


@pytest.mark.control
def test_without_the_transaction_half_a_purchase_is_left_and_the_check_notices() -> None:
    processes = multiprocessing.get_context("forkserver")
    for statements in range(1, 30):
        draft = an_order(quantity=3)
        arguments = (str(connection.settings_dict["NAME"]), str(draft.pk), statements)
        process = processes.Process(target=_buy_without_a_transaction, args=arguments)
        process.start()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
        if Purchase.objects.exists():
            break

    assert License.objects.count() == 0
