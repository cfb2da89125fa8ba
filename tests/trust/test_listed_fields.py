"""A form changes what it asks for, whatever else is sent with it."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import models

from tests.purchases.wizard import NOON
from tests.trust.world import House, a_browser, a_house, address, form, portal_addresses

APPS = ("products", "accounts", "contracts", "stock", "purchases")

HOSTILE = "hostile"
"""What is sent for every text that a form does not ask for."""

MAY_CHANGE: dict[str, set[str]] = {
    "start_purchase": {"+ PurchaseDraft"},
    "delete_draft": {"- PurchaseDraft"},
    "contract_step": {"PurchaseDraft.contract", "PurchaseDraft.updated_at"},
    "account_step": {"PurchaseDraft.account", "PurchaseDraft.updated_at"},
    "product_step": {"PurchaseDraft.product", "PurchaseDraft.updated_at"},
    "quantity_step": {f"PurchaseDraft.{field}" for field in ("quantity", "note", "po_number", "updated_at")},
    "stock_step": {"PurchaseDraft.fulfilment", "PurchaseDraft.updated_at"},
    "buy": {"+ Purchase", "+ License"},
    "give_back": {"+ StockMovement", "License.cancelled_at", "StockLot.remaining"},
    "new_account": {"+ Account"},
    "edit_account": {"Account.name", "Account.package", "Account.search_text"},
    "make_account_paid": {"Account.tier"},
    "export_licenses": {"+ Export"},
    "export_stock_lots": {"+ Export"},
    "login": {"User.last_login"},
    "account_login": {"User.last_login"},
}
"""By form, what it may change (`Model.field`), add (`+ Model`) and take away (`- Model`). Any other changes nothing."""

HAVE_NOTHING_THERE = {
    "account_change_password",
    "account_reset_password_from_key",
    "invitation",
    "mfa_deactivate_totp",
    "mfa_download_recovery_codes",
}
"""Where people without an open link, a second step or their old password get nothing; those are tried elsewhere."""

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def ours() -> House:
    return a_house("heron")


@pytest.fixture
def theirs(ours: House) -> House:
    return a_house("kestrel", product=ours.product)


type Rows = dict[tuple[str, Any], dict[str, Any]]


def stored() -> Rows:
    """Every row of the portal's records, by model and key; not the versions that are kept of them."""
    rows: Rows = {}
    for model in records():
        for row in model._base_manager.all():
            values = {field.name: getattr(row, field.attname) for field in model._meta.concrete_fields}
            rows[model.__name__, row.pk] = values
    return rows


def records() -> list[type[models.Model]]:
    return [
        model
        for app in APPS
        for model in apps.get_app_config(app).get_models()
        if not model.__name__.startswith("Historical")
    ]


def changes(before: Rows, after: Rows) -> set[str]:
    found = {f"+ {model}" for model, key in after.keys() - before.keys()}
    found |= {f"- {model}" for model, key in before.keys() - after.keys()}
    for row in before.keys() & after.keys():
        found |= {f"{row[0]}.{name}" for name, value in after[row].items() if value != before[row][name]}
    return found


def everything(theirs: House, *, but: dict[str, Any]) -> dict[str, Any]:
    """Every field of every record, with a value that would be noticed, except those that the form asks for."""
    sent: dict[str, Any] = {}
    keys = {"Reseller": theirs.buyer.reseller_id, "User": theirs.buyer.pk, "Account": theirs.account.pk}
    keys |= {"Contract": theirs.contract.pk, "StockLot": theirs.lot.pk, "Purchase": theirs.purchase.pk}
    for model in records():
        for field in model._meta.get_fields():
            if not isinstance(field, models.Field):
                continue
            value: Any = HOSTILE
            if isinstance(field, models.ForeignKey):
                value = keys.get(field.related_model.__name__, 1)
            elif isinstance(field, models.BooleanField):
                value = "on"
            elif isinstance(field, models.IntegerField | models.DecimalField):
                value = 7777
            elif isinstance(field, models.DateField):
                value = "2099-01-01"
            elif field.choices:
                value = list(field.flatchoices)[-1][0]
            sent |= {field.name: value, field.attname: value}
    return {name: value for name, value in sent.items() if name not in but and name not in NARROWS}


NARROWS = {"purpose", "kind", "state", "password"}
"""What some forms ask for besides, under the name of a field."""


@pytest.mark.parametrize("name", [name for name in portal_addresses() if name != "logout"])
def test_every_field_of_every_record_is_sent_and_only_the_listed_ones_change(
    ours: House, theirs: House, name: str
) -> None:
    browser = a_browser(ours.buyer)
    asked = form(name, ours)
    optional = {"edit_account": {"package"}, "new_account": {"package"}}.get(name, set[str]())
    optional |= {"export_licenses": {"account", "contract", "product"}}.get(name, set[str]())
    optional |= {"export_stock_lots": {"contract", "product"}}.get(name, set[str]())
    extra = everything(theirs, but=dict.fromkeys({*asked, *optional}))
    before = stored()

    page = browser.post(address(name, ours), {**extra, **asked})

    after = stored()
    assert page.status_code < 400 or page.status_code == 405 or name in HAVE_NOTHING_THERE
    assert changes(before, after) - MAY_CHANGE.get(name, set()) == set()
    touched = [values for row, values in after.items() if before.get(row) != values]
    for values in touched:
        assert HOSTILE not in values.values()
        assert 7777 not in values.values()
        assert values.get("reseller", ours.buyer.reseller_id) == ours.buyer.reseller_id
