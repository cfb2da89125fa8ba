"""Many processes that buy at once: one draft is bought once, and the last in stock are sold to the last one."""

import multiprocessing
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from typing import Any
from uuid import UUID

import django
import pytest
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from purchases.models import Fulfilment, License, Purchase, PurchaseDraft
from purchases.services.busy import PortalBusy
from purchases.services.quote import PreviewOutdated, quote_purchase
from purchases.services.rules import FulfilmentNotOffered
from stock.models import StockLot, StockMovement
from tests.factories import LicenseFactory
from tests.faults.servers import Answer, Visitor, serving
from tests.purchases.at_once import all_at_once
from tests.purchases.orders import TODAY, an_order, press_buy, quote_of, stock_for

pytestmark = pytest.mark.faults

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["licensing.wsgi", "licensing.urls", "tests.factories", __name__])


def _use_database(settings: dict[str, Any]) -> None:
    django.setup()
    connection.settings_dict.update(settings)


def processes(number: int) -> ProcessPoolExecutor:
    """So many processes on the database of the tests."""
    connection.close()
    settings = {name: connection.settings_dict[name] for name in ("NAME", "HOST", "PORT", "USER", "PASSWORD")}
    return ProcessPoolExecutor(number, mp_context=_processes, initializer=_use_database, initargs=(settings,))


# One draft

SUBMITS = 600


def submit(visitor: Visitor, address: str, fingerprint: str, times: int) -> list[Answer]:
    return [visitor.post(address, fingerprint=fingerprint) for _ in range(times)]


def test_600_identical_submits_from_8_processes_make_one_purchase_which_all_are_shown() -> None:
    draft = an_order(quantity=3, fulfilment=Fulfilment.STOCK_THEN_NEW)
    stock_for(draft, 2)
    address, fingerprint = reverse("buy", args=[draft.pk]), quote_of(draft, on=draft.reseller.today()).fingerprint

    with serving(workers=4) as server, processes(8) as browsers:
        visitor = server.visited_by(draft.user)
        submits = [browsers.submit(submit, visitor, address, fingerprint, SUBMITS // 8) for _ in range(8)]
        answers = [answer for each in submits for answer in each.result()]

    purchase = Purchase.objects.get()
    assert len(answers) == SUBMITS
    assert Counter((answer.status, answer.location) for answer in answers) == {
        (303, purchase.get_absolute_url()): SUBMITS
    }
    assert License.objects.count() == 3


# The last in stock

ATTEMPTS, BUYERS, IN_STOCK = 1_000, 32, 500


def attempt(draft: UUID) -> tuple[str, datetime]:
    """Press Buy until it is bought or sold out, and look anew where that is asked for; say which, and when."""
    end = time.monotonic() + 240
    while time.monotonic() < end:
        try:
            press_buy(PurchaseDraft.objects.select_related("reseller").get(pk=draft))
        except (PortalBusy, PreviewOutdated):
            continue
        except FulfilmentNotOffered:
            return "sold out", timezone.now()
        return "bought", timezone.now()
    return "kept waiting", timezone.now()


def drafts_of_one(number: int) -> list[PurchaseDraft]:
    """So many drafts of one license from stock, for the same account."""
    first = an_order(quantity=1, fulfilment=Fulfilment.STOCK)
    same = {"user": first.user, "contract": first.contract, "account": first.account, "product": first.product}
    others = [PurchaseDraft(**same, reseller=first.reseller, quantity=1, fulfilment="stock") for _ in range(number - 1)]
    return [first, *PurchaseDraft.objects.bulk_create(others)]


def test_1000_attempts_by_32_processes_sell_the_500_in_stock_and_tell_nobody_too_early_that_they_are_gone() -> None:
    drafts = drafts_of_one(ATTEMPTS)
    for _ in range(5):
        stock_for(drafts[0], IN_STOCK // 5)

    with processes(BUYERS) as buyers:
        outcomes = list(buyers.map(attempt, [draft.pk for draft in drafts]))

    assert Counter(outcome for outcome, _at in outcomes) == {"bought": IN_STOCK, "sold out": ATTEMPTS - IN_STOCK}
    assert not StockLot.objects.filter(remaining__gt=0).exists()
    last_taken = StockMovement.objects.filter(reason="allocated").latest("created_at").created_at
    assert all(at >= last_taken for outcome, at in outcomes if outcome == "sold out")
    assert License.objects.count() == Purchase.objects.count() == IN_STOCK


@pytest.mark.control
@pytest.mark.postgresql_only
def test_without_the_locks_more_is_sold_than_there_is_and_the_check_notices() -> None:
    drafts = drafts_of_one(8)
    lot, waiting = stock_for(drafts[0], 3), list(drafts)

    def buy_without_a_lock() -> None:
        draft = waiting.pop()
        with transaction.atomic():
            [taking] = quote_purchase(draft, buyer=draft.user, on=TODAY).takings
            time.sleep(1)
            StockLot.objects.filter(pk=lot.pk).update(remaining=taking.lot.remaining - 1)
            LicenseFactory(contract=draft.contract, account=draft.account, product=draft.product, stock_lot=taking.lot)

    all_at_once([buy_without_a_lock] * len(drafts))

    assert License.objects.count() == 8
