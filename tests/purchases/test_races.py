"""Many buyers at once, and changes in the middle of a purchase: nothing is sold twice, and nothing half."""

import secrets
import time
from collections.abc import Callable
from concurrent.futures import wait
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from accounts.models import User
from purchases.models import Fulfilment, License, Purchase, PurchaseDraft
from purchases.services.busy import PortalBusy
from purchases.services.buy import buy
from purchases.services.drafts import choose_quantity, delete_draft
from purchases.services.quote import PreviewOutdated, quote_purchase
from purchases.services.rules import (
    ContractNotActive,
    FulfilmentNotOffered,
    PermissionMissing,
    ProductNotInContract,
    PurchaseRefused,
)
from stock.models import StockLot, StockMovement
from tests.admin.others import held_elsewhere
from tests.factories import LicenseFactory
from tests.purchases.at_once import PATIENCE, Pause, all_at_once, meanwhile
from tests.purchases.happenings import (
    Happening,
    change_contract,
    change_line,
    take_off_the_list,
    withdraw_the_grant,
    withdraw_the_permission,
)
from tests.purchases.orders import TODAY, a_line, an_order, facts_of, nothing_is_written, quote_of, stock_for

pytestmark = pytest.mark.django_db(transaction=True)

BUYERS = 16
IN_STOCK = 5
A_WHILE = 0.5
"""Seconds after which whoever is not done is taken to be waiting."""


def pressing_buy(draft: PurchaseDraft, fingerprint: str) -> Callable[[], Purchase]:
    """A press of Buy, and again as long as somebody else is in the way: that is what the portal asks for."""

    def press() -> Purchase:
        for _ in range(5):
            try:
                return buy(draft, buyer=draft.user, fingerprint=fingerprint, on=TODAY)
            except PortalBusy:
                continue
        raise AssertionError("Somebody was in the way all the time.")

    return press


def drafts_for_the_last_in_stock() -> tuple[StockLot, list[PurchaseDraft]]:
    """More drafts of one license from stock, for the same account, than there are licenses in the lot."""
    first = an_order(quantity=1, fulfilment=Fulfilment.STOCK)
    lot = stock_for(first, IN_STOCK)
    same = {"user": first.user, "contract": first.contract, "account": first.account, "product": first.product}
    others = [PurchaseDraft(**same, reseller=first.reseller, quantity=1, fulfilment="stock") for _ in range(BUYERS - 1)]
    return lot, [first, *PurchaseDraft.objects.bulk_create(others)]


# Many buyers


def test_the_last_in_stock_are_sold_once() -> None:
    lot, drafts = drafts_for_the_last_in_stock()
    acts = [pressing_buy(draft, quote_of(draft).fingerprint) for draft in drafts]

    outcomes = all_at_once(acts)

    bought = [outcome for outcome in outcomes if isinstance(outcome, Purchase)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, FulfilmentNotOffered | PreviewOutdated)]
    assert (len(bought), len(refused)) == (IN_STOCK, BUYERS - IN_STOCK), outcomes
    lot.refresh_from_db()
    assert lot.remaining == 0
    assert lot.movements.aggregate(Sum("change"))["change__sum"] == 0
    assert set(Purchase.objects.all()) == set(bought)
    assert set(License.objects.values_list("purchase", "stock_lot")) == {(row.pk, lot.pk) for row in bought}
    assert License.objects.count() == IN_STOCK
    taken = lot.movements.filter(reason="allocated").values_list("change", "reference")
    assert sorted(taken) == sorted((-1, row.number) for row in bought)


@pytest.mark.postgresql_only
def test_without_the_lock_more_would_be_sold_than_there_is() -> None:
    """The control: the race is real, and the tests above would find it."""
    lot, drafts = drafts_for_the_last_in_stock()
    everybody_has_looked = Barrier(BUYERS)

    def naively(draft: PurchaseDraft) -> Callable[[], None]:
        shown = quote_of(draft).fingerprint

        def buy_without_a_lock() -> None:
            with transaction.atomic():
                quote = quote_purchase(draft, buyer=draft.user, on=TODAY)
                quote.must_match(shown)
                everybody_has_looked.wait(timeout=PATIENCE)
                [taking] = quote.takings
                StockLot.objects.filter(pk=lot.pk).update(remaining=taking.lot.remaining - taking.quantity)
                LicenseFactory(
                    contract=draft.contract, account=draft.account, product=draft.product, stock_lot=taking.lot
                )

        return buy_without_a_lock

    outcomes = all_at_once([naively(draft) for draft in drafts])

    assert outcomes == [None] * BUYERS
    lot.refresh_from_db()
    assert License.objects.filter(stock_lot=lot).count() == BUYERS > IN_STOCK
    assert lot.remaining == IN_STOCK - 1


def test_one_draft_is_bought_once_however_many_press_at_once() -> None:
    draft = an_order(quantity=3, fulfilment=Fulfilment.STOCK_THEN_NEW)
    lot = stock_for(draft, 2)

    outcomes = all_at_once([pressing_buy(draft, quote_of(draft).fingerprint)] * BUYERS)

    purchase = Purchase.objects.get()
    assert outcomes == [purchase] * BUYERS
    assert License.objects.count() == 3
    assert list(StockMovement.objects.filter(reason="allocated").values_list("change", flat=True)) == [-2]
    lot.refresh_from_db()
    assert lot.remaining == 0


def test_buyers_under_different_contracts_do_not_hinder_each_other() -> None:
    drafts = [an_order() for _ in range(BUYERS)]

    outcomes = all_at_once([pressing_buy(draft, quote_of(draft).fingerprint) for draft in drafts])

    assert set(outcomes) == set(Purchase.objects.all())
    assert (Purchase.objects.count(), License.objects.count()) == (BUYERS, 3 * BUYERS)


# A change in the middle of a purchase


CHANGES: dict[str, tuple[Happening, type[Exception]]] = {
    "suspension": (change_contract(status="suspended"), ContractNotActive),
    "withdrawn grant": (withdraw_the_grant, PermissionMissing),
    "withdrawn permission": (withdraw_the_permission, PermissionMissing),
    "line switched off": (change_line(is_active=False), ProductNotInContract),
    "product taken off": (take_off_the_list, ProductNotInContract),
    "new price": (change_line(unit_price=Decimal("120.00")), PreviewOutdated),
    "new conditions": (change_contract(conditions="No returns."), PreviewOutdated),
}
every_change = pytest.mark.parametrize(("change", "refusal"), CHANGES.values(), ids=CHANGES)


@pytest.fixture
def writing(monkeypatch: pytest.MonkeyPatch) -> Pause:
    """Stops a purchase where it begins to write, which it does with a random number, once all is checked."""
    pause, choice = Pause(), secrets.choice

    def pausing_choice(alphabet: str) -> str:
        if not pause.is_reached.is_set():
            pause.reach()
        return choice(alphabet)

    monkeypatch.setattr(secrets, "choice", pausing_choice)
    return pause


@every_change
def test_change_that_comes_first_stops_the_purchase(change: Happening, refusal: type[Exception]) -> None:
    draft = an_order()
    press = pressing_buy(draft, quote_of(draft).fingerprint)
    pause = Pause()

    def change_slowly() -> None:
        with transaction.atomic():
            change(draft)
            pause.reach()

    with nothing_is_written(), meanwhile(change_slowly) as changing:
        assert pause.is_reached.wait(timeout=PATIENCE)
        with meanwhile(press) as pressing, pause:
            assert not wait([pressing], timeout=A_WHILE).done
            pause.may_go_on.set()
            assert isinstance(pressing.exception(timeout=PATIENCE), refusal)
        changing.result(timeout=PATIENCE)


@every_change
def test_change_that_comes_second_waits_for_the_purchase(
    change: Happening, refusal: type[Exception], writing: Pause
) -> None:
    draft = an_order()
    press = pressing_buy(draft, quote_of(draft).fingerprint)

    with meanwhile(press) as pressing:
        assert writing.is_reached.wait(timeout=PATIENCE)
        with meanwhile(lambda: change(draft)) as changing, writing:
            assert not wait([changing], timeout=A_WHILE).done
            writing.may_go_on.set()
            changing.result(timeout=PATIENCE)
        purchase = pressing.result(timeout=PATIENCE)

    assert (purchase.unit_price, purchase.terms["conditions"]) == (Decimal("100.00"), "")
    assert License.objects.count() == 3
    next_one = an_order_like(draft)
    with pytest.raises(refusal):
        buy(next_one, buyer=next_one.user, fingerprint="", on=TODAY)


def an_order_like(draft: PurchaseDraft) -> PurchaseDraft:
    same = PurchaseDraft.objects.get(pk=draft.pk)
    return PurchaseDraft.objects.create(
        user=same.user,
        reseller=same.reseller,
        contract=same.contract,
        account=same.account,
        product=same.product,
        quantity=same.quantity,
    )


def test_draft_that_is_deleted_while_it_is_bought_stays(writing: Pause) -> None:
    draft = an_order()

    with meanwhile(pressing_buy(draft, quote_of(draft).fingerprint)) as pressing:
        assert writing.is_reached.wait(timeout=PATIENCE)
        with meanwhile(lambda: delete_draft(draft)) as deleting, writing:
            assert not wait([deleting], timeout=A_WHILE).done
            writing.may_go_on.set()
            deleting.result(timeout=PATIENCE)
        purchase = pressing.result(timeout=PATIENCE)

    assert PurchaseDraft.objects.filter(pk=purchase.draft_id).exists()


@pytest.mark.postgresql_only
def test_buyer_who_signs_in_elsewhere_meanwhile_does_not_have_to_wait() -> None:
    draft = an_order()
    pause = Pause()

    def sign_in_slowly() -> None:
        with transaction.atomic():
            User.objects.filter(pk=draft.user_id).update(last_login=timezone.now())
            pause.reach()

    shown = quote_of(draft).fingerprint
    with meanwhile(sign_in_slowly), pause:
        assert pause.is_reached.wait(timeout=PATIENCE)
        purchase = buy(draft, buyer=draft.user, fingerprint=shown, on=TODAY)

    assert purchase.quantity == 3


# A lock that is not to be had


@pytest.mark.postgresql_only
def test_lock_that_is_held_for_too_long_is_told_and_nothing_is_written() -> None:
    line = a_line()
    draft = an_order(line=line)
    shown = quote_of(draft).fingerprint

    with held_elsewhere(line.contract), nothing_is_written():
        began = time.monotonic()
        with pytest.raises(PortalBusy) as refused:
            buy(draft, buyer=draft.user, fingerprint=shown, on=TODAY)
        waited = time.monotonic() - began

    assert isinstance(refused.value, PurchaseRefused)
    assert (refused.value.code, refused.value.answer) == ("portal_busy", "")
    assert (
        str(refused.value)
        == "Somebody else is buying from the same contract or stock right now. Nothing was bought. Try again."
    )
    assert 2.5 < waited < 10
    assert buy(draft, buyer=draft.user, fingerprint=shown, on=TODAY).quantity == 3


@pytest.mark.postgresql_only
def test_answer_that_has_to_wait_for_too_long_is_told_and_not_saved(writing: Pause) -> None:
    draft = an_order(quantity=3)

    with meanwhile(pressing_buy(draft, quote_of(draft).fingerprint)) as pressing, writing:
        assert writing.is_reached.wait(timeout=PATIENCE)
        with pytest.raises(PortalBusy):
            choose_quantity(facts_of(draft), 9, note="", po_number="")
        writing.may_go_on.set()
        pressing.result(timeout=PATIENCE)

    assert PurchaseDraft.objects.get().quantity == 3
