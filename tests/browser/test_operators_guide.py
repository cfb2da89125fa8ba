"""What `docs/operators.md` tells, done as it says: from an empty database to the first sale, and the year after.

With SCREENSHOTS_OF_OPERATORS=1 in the environment it takes the pictures of the guide anew.
"""

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail
from django.core.mail import EmailMessage
from django.core.management import call_command
from playwright.sync_api import FilePayload, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from contracts.models import Contract
from purchases.models import License
from tests.admin.roles import Role, group
from tests.browser.checks import DESKTOP, sign_in

PICTURES = Path(settings.BASE_DIR) / "docs" / "screenshots" / "operators"
TAKES_PICTURES = bool(os.environ.get("SCREENSHOTS_OF_OPERATORS"))

OPERATOR, BUYER, PASSWORD = "operator@example.com", "buyer@example.com", "a long phrase for the guide"


@pytest.fixture
def operator(site: LiveServer, monkeypatch: pytest.MonkeyPatch) -> User:
    """The first user of an empty database, made as the guide says, beside the roles that migrations make."""
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    for role in (Role.CONTRACTS, Role.CATALOGUE, Role.SUPPORT):
        group(role)
    call_command("createsuperuser", interactive=False, email=OPERATOR, verbosity=0)
    return User.objects.get()


def picture(page: Page, name: str) -> None:
    if TAKES_PICTURES:
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.evaluate("document.activeElement?.blur(); window.scrollTo(0, 0)")
        page.screenshot(path=PICTURES / f"{name}.png", full_page=True, animations="disabled")


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success").first).to_be_visible()


def choose(page: Page, field: Locator, words: str) -> None:
    """Choose in a searched list, as people do: open it, type, take the first."""
    field.locator(".select2-selection").click()
    page.locator(".select2-search__field").last.fill(words)
    page.locator(".select2-results__option--highlighted", has_text=words).click()


def link_in(message: EmailMessage) -> str:
    return next(line for line in str(message.body).splitlines() if line.startswith("http"))


def add(page: Page, address: str, **fields: str) -> None:
    page.goto(f"/admin/{address}/add/")
    for name, value in fields.items():
        page.locator(f"[name={name}]").fill(value)
        page.keyboard.press("Tab")


def test_the_guide_leads_from_an_empty_database_to_the_first_sale(page: Page, operator: User) -> None:
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]  # a dictionary of the wanted shape
    page.set_default_timeout(20_000)
    sign_in(page, operator, password=PASSWORD)
    page.goto("/admin/")
    picture(page, "desk")

    add(page, "accounts/reseller", name="Bosphorus Displays")
    expect(page.locator("[name=slug]")).to_have_value("bosphorus-displays")
    picture(page, "reseller")
    save(page)

    add(page, "accounts/user", email=BUYER, full_name="Deniz Kaya")
    choose(page, page.locator(".field-reseller"), "Bosphorus")
    picture(page, "user")
    save(page)

    add(page, "products/product", sku="DEV-STD", name="Standard device")
    save(page)

    add(
        page, "contracts/contract", number="C-1001", title="Framework agreement", starts_on="2026-01-01", currency="EUR"
    )
    choose(page, page.locator(".field-reseller"), "Bosphorus")
    page.get_by_role("button", name="Add another Contract product").click()
    choose(page, page.locator("#contract_products-0 .field-product"), "DEV-STD")
    page.locator("[name=contract_products-0-unit_price]").fill("120.00")
    page.get_by_role("button", name="Add another Grant").click()
    choose(page, page.locator("#grants-0 .field-user"), BUYER)
    picture(page, "contract")
    page.get_by_role("button", name="Save and continue editing").click()

    contract = Contract.objects.get()
    page.goto(f"/admin/contracts/contract/why/?user={User.objects.get(email=BUYER).pk}&contract={contract.pk}")
    expect(page.get_by_text("Contract C-1001 is not in force yet")).to_be_visible()
    picture(page, "why")

    page.goto(f"/admin/contracts/contract/{contract.pk}/change/")
    page.get_by_role("link", name="Activate").click()
    page.get_by_label("Reason").fill("Signed on 24 November")
    picture(page, "activate")
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_text("C-1001 is active now.")).to_be_visible()

    _buy(page)
    assert License.objects.count() == 3

    sign_in(page, operator, password=PASSWORD)
    page.goto(f"/admin/contracts/contract/{contract.pk}/change/")
    picture(page, "contract-active")
    page.get_by_role("link", name="History").click()
    picture(page, "history")
    page.goto(f"/admin/accounts/reseller/{contract.reseller_id}/change/")
    page.get_by_role("link", name="Grants").click()
    picture(page, "grants")
    page.goto(f"/admin/contracts/contract/{contract.pk}/duplicate/")
    picture(page, "duplicate")
    page.goto(f"/admin/contracts/contract/{contract.pk}/prices/")
    picture(page, "prices")
    _import(page)
    _give_a_role(page)
    contract.refresh_from_db()
    assert str(contract.contract_products.get().unit_price) == "126.00"


def _buy(page: Page) -> None:
    """What the buyer does: the first account, and three licenses for it."""

    def go_on() -> None:
        page.get_by_role("button", name="Save and continue").click()

    page.context.clear_cookies()
    page.goto(link_in(mail.outbox[0]))
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button", name="Save and sign in").click()
    page.get_by_role("button", name="Buy licenses").click()
    page.get_by_role("radio", name="C-1001").check()
    go_on()
    page.get_by_role("link", name="New account").click()
    page.get_by_label("Name").fill("Boğaziçi Lojistik")
    page.get_by_label("Reference").fill("ACC-01")
    page.get_by_label("Paid").check()
    page.get_by_role("button", name="Create account").click()
    go_on()
    page.get_by_role("radio", name="Standard device").check()
    go_on()
    page.locator("[name=quantity]").fill("3")
    go_on()
    expect(page.get_by_role("button", name="Buy 3 licenses")).to_be_visible()
    picture(page, "buyer-preview")
    page.get_by_role("button", name="Buy 3 licenses").click()
    page.wait_for_url("**/purchases/P-*/")
    picture(page, "buyer-purchase")
    page.context.clear_cookies()


def _import(page: Page) -> None:
    text = "contract,sku,unit_price\nC-1001,DEV-STD,126.00\n"
    page.goto("/admin/contracts/import/add/?content=prices")
    page.locator("[name=file]").set_input_files(
        FilePayload(name="prices-2027.csv", mimeType="text/csv", buffer=text.encode())
    )
    picture(page, "import")
    page.get_by_role("button", name="Show what it would do").click()
    page.get_by_label("Reason").fill("Prices of 2027")
    picture(page, "dry-run")
    page.get_by_role("button", name="Import 1 row").click()
    expect(page.get_by_text("0 new, 1 changed")).to_be_visible()


def _give_a_role(page: Page) -> None:
    add(page, "accounts/user", email="colleague@example.com")
    page.get_by_role("button", name="Save and continue editing").click()
    page.get_by_label("Staff", exact=True).check()
    page.locator("#id_groups_from").select_option(label="Contract manager")
    page.locator("#id_groups_add").click()
    picture(page, "role")
    save(page)
    assert [group.name for group in User.objects.get(email="colleague@example.com").groups.all()] == [
        "Contract manager"
    ]
