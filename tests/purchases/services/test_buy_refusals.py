"""Buying: whatever is refused or fails at the press of Buy, nothing of it is written."""

import secrets
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain, cycle

import pytest
from django.db import IntegrityError

from contracts.models import ContractProduct
from purchases.models import Fulfilment, License, Purchase, PurchaseDraft
from purchases.services.buy import buy
from purchases.services.quote import PreviewOutdated
from purchases.services.rules import FulfilmentNotOffered, PermissionMissing, PurchaseRefused
from stock.models import StockLot
from stock.services.take import Taking, take_stock
from tests.factories import ContractGrantFactory, UserFactory
from tests.purchases.happenings import HAPPENINGS, Happening
from tests.purchases.orders import TODAY, an_order, nothing_is_written, press_buy, quote_of, stock_for

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("happening", "refusal"), HAPPENINGS.values(), ids=HAPPENINGS)
def test_what_a_rule_refuses_by_now_writes_nothing(happening: Happening, refusal: type[PurchaseRefused]) -> None:
    draft = an_order()
    shown = quote_of(draft).fingerprint
    happening(draft)

    with nothing_is_written(), pytest.raises(PurchaseRefused) as refused:
        press_buy(draft, fingerprint=shown)

    assert type(refused.value) is refusal


@pytest.mark.parametrize("name", ["contract", "account", "product", "quantity"])
def test_draft_with_an_open_question_writes_nothing(name: str) -> None:
    draft = an_order()
    shown = quote_of(draft).fingerprint
    PurchaseDraft.objects.update(**{name: None})

    with nothing_is_written(), pytest.raises(PurchaseRefused) as refused:
        press_buy(draft, fingerprint=shown)

    assert (refused.value.code, refused.value.answer) == ("answer_missing", name)


def test_stock_that_was_taken_meanwhile_writes_nothing() -> None:
    draft = an_order(quantity=3, fulfilment=Fulfilment.STOCK)
    lot = stock_for(draft, 5)
    shown = quote_of(draft).fingerprint
    take_stock([Taking(lot, 3)], actor=UserFactory(), reference="P-1")

    with nothing_is_written(), pytest.raises(FulfilmentNotOffered) as refused:
        press_buy(draft, fingerprint=shown)

    assert str(refused.value) == "2 licenses are in stock. Choose where the licenses shall come from."


def test_stock_whose_last_day_is_over_at_midnight_writes_nothing() -> None:
    draft = an_order(fulfilment=Fulfilment.STOCK)
    stock_for(draft, 5, use_by=TODAY)
    shown = quote_of(draft).fingerprint

    with nothing_is_written(), pytest.raises(FulfilmentNotOffered):
        press_buy(draft, fingerprint=shown, on=TODAY + timedelta(days=1))


def test_another_user_than_the_draft_s_is_judged_by_their_own_grants() -> None:
    draft = an_order()
    shown = quote_of(draft).fingerprint

    with nothing_is_written(), pytest.raises(PermissionMissing):
        buy(draft, buyer=UserFactory(reseller=draft.reseller), fingerprint=shown, on=TODAY)


def test_buyer_is_judged_as_stored_and_not_as_signed_in() -> None:
    draft = an_order()
    shown = quote_of(draft).fingerprint
    signed_in = draft.user
    type(signed_in).objects.filter(pk=signed_in.pk).update(is_active=False)
    assert signed_in.is_active

    with nothing_is_written(), pytest.raises(PermissionMissing):
        buy(draft, buyer=signed_in, fingerprint=shown, on=TODAY)


def test_order_goes_through_once_what_refused_it_is_mended() -> None:
    draft = an_order(quantity=3, fulfilment=Fulfilment.STOCK)
    stock_for(draft, 3)
    shown = quote_of(draft).fingerprint
    ContractProduct.objects.update(is_active=False)
    with pytest.raises(PurchaseRefused):
        press_buy(draft, fingerprint=shown)

    ContractProduct.objects.update(is_active=True)

    assert press_buy(draft, fingerprint=shown).quantity == 3


# All or nothing


@pytest.fixture
def keys_that_collide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let chance give a purchase a number of its own, and all of its licenses the same key."""
    number_then_keys: Iterator[str] = chain("23456789ABCD", cycle("A"))
    monkeypatch.setattr(secrets, "choice", lambda alphabet: next(number_then_keys))


@pytest.mark.usefixtures("keys_that_collide")
def test_licenses_that_cannot_be_written_take_the_purchase_and_the_movements_with_them() -> None:
    draft = an_order(quantity=3, fulfilment=Fulfilment.STOCK_THEN_NEW)
    stock_for(draft, 1)
    stock_for(draft, 1)

    with nothing_is_written(), pytest.raises(IntegrityError, match="license"):
        press_buy(draft)

    assert StockLot.objects.filter(remaining=1).count() == 2


def test_after_a_failure_the_same_draft_can_be_bought(monkeypatch: pytest.MonkeyPatch) -> None:
    draft = an_order(quantity=3)
    with monkeypatch.context() as unlucky:
        unlucky.setattr(secrets, "choice", lambda alphabet: "A")
        with pytest.raises(IntegrityError):
            press_buy(draft)

    press_buy(draft)

    assert (Purchase.objects.count(), License.objects.count()) == (1, 3)


def test_outdated_preview_writes_nothing_and_the_new_one_buys() -> None:
    draft = an_order(quantity=3, fulfilment=Fulfilment.STOCK_THEN_NEW)
    stock_for(draft, 1)
    shown = quote_of(draft).fingerprint
    stock_for(draft, 1)

    with nothing_is_written(), pytest.raises(PreviewOutdated) as outdated:
        press_buy(draft, fingerprint=shown)

    assert press_buy(draft, fingerprint=outdated.value.quote.fingerprint).from_stock == 2


def test_grant_on_the_contract_is_asked_for_and_not_one_on_another() -> None:
    draft = an_order()
    shown = quote_of(draft).fingerprint
    draft.user.grants.all().delete()
    ContractGrantFactory(user=draft.user)

    with nothing_is_written(), pytest.raises(PermissionMissing):
        press_buy(draft, fingerprint=shown)
