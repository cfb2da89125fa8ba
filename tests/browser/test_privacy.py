"""What a browser keeps of the portal, and what it shows after signing out."""

from typing import Any

import pytest
from playwright.sync_api import BrowserType, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests.browser.checks import sign_in
from tests.factories import ContractGrantFactory, LicenseFactory, OperatorFactory

KEPT = """async () => ({
    local: localStorage.length,
    session: sessionStorage.length,
    databases: (await indexedDB.databases()).length,
    caches: (await caches.keys()).length,
    workers: (await navigator.serviceWorker.getRegistrations()).length,
    readableCookies: document.cookie,
})"""

NOTHING = {"local": 0, "session": 0, "databases": 0, "caches": 0, "workers": 0, "readableCookies": ""}


@pytest.fixture
def buyer() -> User:
    user = ContractGrantFactory().user
    LicenseFactory(reseller=user.reseller)
    return user


def test_nothing_of_the_portal_is_in_the_storage_of_the_browser(page: Page, buyer: User) -> None:
    sign_in(page, buyer)

    for address in ("/licenses/", "/licenses/expired/", "/purchases/", "/stock/", "/accounts/", "/contracts/"):
        page.goto(address)
        assert page.evaluate(KEPT) == NOTHING

    page.goto("/licenses/")
    page.get_by_role("link", name="Upcoming").click()
    page.wait_for_url("**/licenses/upcoming/")
    page.goto("/licenses/")
    page.get_by_role("button", name="Buy").click()
    page.wait_for_url("**/contract/")
    page.locator(".user-menu summary").click()
    page.get_by_role("button", name="Dark").click()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate(KEPT) == NOTHING


def test_back_after_signing_out_shows_the_login(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any], site: LiveServer, buyer: User
) -> None:
    # As people have it: Playwright turns off what lets Back show a page as it was left.
    browser = browser_type.launch(**browser_type_launch_args, ignore_default_args=["--disable-back-forward-cache"])
    page = browser.new_page(base_url=site.url)
    sign_in(page, buyer)
    page.goto("/licenses/")
    page.goto("/stock/")
    page.locator(".user-menu summary").click()
    page.locator(".user-menu form[action='/logout/'] button").click()
    page.wait_for_url("**/login/")

    page.go_back()

    page.wait_for_url("**/login/?next=/stock/")
    expect(page.get_by_text(buyer.email)).to_have_count(0)
    browser.close()


def test_signing_out_of_the_admin_empties_what_it_kept(page: Page) -> None:
    sign_in(page, OperatorFactory())
    page.goto("/admin/")
    page.evaluate("localStorage.setItem('theme', 'dark')")

    page.locator("#logout-form button").click()
    page.wait_for_load_state("networkidle")

    page.goto("/login/")
    assert page.evaluate(KEPT) == NOTHING
