"""The import of a price list in a real browser."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect
from pytest_django.live_server_helper import LiveServer

from contracts.models import ContractProduct
from tests.browser.checks import axe_violations, no_horizontal_scroll, sign_in, speak
from tests.factories import ContractFactory, ContractProductFactory, OperatorFactory, ProductFactory


@pytest.fixture
def line(site: LiveServer) -> ContractProduct:
    return ContractProductFactory(contract=ContractFactory(number="C-1001"), product=ProductFactory(sku="DEV-STD"))


@pytest.fixture
def plain_page(browser: Browser, site: LiveServer) -> Iterator[Page]:
    """A browser without JavaScript."""
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    yield context.new_page()
    context.close()


def price_list(*rows: str) -> FilePayload:
    text = "\n".join(["contract,sku,unit_price", *rows])
    return FilePayload(name="prices-2027.csv", mimeType="text/csv", buffer=text.encode())


def upload(page: Page, file: FilePayload) -> None:
    page.goto("/admin/contracts/import/add/")
    page.locator("[name=content][value=prices]").check()
    page.locator("[name=file]").set_input_files(file)
    page.locator("#content-main [type=submit]").click()


def test_a_price_list_is_imported_without_javascript(plain_page: Page, line: ContractProduct) -> None:
    sign_in(plain_page, OperatorFactory())
    upload(plain_page, price_list("C-1001,DEV-STD,120.00"))

    plain_page.get_by_label("Reason").fill("Prices of 2027")
    plain_page.get_by_role("button", name="Import 1 row").click()

    expect(plain_page.get_by_text("The file was imported: 0 new, 1 changed.")).to_be_visible()
    line.refresh_from_db()
    assert line.unit_price == Decimal("120.00")


@pytest.mark.parametrize("language", ["en", "tr"])
def test_the_pages_of_an_import_are_for_everybody(page: Page, line: ContractProduct, language: str) -> None:
    sign_in(page, OperatorFactory())
    speak(page, language)

    def check() -> None:
        assert axe_violations(page) == []
        assert no_horizontal_scroll(page)

    page.goto("/admin/contracts/import/add/")
    check()
    page.locator("#content-main [type=submit]").click()
    check()
    upload(page, price_list("C-1001,DEV-STD,120.00", "C-1001,DEV-STD,1", "C-9,NONE,1.234,56"))
    check()
    upload(page, price_list("C-1001,DEV-STD,120.00"))
    check()
    page.goto("/admin/contracts/import/export/")
    check()
