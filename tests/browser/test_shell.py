"""The shell, signing in, the error pages and the admin, in a real browser."""

import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from accounts.models import User
from tests.browser.checks import axe_violations, no_horizontal_scroll, sign_in, small_targets, speak
from tests.factories import AccountFactory, OperatorFactory, UserFactory

SCRIPTED_PAGE = """<!DOCTYPE html>
<html lang="en">
  <head>
    <title>Form</title>
    <script src="/static/vendor/htmx.min.js" defer></script>
    <script src="/static/js/portal.js" defer></script>
  </head>
  <body>{}</body>
</html>"""


@pytest.fixture
def user() -> User:
    return UserFactory()


@pytest.fixture
def operator() -> User:
    return OperatorFactory()


def serve(page: Page, content: str) -> None:
    """Open a page of this content at an address of the site, with the site's scripts."""
    page.route("**/form/", lambda route: route.fulfill(content_type="text/html", body=SCRIPTED_PAGE.format(content)))
    page.goto("/form/")


@pytest.mark.parametrize("language", ["en", "tr"])
def test_login_page_is_accessible_with_and_without_an_error(page: Page, language: str) -> None:
    page.goto("/login/")
    speak(page, language)
    page.reload()

    assert axe_violations(page) == []
    assert no_horizontal_scroll(page)
    assert small_targets(page) == []

    page.locator("[name=username]").fill("nobody@example.com")
    page.locator("[name=password]").fill("wrong")
    page.locator("main button").click()

    expect(page.locator("#error-summary")).to_be_focused()
    assert axe_violations(page) == []
    assert no_horizontal_scroll(page)
    assert small_targets(page) == []


def test_a_failed_sign_in_keeps_the_address_and_where_one_wanted_to_go(page: Page, user: User) -> None:
    page.goto("/login/?next=/stock/")
    page.locator("[name=username]").fill(user.email)
    page.locator("[name=password]").fill("wrong")

    with page.expect_response("**/login/**") as answer:
        page.locator("main button").click()

    assert answer.value.status == 422
    assert page.title() == "Error: Sign in – License portal"
    expect(page.locator("[name=username]")).to_have_value(user.email)

    page.locator("[name=password]").fill("demo")
    page.locator("main button").click()

    page.wait_for_url("**/stock/")


@pytest.mark.parametrize("language", ["en", "tr"])
def test_unknown_addresses_are_accessible_signed_in_and_out(page: Page, user: User, language: str) -> None:
    page.goto("/no-such-page/")
    speak(page, language)
    page.reload()

    assert axe_violations(page) == []
    assert no_horizontal_scroll(page)

    sign_in(page, user)
    page.goto("/no-such-page/")
    page.locator(".user-menu summary").click()

    expect(page.get_by_role("navigation")).to_be_visible()
    assert axe_violations(page) == []
    assert no_horizontal_scroll(page)
    assert small_targets(page) == []


@pytest.mark.parametrize("language", ["en", "tr"])
def test_pages_of_refusal_are_accessible(page: Page, language: str) -> None:
    clerk = OperatorFactory(is_superuser=False)
    sign_in(page, clerk)
    speak(page, language)

    for address in ("/admin/contracts/contract/", "/licenses/"):
        answer = page.goto(address)

        assert answer is not None
        assert answer.status == 403
        assert axe_violations(page) == []
        assert no_horizontal_scroll(page)
        assert small_targets(page) == []


def test_a_form_with_a_stale_token_is_explained(page: Page, user: User) -> None:
    sign_in(page, user)
    page.goto("/stock/")
    page.locator(".user-menu summary").click()
    page.context.clear_cookies(name="csrftoken")

    page.locator(".user-menu").get_by_role("button", name="Dark").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("This form was open for too long")
    assert axe_violations(page) == []
    page.get_by_role("link", name="Open the page again").click()
    page.wait_for_url("**/stock/")


def test_the_skip_link_is_the_first_stop_and_leads_to_the_content(page: Page, user: User) -> None:
    sign_in(page, user)
    page.goto("/stock/")

    page.keyboard.press("Tab")

    expect(page.locator(".skip-link")).to_be_focused()
    expect(page.locator(".skip-link")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize("section", ["Licenses", "Stock", "Purchases", "Accounts", "Contracts"])
def test_the_navigation_names_the_current_section(page: Page, user: User, section: str) -> None:
    sign_in(page, user)

    page.get_by_role("navigation", name="Sections").get_by_role("link", name=section).click()

    expect(page).to_have_title(re.compile(section))
    current = page.get_by_role("navigation", name="Sections").locator("[aria-current=page]")
    expect(current).to_have_text(section)


def test_theme_language_and_signing_out_work_without_javascript(browser: Browser, page: Page, user: User) -> None:
    page.goto("/login/")
    context = browser.new_context(java_script_enabled=False, base_url=page.url)
    plain = context.new_page()
    sign_in(plain, user)
    plain.goto("/stock/")

    plain.locator(".user-menu summary").click()
    plain.get_by_role("button", name="Dark").click()

    plain.wait_for_url("**/stock/")
    expect(plain.locator("html")).to_have_attribute("data-theme", "dark")
    plain.locator(".user-menu summary").click()
    expect(plain.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")

    plain.get_by_role("banner").get_by_role("button", name="Türkçe").click()

    plain.wait_for_url("**/stock/")
    expect(plain.locator("html")).to_have_attribute("lang", "tr")

    plain.locator(".user-menu summary").click()
    plain.locator(".user-menu form[action='/logout/'] button").click()

    plain.wait_for_url("**/login/")
    context.close()


def test_the_system_decides_the_theme_until_one_is_chosen(page: Page) -> None:
    background = "getComputedStyle(document.body.parentElement).backgroundColor"
    page.emulate_media(color_scheme="light")
    page.goto("/login/")
    light = page.evaluate(background)

    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(background)

    assert light != dark
    page.context.add_cookies([{"name": "theme", "value": "light", "url": page.url}])
    page.reload()
    assert page.evaluate(background) == light


def test_the_user_menu_closes_by_escape_and_by_a_click_elsewhere(page: Page, user: User) -> None:
    sign_in(page, user)
    page.goto("/stock/")
    menu = page.locator("details.user-menu")

    menu.locator("summary").click()
    expect(menu).to_have_attribute("open", "")
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(menu.locator("summary")).to_be_focused()

    menu.locator("summary").click()
    page.get_by_role("heading", level=1).click()
    expect(menu).not_to_have_attribute("open", "")


def test_the_first_view_takes_four_requests(page: Page, user: User) -> None:
    sign_in(page, user)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))

    page.goto("/stock/")

    assert [url.rpartition("/")[2] for url in requests if not url.endswith("favicon.svg")] == [
        "",
        "app.css",
        "htmx.min.js",
        "portal.js",
    ]


def test_the_admin_runs_under_the_policy(page: Page, operator: User) -> None:
    account = AccountFactory()
    sign_in(page, operator)

    for address in (
        "/admin/",
        "/admin/accounts/account/",
        f"/admin/accounts/account/{account.pk}/change/",
        "/admin/contracts/contract/add/",
        "/admin/stock/stocklot/add/",
    ):
        answer = page.goto(address)

        assert answer is not None
        assert answer.status == 200
        page.wait_for_load_state("networkidle")


def test_a_request_without_an_answer_says_that_nothing_is_certain(page: Page) -> None:
    serve(
        page,
        """<form action="/buy/" hx-post="/buy/">
          <p role="alert" data-no-answer hidden>Nothing is certain.</p><button>Buy</button></form>""",
    )
    page.route("**/buy/", lambda route: route.abort())

    page.get_by_role("button").click()

    expect(page.get_by_role("alert")).to_be_visible()

    page.unroute("**/buy/")
    page.route("**/buy/", lambda route: route.fulfill(status=204))
    page.get_by_role("button").click()

    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_form_that_is_sent_once_cannot_be_sent_twice(page: Page) -> None:
    serve(page, '<form action="/once/" method="post" data-once><button name="a" value="b">Save</button></form>')
    sent: list[str | None] = []

    def stay(route: Route) -> None:
        sent.append(route.request.post_data)
        route.fulfill(status=204)

    page.route("**/once/", stay)
    button = page.get_by_role("button")

    button.click()
    expect(button).to_be_disabled()
    button.dispatch_event("click")
    page.evaluate("dispatchEvent(new Event('pageshow'))")

    expect(button).to_be_enabled()
    assert sent == ["a=b"]


def test_an_error_page_takes_the_place_of_the_page_that_asked_for_a_part(page: Page) -> None:
    page.goto("/login/")
    page.evaluate(
        """() => {
            const main = document.querySelector("main");
            main.id = "part";
            main.innerHTML = '<a href="#" hx-get="/no-such-page/" hx-target="#part" hx-select="#part">Open</a>';
            htmx.process(main);
        }"""
    )

    page.get_by_role("link", name="Open").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("This page was not found")
    expect(page).to_have_title("Page not found – License portal")
    expect(page.locator("body > header")).to_have_count(1)
    expect(page.locator("#part")).to_have_count(0)


def test_an_error_summary_that_is_swapped_in_takes_the_focus(page: Page) -> None:
    serve(page, '<form action="/save/" hx-post="/save/" hx-swap="outerHTML"><button>Save</button></form>')
    summary = '<form><div id="error-summary" role="alert" tabindex="-1" autofocus>There is a problem</div></form>'
    page.route("**/save/", lambda route: route.fulfill(status=422, content_type="text/html", body=summary))

    page.get_by_role("button").click()

    expect(page.locator("#error-summary")).to_be_focused()


def test_a_print_button_prints_and_is_not_there_without_javascript(browser: Browser, page: Page) -> None:
    page.goto("/login/")
    context = browser.new_context(java_script_enabled=False, base_url=page.url)
    plain = context.new_page()
    button = '<link rel="stylesheet" href="/static/css/app.css"><button data-print>Print</button>'

    serve(plain, button)
    serve(page, button)
    page.evaluate("() => { window.print = () => { document.title = 'Printed'; }; }")
    page.get_by_role("button").click()

    expect(page).to_have_title("Printed")
    expect(plain.locator("button")).to_be_hidden()
    context.close()
