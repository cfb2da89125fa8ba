"""Somebody holds a lock for too long: it is told in time, nothing was written, and it is in the audit log.

On PostgreSQL the tables that the acts write are held; on SQLite whoever writes holds all of them.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import Act, AuditEvent
from contracts.models import Contract
from purchases.models import Fulfilment, Purchase, PurchaseDraft
from tests.audit.conftest import nothing_is_owed
from tests.factories import OperatorFactory
from tests.purchases.at_once import PATIENCE, Pause, all_at_once, meanwhile, wait_for_locks
from tests.purchases.orders import an_order, nothing_is_written, press_buy, quote_of, stock_for
from tests.purchases.wizard import Wizard, begin, notices_on

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon", "nothing_is_owed")]

__all__ = ["nothing_is_owed"]

IN_VAIN = 0.3
"""So many seconds people wait here, where it is 3 at the portal."""

HELD = ("purchases_purchasedraft", "contracts_contract", "stock_stocklot", "accounts_account", "products_package")


@contextmanager
def locks_held() -> Iterator[None]:
    """Let somebody else hold everything meanwhile."""
    holding = Pause()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(f"LOCK TABLE {', '.join(HELD)} IN EXCLUSIVE MODE")
            holding.reach()

    with meanwhile(hold) as held, holding:
        assert holding.is_reached.wait(timeout=PATIENCE)
        yield
        holding.may_go_on.set()
        held.result(timeout=PATIENCE)


@pytest.fixture
def short_patience() -> Iterator[None]:
    """Wait for a lock only shortly, on the connection of this thread."""
    wait_for_locks(IN_VAIN)
    yield
    connection.close()


def is_told_and_recorded(user: User, act: Callable[[], Any]) -> Any:
    """The answer to an act that meets a held lock; fails unless it comes soon and is in the log, once, afterwards."""
    begun_before = AuditEvent.objects.latest("pk").pk
    with nothing_is_written(), locks_held():
        began = time.monotonic()
        answer = act()
        waited = time.monotonic() - began
    Client().get("/healthz")  # whatever comes next writes what is owed

    assert IN_VAIN <= waited < 5 * IN_VAIN + 2
    [event] = AuditEvent.objects.filter(pk__gt=begun_before)
    assert (event.act, event.actor, event.detail) == (Act.REFUSED, user.email, "portal_busy")
    return answer


def about_to_buy() -> Wizard:
    draft = an_order(quantity=3, fulfilment=Fulfilment.STOCK_THEN_NEW)
    stock_for(draft, 2)
    return begin(draft)


def test_buy_is_told_that_nothing_was_bought(short_patience: None) -> None:
    wizard = about_to_buy()
    fingerprint = wizard.fingerprint()

    page = is_told_and_recorded(wizard.draft.user, lambda: wizard.buy(fingerprint))

    assert page.status_code == 409
    assert "Nothing was bought. Try again." in page.text
    assert wizard.buy(fingerprint).status_code == 303
    assert Purchase.objects.count() == 1


def test_control_without_patience_that_ends_nobody_is_told_anything() -> None:
    """The same for somebody who waits as long as it takes: the lock is let go after three times the patience."""
    wizard = about_to_buy()
    fingerprint = wizard.fingerprint()
    connection.close()

    def press() -> int:
        wait_for_locks(PATIENCE)
        return wizard.buy(fingerprint).status_code

    with meanwhile(press) as pressing:
        with locks_held(), pytest.raises(TimeoutError):
            pressing.result(timeout=3 * IN_VAIN)
        status = pressing.result(timeout=PATIENCE)

    assert status == 303


def test_answer_at_a_step_is_told_and_not_saved(short_patience: None) -> None:
    wizard = about_to_buy()

    page = is_told_and_recorded(wizard.draft.user, lambda: wizard.post("quantity_step", {"quantity": "2"}))

    assert page.status_code == 422
    assert "Try again." in page.text
    assert wizard.answers()["quantity"] == 3


def test_start_is_told(short_patience: None) -> None:
    wizard = about_to_buy()

    answer = is_told_and_recorded(wizard.draft.user, lambda: wizard.client.post(reverse("start_purchase")))

    assert answer.status_code == 303
    assert "Try again." in " ".join(notices_on(wizard.client.get(answer.headers["Location"])))
    assert PurchaseDraft.objects.count() == 1


def test_giving_up_a_draft_is_told(short_patience: None) -> None:
    wizard = about_to_buy()

    answer = is_told_and_recorded(wizard.draft.user, lambda: wizard.post("delete_draft"))

    assert answer.status_code == 303
    assert PurchaseDraft.objects.exists()


def test_giving_back_is_told(short_patience: None) -> None:
    wizard = about_to_buy()
    number = press_buy(wizard.draft).number

    page = is_told_and_recorded(wizard.draft.user, lambda: wizard.client.post(reverse("give_back", args=[number])))

    assert page.status_code == 409


def acts_of_the_desk() -> dict[str, Callable[[Client], Any]]:
    draft = an_order()
    lot = stock_for(draft, 5)
    contract = draft.contract_id
    chosen = {"_selected_action": [contract], "post": "yes", "reason": "Unpaid."}
    return {
        "correct": lambda desk: desk.post(
            reverse("admin:stock_stocklot_correct", args=[lot.pk]),
            {"change": "-1", "reason_text": "Counted.", "movements_seen": "1"},
        ),
        "suspend": lambda desk: desk.post(
            reverse("admin:contracts_contract_suspend", args=[contract]), {"reason": "Unpaid."}
        ),
        "suspend from the list": lambda desk: desk.post(
            reverse("admin:contracts_contract_changelist"), {"action": "suspend_selected", **chosen}
        ),
        "add": lambda desk: desk.post(reverse("admin:products_package_add"), {"name": "Large", "code": "large"}),
    }


@pytest.mark.parametrize("act", ["correct", "suspend", "suspend from the list", "add"])
def test_act_of_the_desk_is_told(short_patience: None, act: str) -> None:
    press, operator, desk = acts_of_the_desk()[act], OperatorFactory(), Client()
    desk.force_login(operator)

    answer = is_told_and_recorded(operator, partial(press, desk))

    assert answer.status_code == 302
    told = " ".join(notices_on(desk.get(answer.headers["Location"])))
    assert "for too long" in told
    assert not Contract.objects.filter(status="suspended").exists()


def test_what_is_owed_keeps_its_time_address_and_order(short_patience: None) -> None:
    wizard = about_to_buy()
    wizard.client.defaults["REMOTE_ADDR"] = "192.0.2.7"
    fingerprint = wizard.fingerprint()

    with locks_held():
        for _ in range(2):
            wizard.buy(fingerprint)
    Client(REMOTE_ADDR="192.0.2.8").get("/healthz")

    assert [event.address for event in AuditEvent.objects.filter(act=Act.REFUSED)] == ["192.0.2.7", "192.0.2.7"]


def test_request_waits_for_a_lock_for_three_seconds_unless_a_test_says_otherwise() -> None:
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout" if connection.vendor == "sqlite" else "SHOW lock_timeout")
        [patience] = cursor.fetchone()

    assert settings.LOCK_PATIENCE == 3
    assert patience == (3000 if connection.vendor == "sqlite" else "3s")


def test_buyers_who_hold_a_lock_only_shortly_are_not_told_that_the_portal_is_busy() -> None:
    drafts = [an_order() for _ in range(4)]
    shown = [quote_of(draft).fingerprint for draft in drafts]

    outcomes = all_at_once(
        [partial(press_buy, draft, fingerprint=each) for draft, each in zip(drafts, shown, strict=True)],
        are_hurried=True,
    )

    assert [type(outcome) for outcome in outcomes] == [Purchase] * 4
