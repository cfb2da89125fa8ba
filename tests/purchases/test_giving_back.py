"""Giving back on the page of a purchase: offered with its deadline, done once, and refused in words."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from contracts.models import ContractGrant
from purchases.models import Fulfilment, License, Purchase, Purpose
from stock.models import StockLot
from tests.factories import UserFactory
from tests.purchases.orders import an_order, nothing_is_written, press_buy, stock_for
from tests.purchases.wizard import NOON, begin, notices_on, words_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

OFFER = "What came from stock can be given back until 1 December 2026."
BUTTON = "Give 3 licenses back to stock"


@pytest.fixture
def moved() -> Purchase:
    """A move of 3 from a lot of 5."""
    draft = an_order(quantity=3, purpose=Purpose.MOVE, fulfilment=Fulfilment.STOCK)
    stock_for(draft, 5)
    return press_buy(draft)


@pytest.fixture
def portal(client: Client, moved: Purchase) -> Client:
    client.force_login(moved.placed_by)
    return client


def give_back_url(purchase: Purchase) -> str:
    return reverse("give_back", args=[purchase.number])


def test_purchase_offers_to_give_back_and_says_until_when(portal: Client, moved: Purchase) -> None:
    words = words_of(portal.get(moved.get_absolute_url()))

    assert OFFER in words
    assert BUTTON in words


def test_what_is_given_back_is_shown_as_cancelled_and_offered_no_more(portal: Client, moved: Purchase) -> None:
    answer = portal.post(give_back_url(moved))
    page = portal.get(answer.headers["Location"])

    assert (answer.status_code, answer.headers["Location"]) == (303, moved.get_absolute_url())
    assert notices_on(page) == ["3 licenses are back in stock."]
    assert "3 cancelled" in words_of(page)
    assert BUTTON not in words_of(page)
    lot = words_of(portal.get(reverse("stock_lot", args=[StockLot.objects.get().pk])))
    assert lot.count("· given back") == 3
    assert "5 of 5" in lot


def test_second_press_is_refused_in_words(portal: Client, moved: Purchase) -> None:
    portal.post(give_back_url(moved))

    with nothing_is_written():
        page = portal.post(give_back_url(moved))

    assert page.status_code == 409
    assert "Nothing of this purchase is left to give back to stock." in words_of(page)


def test_after_seven_days_it_is_not_offered_and_refused(portal: Client, moved: Purchase) -> None:
    with time_machine.travel(NOON + timedelta(days=8), tick=False), nothing_is_written():
        portal.force_login(moved.placed_by)
        page, refused = portal.get(moved.get_absolute_url()), portal.post(give_back_url(moved))

    assert BUTTON not in words_of(page)
    assert refused.status_code == 409
    assert "This could be given back until 1 December 2026. Ask the operator." in words_of(refused)


def test_who_may_not_create_licenses_is_not_offered_it_and_refused(client: Client, moved: Purchase) -> None:
    viewer = UserFactory(reseller=moved.reseller)
    ContractGrant.objects.create(contract=moved.contract, user=viewer, can_create_licenses=False)
    client.force_login(viewer)

    with nothing_is_written():
        page, refused = client.get(moved.get_absolute_url()), client.post(give_back_url(moved))

    assert BUTTON not in words_of(page)
    assert refused.status_code == 409


def test_strangers_purchase_is_not_found(client: Client, moved: Purchase) -> None:
    client.force_login(UserFactory())

    assert client.post(give_back_url(moved)).status_code == 404
    assert License.objects.valid().count() == 3


def test_get_gives_nothing_back(portal: Client, moved: Purchase) -> None:
    assert portal.get(give_back_url(moved)).status_code == 405


def test_purchase_into_stock_and_its_lot_lead_to_each_other() -> None:
    draft = an_order(quantity=100, purpose=Purpose.STOCK_UP)
    wizard = begin(draft)
    purchase = press_buy(draft)
    lot = StockLot.objects.get()

    of_purchase, of_lot = wizard.client.get(purchase.get_absolute_url()), wizard.client.get(f"/stock/{lot.pk}/")

    assert f"Into stock · Lot {lot.pk} to be used by 23 November 2027" in words_of(of_purchase)
    assert f'href="/stock/{lot.pk}/"' in of_purchase.text
    assert f"Purchase {purchase.number}" in words_of(of_lot)
    assert of_lot.text.count(f'href="{purchase.get_absolute_url()}"') == 2
