"""The lists of licenses, purchases and stock in a real browser."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from purchases.models import License
from tests.browser.checks import axe_violations, no_horizontal_scroll, sign_in, small_targets, speak
from tests.factories import (
    AccountFactory,
    ContractGrantFactory,
    LicenseFactory,
    ProductFactory,
    PurchaseDraftFactory,
    PurchaseFactory,
    UserFactory,
    receive,
)


@dataclass(frozen=True)
class Shop:
    """A buyer whose reseller has 27 lines of active licenses, one of them of 3, and one upcoming."""

    user: User
    licenses: list[License]


@pytest.fixture
def shop() -> Shop:
    user = UserFactory()
    grant = ContractGrantFactory(user=user)
    today = grant.contract.reseller.today()
    account = AccountFactory(reseller=user.reseller, name="İstanbul Taşımacılık Şirketi")
    purchase = PurchaseFactory(contract=grant.contract, account=account, quantity=3, note="First\nsecond")
    lot = receive(grant.contract, purchase.product, 5, use_by=today + timedelta(days=12))
    several = [LicenseFactory(purchase=purchase, stock_lot=lot, ends_on=today) for _ in range(3)]
    for day in range(26):
        LicenseFactory(purchase=purchase, ends_on=date(today.year + 1, 12, 1) + timedelta(days=day))
    later = {"starts_on": today + timedelta(days=9), "ends_on": today + timedelta(days=99)}
    LicenseFactory(purchase=purchase, product=ProductFactory(name="Later"), **later)
    PurchaseDraftFactory(user=user, contract=grant.contract)
    return Shop(user, several)


@pytest.fixture
def portal(page: Page, shop: Shop) -> Page:
    sign_in(page, shop.user)
    return page


def loads(page: Page) -> list[str]:
    """A list that fills with the pages that are loaded whole, from now on."""
    heard: list[str] = []
    page.on("load", lambda loaded: heard.append(loaded.url))
    return heard


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize(
    "path",
    [
        "/licenses/",
        "/licenses/upcoming/",
        "/licenses/expired/",
        "/licenses/?q=xyz",
        "{line}",
        "{license}",
        "/purchases/",
        "{purchase}",
        "/stock/",
        "/stock/?show=over",
        "/stock/{lot}/",
    ],
)
def test_lists_are_accessible(portal: Page, shop: Shop, path: str, language: str) -> None:
    license = shop.licenses[0]
    portal.goto(license.get_absolute_url())
    line = portal.locator(".back-link").get_attribute("href")
    speak(portal, language)

    portal.goto(
        path.format(
            line=line,
            license=license.get_absolute_url(),
            purchase=license.purchase.get_absolute_url(),
            lot=license.stock_lot_id,
        )
    )

    assert axe_violations(portal) == []
    assert no_horizontal_scroll(portal)
    assert small_targets(portal) == []


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("path", ["/licenses/", "/licenses/?show=single", "{line}"])
def test_filter_export_and_year_are_accessible_when_open(portal: Page, shop: Shop, path: str, language: str) -> None:
    license = shop.licenses[0]
    portal.goto(license.get_absolute_url())
    line = portal.locator(".back-link").get_attribute("href")
    speak(portal, language)
    narrowed = f"account={license.account_id}&product={license.product_id}&ends_from=2020-01-01&ends_to=never"
    path = path.format(line=line)

    portal.goto(f"{path}{'&' if '?' in path else '?'}{narrowed}")
    _open_all(portal)

    expect(portal.locator("[name=kind]").first).to_be_visible()
    expect(portal.locator("#id_ends_to")).to_be_visible()
    assert axe_violations(portal) == []
    assert no_horizontal_scroll(portal)
    assert small_targets(portal) == []

    portal.goto(path)
    _open_all(portal)

    assert axe_violations(portal) == []
    assert no_horizontal_scroll(portal)
    assert small_targets(portal) == []


def _open_all(page: Page) -> None:
    """Open what is closed within the page, one in another too."""
    page.locator("main details").evaluate_all("found => found.forEach((details) => (details.open = true))")


def test_a_list_is_busy_until_its_answer_comes_and_keeps_its_rows(portal: Page) -> None:
    answers: list[Route] = []

    def hold(route: Route) -> None:
        answers.append(route)

    portal.route("**/licenses/upcoming/**", hold)
    rows = portal.locator("tbody tr").count()

    portal.locator("#tab-upcoming").click()

    expect(portal.locator("#lines")).to_have_attribute("aria-busy", "true")
    expect(portal.locator("#loading")).to_have_css("opacity", "1")
    assert portal.locator("tbody tr").count() == rows

    answers.pop().continue_()

    expect(portal.locator("#tab-upcoming")).to_have_attribute("aria-current", "page")
    expect(portal.locator("[aria-busy=true]")).to_have_count(0)


def test_a_list_whose_answer_never_comes_is_busy_no_more(portal: Page) -> None:
    portal.route("**/licenses/upcoming/**", lambda route: route.abort())

    portal.locator("#tab-upcoming").click()

    expect(portal.locator("#lines")).to_have_attribute("aria-busy", "false")


def test_a_purchase_is_printed_as_a_receipt(portal: Page, shop: Shop) -> None:
    purchase = shop.licenses[0].purchase
    portal.goto(purchase.get_absolute_url())
    portal.set_viewport_size({"width": 680, "height": 960})
    portal.emulate_media(media="print", color_scheme="dark")

    expect(portal.get_by_text(purchase.reseller.name).last).to_be_visible()
    expect(portal.get_by_role("navigation", name="Sections")).to_be_hidden()
    expect(portal.get_by_role("button")).to_have_count(0)
    expect(portal.locator("thead")).to_be_visible()
    expect(portal.locator("thead")).to_have_css("position", "static")  # a table, not the stacked rows of a phone
    expect(portal.locator("html")).to_have_css("color-scheme", "light")


def test_a_viewers_lists_are_accessible(page: Page) -> None:
    sign_in(page, UserFactory())

    expect(page.get_by_role("button", name="Buy licenses")).to_be_disabled()
    assert axe_violations(page) == []


def test_tabs_and_pages_change_address_and_title_without_loading_the_page(portal: Page, shop: Shop) -> None:
    loaded = loads(portal)

    portal.locator("#tab-upcoming").click()
    expect(portal).to_have_url("/licenses/upcoming/")
    expect(portal).to_have_title("Licenses: Upcoming – License portal")
    expect(portal.locator("main")).to_contain_text("Later")
    expect(portal.locator("#tab-upcoming")).to_be_focused()
    portal.locator("#tab-active").click()
    portal.locator("#next-page").click()
    expect(portal.locator("tbody[id^=line]")).to_have_count(2)
    second = portal.url

    assert "after=" in second
    assert loaded == []

    portal.go_back()
    expect(portal.locator("tbody[id^=line]")).to_have_count(25)
    expect(portal).to_have_title("Licenses: Active – License portal")
    portal.go_forward()
    expect(portal.locator("tbody[id^=line]")).to_have_count(2)
    portal.reload()
    expect(portal).to_have_url(second)
    expect(portal.locator("tbody[id^=line]")).to_have_count(2)


def test_a_line_opens_and_closes_in_place_by_keyboard(portal: Page, shop: Shop) -> None:
    loaded = loads(portal)
    toggle = portal.locator("tbody a[aria-expanded]").first
    toggle.focus()

    portal.keyboard.press("Enter")
    expect(portal.get_by_role("link", name=shop.licenses[0].key)).to_be_visible()
    expect(toggle).to_have_attribute("aria-expanded", "true")
    expect(toggle).to_be_focused()
    expect(portal.locator("tbody[id^=line]")).to_have_count(25)
    portal.keyboard.press("Enter")
    expect(portal.get_by_role("link", name=shop.licenses[0].key)).to_have_count(0)
    expect(toggle).to_be_focused()

    assert loaded == []


def test_search_narrows_in_place_and_stays_in_the_address(portal: Page, shop: Shop) -> None:
    loaded = loads(portal)
    portal.locator("#id_q").fill("istanbul")
    portal.keyboard.press("Enter")
    expect(portal).to_have_url("/licenses/?q=istanbul")
    expect(portal.locator("tbody[id^=line]")).to_have_count(25)

    portal.locator("#id_q").fill("xyz")
    portal.keyboard.press("Enter")
    expect(portal.get_by_role("heading", name="Nothing found for “xyz”")).to_be_visible()
    assert loaded == []

    portal.get_by_role("link", name="Clear the search").click()
    expect(portal).to_have_url("/licenses/")


def test_lists_work_without_javascript(browser: Browser, site: LiveServer, shop: Shop) -> None:
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, shop.user)

    page.locator("tbody a[aria-expanded]").first.click()
    expect(page.get_by_role("link", name=shop.licenses[0].key)).to_be_visible()
    page.locator("#next-page").click()
    expect(page.locator("tbody[id^=line]")).to_have_count(2)
    page.locator("#tab-upcoming").click()
    expect(page.locator("main")).to_contain_text("Later")
    page.locator("#id_q").fill("xyz")
    page.locator("#search").click()
    expect(page).to_have_url("/licenses/upcoming/?q=xyz")
    context.close()


def test_the_filter_works_without_javascript_and_leaves_a_clean_address(
    browser: Browser, site: LiveServer, shop: Shop
) -> None:
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, shop.user)
    license = shop.licenses[0]

    page.locator("#filter").click()
    page.locator("#id_account").select_option(str(license.account))
    page.locator("#id_ends_to").fill(license.ends_on.isoformat())
    page.locator("#apply").click()
    expect(page).to_have_url(f"/licenses/?account={license.account_id}&ends_to={license.ends_on}")
    expect(page.locator("tbody[id^=line]")).to_have_count(1)
    page.get_by_role("link", name="Ends until").click()
    expect(page).to_have_url(f"/licenses/?account={license.account_id}")
    expect(page.locator("tbody[id^=line]")).to_have_count(25)
    page.locator("#sort-start").click()
    expect(page.locator("th[aria-sort=descending]")).to_have_text("Starts")
    context.close()
