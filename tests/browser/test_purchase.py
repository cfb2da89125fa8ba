"""The whole purchase in a real browser, and what happens to it when things go wrong."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Account, User
from contracts.models import Contract, ContractProduct
from contracts.periods import month_end
from products.models import Product
from purchases.models import License, Purchase, PurchaseDraft
from tests.browser.checks import axe_violations, complaints, no_horizontal_scroll, sign_in, small_targets, speak
from tests.factories import (
    AccountFactory,
    ContractFactory,
    ContractGrantFactory,
    ContractProductFactory,
    LicenseFactory,
    PurchaseFactory,
    receive,
)


@dataclass(frozen=True)
class Deal:
    """A buyer, and what can be bought: ten licenses end this month, five lie in stock."""

    buyer: User
    contract: Contract
    account: Account
    product: Product
    line: ContractProduct


@pytest.fixture
def deal(site: LiveServer) -> Deal:
    contract = ContractFactory(number="C-1001", title="Framework agreement", conditions="One license a device.")
    line = ContractProductFactory(contract=contract, product__name="Standard device", unit_price=Decimal("120.00"))
    account = AccountFactory(reseller=contract.reseller, name="Boğaziçi Lojistik")
    buyer = ContractGrantFactory(contract=contract).user
    today = contract.reseller.today()
    held = PurchaseFactory(
        contract=contract, account=account, product=line.product, quantity=10, placed_by=buyer, placed_at=timezone.now()
    )
    starts_on = today - timedelta(days=300)
    LicenseFactory.create_batch(10, purchase=held, starts_on=starts_on, ends_on=month_end(today))
    AccountFactory(reseller=contract.reseller, name="Trial customer", tier=Account.Tier.TRIAL)
    receive(contract, line.product, 2, use_by=today + timedelta(days=100))
    receive(contract, line.product, 3, use_by=today + timedelta(days=200))
    return Deal(buyer, contract, account, line.product, line)


@pytest.fixture
def buying(page: Page, deal: Deal) -> Page:
    """The first page of a purchase that was just begun."""
    sign_in(page, deal.buyer)
    page.get_by_role("button", name="Buy licenses").click()
    expect(page).to_have_title(re.compile("Under which contract"))
    return page


@pytest.fixture
def plain_page(browser: Browser, site: LiveServer) -> Iterator[Page]:
    """A browser without JavaScript."""
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    yield context.new_page()
    context.close()


def save(page: Page) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name="Save and continue").click()


def answer_all(page: Page, *, quantity: str = "3", source: str = "I want to make a new purchase") -> None:
    """From the first question to the preview."""
    page.get_by_role("radio", name="C-1001").check()
    save(page)
    page.get_by_role("radio", name="Boğaziçi").check()
    save(page)
    page.get_by_role("radio", name="Standard device").check()
    save(page)
    page.get_by_label("Quantity").fill(quantity)
    save(page)
    page.get_by_role("radio", name=source).check()
    save(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your order before you buy")


def buy(page: Page, licenses: str = "Buy 3 licenses") -> None:
    page.get_by_role("button", name=licenses).click()


def test_whole_purchase_without_javascript(plain_page: Page, deal: Deal) -> None:
    page = plain_page
    sign_in(page, deal.buyer)
    page.get_by_role("button", name="Buy licenses").click()

    answer_all(page)
    expect(page.get_by_text("adding 3 licenses to the 10 existing ones; those 10 expire this month")).to_be_visible()
    buy(page)

    purchase = Purchase.objects.get(draft_id__in=PurchaseDraft.objects.values("pk"))
    expect(page).to_have_url(re.compile(f"/purchases/{purchase.number}/$"))
    assert (purchase.quantity, purchase.from_stock, purchase.total) == (3, 0, Decimal("360.00"))
    assert purchase.licenses.count() == 3
    page.goto("/licenses/")
    quantities = page.locator("td[data-label=Quantity]").all_inner_texts()
    assert sorted(text.strip() for text in quantities) == ["10", "3"]


@pytest.mark.parametrize("language", ["en", "tr"])
def test_whole_purchase_with_javascript_and_every_screen_accessible(page: Page, deal: Deal, language: str) -> None:
    def look() -> None:
        assert axe_violations(page) == []
        assert no_horizontal_scroll(page)
        assert small_targets(page) == []

    def go_on() -> None:
        with page.expect_navigation():
            page.locator("form .btn-primary").click()

    sign_in(page, deal.buyer)
    speak(page, language)
    page.goto("/licenses/")
    look()
    with page.expect_navigation():
        page.locator("form[action='/purchases/start/'] button").click()
    go_on_without_an_answer = page.locator("form .btn-primary")
    if deal.buyer.grants.count() > 1:
        go_on_without_an_answer.click()
    look()
    page.locator("summary").last.click()
    look()
    go_on()
    look()
    go_on()
    go_on()
    expect(page.locator("#error-summary")).to_be_focused()
    look()
    page.locator("[name=product]").first.check()
    go_on()
    look()
    go_on()
    look()
    page.locator("[name=quantity]").fill("7")
    page.locator("[name=note]").fill("Gate 11\nGate 12")
    go_on()
    look()
    page.locator("[name=fulfilment]").first.check()
    go_on()
    look()
    with page.expect_navigation():
        page.locator("form[action$='/buy/'] button").click()
    look()

    purchase = Purchase.objects.get(quantity=7)
    assert (purchase.from_stock, purchase.note) == (5, "Gate 11\nGate 12")
    for address in ("/purchases/", "/stock/", f"/licenses/{License.objects.order_by('-pk')[0].key}/"):
        page.goto(address)
        look()
    page.goto(f"/stock/{deal.contract.stock_lots.order_by('pk')[0].pk}/")
    look()


def test_whole_purchase_by_keyboard_alone(buying: Page, deal: Deal) -> None:
    page = buying

    def tab_to(selector: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            assert page.evaluate(
                """() => {
                    const focused = document.activeElement, shown = focused.closest(".choice") ?? focused;
                    return focused === document.body || getComputedStyle(shown).outlineStyle !== "none";
                }"""
            ), page.evaluate("document.activeElement.outerHTML")
            if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"Tab never reached {selector}")

    def press(key: str) -> None:
        with page.expect_navigation():
            page.keyboard.press(key)

    for name in ("contract", "account", "product"):
        tab_to(f"[name={name}]")
        page.keyboard.press("Space")
        tab_to("button.btn-primary")
        press("Enter")
    tab_to("[name=quantity]")
    page.keyboard.type("3")
    press("Enter")
    tab_to("[name=fulfilment]")
    page.keyboard.press("ArrowDown")
    tab_to("button.btn-primary")
    press("Enter")
    tab_to("form[action$='/buy/'] button")
    press("Enter")

    assert Purchase.objects.get(quantity=3).placed_by == deal.buyer


def test_back_from_each_step_shows_the_previous_one_with_its_answer(buying: Page) -> None:
    page = buying
    answer_all(page)

    page.go_back()
    expect(page.get_by_role("radio", name="I want to make a new purchase")).to_be_checked()
    page.get_by_role("link", name="Back to the quantity").click()
    expect(page.get_by_label("Quantity")).to_have_value("3")
    page.get_by_role("link", name="Back to the product").click()
    expect(page.get_by_role("radio", name="Standard device")).to_be_checked()
    page.get_by_role("link", name="Back to the account").click()
    expect(page.get_by_role("radio", name="Boğaziçi")).to_be_checked()
    page.get_by_role("link", name="Back to the contract").click()
    expect(page.get_by_role("radio", name="C-1001")).to_be_checked()


def test_forward_and_refresh_send_nothing_again(buying: Page) -> None:
    page = buying
    answer_all(page)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))

    page.go_back()
    page.go_forward()
    page.reload()

    expect(page.get_by_role("heading", level=1)).to_have_text("Check your order before you buy")
    assert "POST" not in sent


def test_back_after_buying_lands_on_the_purchase(buying: Page) -> None:
    page = buying
    answer_all(page)
    buy(page)
    expect(page).to_have_url(re.compile("/purchases/P-"))
    bought = page.url

    page.go_back()
    expect(page).to_have_url(bought)
    page.reload()

    expect(page).to_have_url(bought)
    assert Purchase.objects.filter(quantity=3).count() == 1


def test_a_double_click_makes_one_purchase(buying: Page) -> None:
    page = buying
    answer_all(page)

    page.get_by_role("button", name="Buy 3 licenses").dblclick()

    expect(page).to_have_url(re.compile("/purchases/P-"))
    assert Purchase.objects.filter(quantity=3).count() == 1


def test_two_tabs_with_one_draft_make_one_purchase_and_both_show_it(buying: Page) -> None:
    first = buying
    answer_all(first)
    second = first.context.new_page()
    heard = complaints(second)
    second.goto(first.url)

    buy(first)
    expect(first).to_have_url(re.compile("/purchases/P-"))
    buy(second)

    expect(second).to_have_url(first.url)
    assert Purchase.objects.filter(quantity=3).count() == 1
    assert heard == []


def test_retry_after_a_lost_answer_makes_one_purchase(buying: Page) -> None:
    page = buying
    answer_all(page)

    def lose_the_answer(route: Route) -> None:
        route.fetch(max_redirects=0)
        route.abort()

    page.route("**/buy/", lose_the_answer, times=1)
    buy(page)
    expect(page.get_by_role("alert")).to_contain_text("Trying again is safe")
    buy(page)

    expect(page).to_have_url(re.compile("/purchases/P-"))
    assert Purchase.objects.filter(quantity=3).count() == 1


def test_the_button_shows_progress_and_cannot_be_pressed_twice(buying: Page) -> None:
    page = buying
    answer_all(page)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/buy/", hold)

    buy(page)

    expect(page.get_by_role("button", name="Buy 3 licenses")).to_be_disabled()
    expect(page.get_by_text("Placing order…")).to_be_visible()
    held[0].continue_()
    expect(page).to_have_url(re.compile("/purchases/P-"))


def test_terms_edited_meanwhile_buy_nothing_and_are_listed(buying: Page, deal: Deal) -> None:
    page = buying
    answer_all(page)
    deal.line.unit_price = Decimal("130.00")
    deal.line.save()

    with page.expect_response("**/buy/") as answer:
        buy(page)

    assert answer.value.status == 409
    expect(page.locator("#error-summary")).to_be_focused()
    expect(page.locator("#error-summary")).to_contain_text("Unit price: was 120.00 EUR, is now 130.00 EUR")
    assert not Purchase.objects.filter(quantity=3).exists()
    assert axe_violations(page) == []

    buy(page)
    expect(page).to_have_url(re.compile("/purchases/P-"))
    assert Purchase.objects.get(quantity=3).total == Decimal("390.00")


def test_stock_taken_meanwhile_is_explained_and_nothing_is_bought(buying: Page, deal: Deal) -> None:
    page = buying
    answer_all(page, quantity="4", source="Use available stock")
    deal.contract.stock_lots.update(remaining=0)

    with page.expect_response("**/buy/") as answer:
        buy(page, "Buy 4 licenses")

    assert answer.value.status == 409
    expect(page.locator("#error-summary")).to_contain_text("Nothing is left in stock")
    assert not Purchase.objects.filter(quantity=4).exists()
    assert axe_violations(page) == []
    page.get_by_role("link", name="Go to").click()
    expect(page.get_by_text("The stock you wanted to use is gone")).to_be_visible()


def test_stock_step_is_absent_without_suitable_stock(buying: Page, deal: Deal) -> None:
    page = buying
    deal.contract.stock_lots.update(remaining=0)
    for name in ("C-1001", "Boğaziçi", "Standard device"):
        page.get_by_role("radio", name=name).check()
        save(page)
    page.get_by_label("Quantity").fill("3")
    save(page)

    expect(page.get_by_role("heading", level=1)).to_have_text("Check your order before you buy")
    expect(page.get_by_text("Step 5 of 5")).to_be_visible()


def test_a_draft_is_resumed_in_another_browser(buying: Page, browser: Browser, site: LiveServer, deal: Deal) -> None:
    buying.get_by_role("radio", name="C-1001").check()
    save(buying)
    elsewhere = browser.new_context(base_url=site.url).new_page()
    sign_in(elsewhere, deal.buyer)

    elsewhere.get_by_role("link", name="Go on").click()

    expect(elsewhere.get_by_role("heading", level=1)).to_have_text("For which account?")
    elsewhere.context.close()


def test_an_expired_session_under_htmx_leads_to_the_login_and_back(buying: Page, deal: Deal) -> None:
    page = buying
    address = page.url
    other = ContractFactory(reseller=deal.contract.reseller, number="C-1002")
    ContractGrantFactory(contract=other, user=deal.buyer)
    page.reload()
    page.context.clear_cookies(name="sessionid")

    page.get_by_role("radio", name="C-1002").click()

    expect(page).to_have_url(re.compile("/login/"))
    page.locator("[name=username]").fill(deal.buyer.email)
    page.locator("[name=password]").fill("demo")
    page.locator("[name=password]").press("Enter")
    expect(page).to_have_url(address)


def test_a_stale_token_gives_a_friendly_page_and_keeps_the_draft(buying: Page) -> None:
    page = buying
    answer_all(page)
    page.context.clear_cookies(name="csrftoken")

    buy(page)

    expect(page.get_by_role("heading", level=1)).not_to_have_text("Check your order before you buy")
    expect(page.locator("main")).to_contain_text("Nothing was saved")
    assert not Purchase.objects.filter(quantity=3).exists()
    assert PurchaseDraft.objects.get().quantity == 3


def test_products_appear_at_once_when_a_contract_is_chosen(buying: Page, deal: Deal) -> None:
    page = buying
    other = ContractFactory(reseller=deal.contract.reseller, number="C-1002")
    ContractGrantFactory(contract=other, user=deal.buyer)
    ContractProductFactory(contract=other, product__name="Kiosk")
    page.reload()

    page.get_by_role("radio", name="C-1002").check()

    expect(page.get_by_text("1 product under C-1002")).to_be_visible(timeout=1_000)
    expect(page.get_by_role("rowheader", name="Kiosk")).to_be_visible()
    expect(page.get_by_role("radio", name="C-1002")).to_be_focused()
    expect(page.locator("#chosen")).to_have_attribute("aria-live", "polite")


def test_search_narrows_many_accounts_and_keeps_the_choice(buying: Page, deal: Deal) -> None:
    page = buying
    Account.objects.bulk_create(
        Account(reseller=deal.contract.reseller, name=f"Customer {n}", reference=f"R-{n:04}") for n in range(60)
    )
    AccountFactory(reseller=deal.contract.reseller, name="İstanbul Şirketi")
    page.get_by_role("radio", name="C-1001").check()
    save(page)
    expect(page.get_by_text("Showing 20 of 62")).to_be_visible()
    page.get_by_role("radio", name="Boğaziçi").check()

    page.get_by_label("Search accounts").press_sequentially("istanbul sir")

    expect(page.get_by_role("radio", name="İstanbul Şirketi")).to_be_visible()
    expect(page.get_by_text("Showing 1 of 1")).to_be_visible()
    expect(page.get_by_role("radio", name="Boğaziçi")).to_be_checked()
    expect(page.get_by_label("Search accounts")).to_be_focused()
