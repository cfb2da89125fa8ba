"""Buying ahead and giving to an account, in a real browser."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from purchases.models import License, Purchase
from stock.models import StockLot
from tests.browser.checks import axe_violations, no_horizontal_scroll, sign_in, small_targets
from tests.factories import AccountFactory, ContractFactory, ContractGrantFactory, ContractProductFactory


@pytest.fixture
def buyer(site: LiveServer) -> User:
    """May buy one product under one contract, for one account."""
    contract = ContractFactory(number="C-1001")
    ContractProductFactory(contract=contract, product__name="Standard device")
    AccountFactory(reseller=contract.reseller, name="Boğaziçi Lojistik")
    return ContractGrantFactory(contract=contract).user


def save(page: Page) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name="Save and continue").click()


def look(page: Page) -> None:
    assert axe_violations(page) == []
    assert no_horizontal_scroll(page)
    assert small_targets(page) == []


def test_a_hundred_are_bought_into_stock_ten_are_moved_and_given_back(page: Page, buyer: User) -> None:
    sign_in(page, buyer)
    page.goto("/stock/")
    page.get_by_role("button", name="Buy into stock").click()
    save(page)
    page.get_by_role("radio", name="Standard device").check()
    save(page)
    page.get_by_label("Quantity").fill("100")
    save(page)
    expect(page.get_by_text("Step 4 of 4")).to_be_visible()
    expect(page.get_by_text("Adds 100; nothing of this product is in stock yet")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Buy 100 licenses into stock").click()
    expect(page).to_have_url(re.compile("/purchases/P-"))
    look(page)

    page.goto("/stock/")
    look(page)
    page.get_by_role("table", name="Stock by product").get_by_role("button", name="Move to an account").click()
    save(page)
    page.get_by_label("Quantity").fill("10")
    save(page)
    expect(page.get_by_text("can be given back until")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Move 10 licenses").click()
    expect(page).to_have_url(re.compile("/purchases/P-"))

    assert StockLot.objects.get().remaining == 90
    assert License.objects.valid().count() == 10
    moved = Purchase.objects.get(kind="license")
    assert (moved.from_stock, moved.total) == (10, Decimal("0.00"))

    page.get_by_role("button", name="Give 10 licenses back to stock").click()
    expect(page.get_by_text("10 licenses are back in stock")).to_be_visible()
    look(page)
    assert StockLot.objects.get().remaining == 100
    assert not License.objects.valid().exists()
