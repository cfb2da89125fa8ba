"""Accounts and contracts in a real browser: each in every look, and an account added in the middle of an order."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Account, User
from purchases.models import PurchaseDraft
from tests.browser.checks import axe_violations, no_horizontal_scroll, sign_in, small_targets, speak
from tests.factories import (
    AccountFactory,
    ContractFactory,
    ContractGrantFactory,
    ContractProductFactory,
    LicenseFactory,
    UserFactory,
    receive,
)


@pytest.fixture
def buyer() -> User:
    """A buyer with an account that has licenses, under a contract that has stock."""
    user = UserFactory()
    contract = ContractFactory(reseller=user.reseller, number="C-1001")
    ContractGrantFactory(contract=contract, user=user)
    product = ContractProductFactory(contract=contract).product
    receive(contract, product, 3)
    account = AccountFactory(reseller=user.reseller, name="Işık Şirketi", reference="A-1")
    today = account.reseller.today()
    LicenseFactory(account=account, contract=contract, product=product, ends_on=today + timedelta(days=90))
    AccountFactory(reseller=user.reseller, name="Deneme", reference="A-2", tier=Account.Tier.TRIAL)
    return user


@pytest.mark.parametrize("language", ["en", "tr"])
def test_pages_of_accounts_and_contracts_suit_everybody(page: Page, buyer: User, language: str) -> None:
    paid, trial = Account.objects.order_by("reference")
    sign_in(page, buyer)
    speak(page, language)
    urls = [
        "/accounts/",
        f"/accounts/{paid.pk}/",
        f"/accounts/{trial.pk}/",
        f"/accounts/{paid.pk}/edit/",
        "/accounts/new/",
        "/contracts/",
        "/contracts/C-1001/",
    ]

    for url in urls:
        page.goto(url)
        for closed in page.locator("main details:not([open]) > summary").all():
            closed.click()
        assert axe_violations(page) == []
        assert small_targets(page) == []
        assert no_horizontal_scroll(page)


def test_the_bar_of_a_month_is_reached_by_keyboard(page: Page, buyer: User) -> None:
    account = Account.objects.get(reference="A-1")
    sign_in(page, buyer)
    page.goto(f"/accounts/{account.pk}/")

    bar = page.locator("figure svg a")
    bar.focus()
    page.keyboard.press("Enter")

    page.wait_for_url("**/licenses/?**ends_from=**")


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_an_account_is_added_in_the_middle_of_an_order(
    browser: Browser, live_server: LiveServer, buyer: User, scripts: bool
) -> None:
    page = browser.new_context(base_url=live_server.url, java_script_enabled=scripts).new_page()
    sign_in(page, buyer)
    page.goto("/contracts/C-1001/")
    page.get_by_role("button", name="Buy under this contract").click()
    page.get_by_role("link", name="New account").click()

    page.get_by_label("Name").fill("ISIK SIRKETI")
    page.get_by_label("Reference").fill("A-3")
    page.get_by_label("Paid").check()
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("alert")).to_contain_text("1 account has this name already")
    page.get_by_role("button", name="Create it all the same").click()

    expect(page.get_by_role("radio", name="ISIK SIRKETI A-3")).to_be_checked()
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Which product?")
    assert PurchaseDraft.objects.get().account == Account.objects.get(reference="A-3")
    page.context.close()
