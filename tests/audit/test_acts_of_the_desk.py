"""Each act of the desk is one row of the audit log, written in the act's own transaction or not at all."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.models import Act, AuditEvent
from contracts.models import Contract
from contracts.services.imports.import_rows import preview
from tests.admin.forms import contract_page
from tests.admin.test_contract_prices import change, fingerprint_on
from tests.audit.reading import events, forget_what_led_here
from tests.contracts.imports import PRICES, uploaded
from tests.factories import (
    ContractFactory,
    ContractGrantFactory,
    ContractProductFactory,
    OperatorFactory,
    PackageFactory,
    ProductFactory,
    UserFactory,
    receive,
)
from tests.identity.second_steps import with_app

Press = Callable[[Client], Any]


def sellable(status: str = "draft") -> Contract:
    """The contract C-7, which lacks nothing."""
    line = ContractProductFactory(contract=ContractFactory(number="C-7", status=status), product__sku="DEV")
    ContractGrantFactory(contract=line.contract)
    return line.contract


def of_contract(contract: Contract, page: str) -> str:
    return reverse(f"admin:contracts_contract_{page}", args=[contract.pk])


def a_step(step: str, *, status: str) -> Press:
    contract = sellable(status)
    return lambda desk: desk.post(of_contract(contract, step), {"reason": "Agreed."})


def a_step_of_the_list() -> Press:
    contract = sellable("active")
    sent = {"action": "suspend_selected", "_selected_action": [contract.pk], "reason": "Unpaid.", "post": "yes"}
    return lambda desk: desk.post(reverse("admin:contracts_contract_changelist"), sent)


def a_contract_page(
    *, grants: bool, terms: dict[str, Any] | None = None, status: str = "draft", wanted: str = ""
) -> Press:
    """The page of a contract, sent with another title and a new price, with a grant more, or with another status."""
    contract = sellable(status)
    line, grant = contract.contract_products.get(), contract.grants.get()
    rows: list[dict[str, Any]] = [{"id": grant.pk, "contract": contract.pk, "can_create_licenses": "on"}]
    if grants:
        new = UserFactory(reseller=contract.reseller)
        rows.append({"contract": contract.pk, "user": new.pk, "can_create_licenses": "on"})
    sent = contract_page(
        {
            "reseller": contract.reseller_id,
            "number": contract.number,
            "title": contract.title,
            "starts_on": contract.starts_on.isoformat(),
            "ends_on": contract.ends_on.isoformat() if contract.ends_on else "",
            "currency": contract.currency,
            "status": wanted or status,
            "initial-status": status,
            "reason": "Agreed.",
            **(terms or {}),
        },
        products=[{"id": line.pk, "contract": contract.pk, "unit_price": line.unit_price, "is_active": "on"}],
        grants=rows,
        stored=(1, 1),
    )
    return lambda desk: desk.post(of_contract(contract, "change"), sent)


def new_prices() -> Press:
    line = sellable().contract_products.get()
    address = of_contract(line.contract, "prices")

    def press(desk: Client) -> Any:
        shown = desk.post(address, change(line))
        return desk.post(address, change(line, fingerprint=fingerprint_on(shown), _apply="yes"))

    return press


def a_duplicate() -> Press:
    contract = sellable()
    sent = {"number": "C-8", "starts_on": "2028-01-01", "ends_on": "2028-12-31"}
    return lambda desk: desk.post(of_contract(contract, "duplicate"), sent)


def an_upload() -> Press:
    sellable()
    file = SimpleUploadedFile("list.csv", b"contract,sku,unit_price\nC-7,DEV,120\n")
    return lambda desk: desk.post(reverse("admin:contracts_import_add"), {"content": "prices", "file": file})


def an_import() -> Press:
    sellable()
    upload = uploaded("contract,sku,unit_price\nC-7,DEV,120\n", PRICES)
    sent = {"fingerprint": preview(upload, at=timezone.now()).fingerprint, "reason": "New year."}
    return lambda desk: desk.post(reverse("admin:contracts_import_change", args=[upload.pk]), sent)


def an_export() -> Press:
    sellable()
    sent = {"content": "contracts", "kind": "xlsx", "reseller": "", "status": ""}
    return lambda desk: desk.post(reverse("admin:contracts_import_export"), sent)


def a_matrix() -> Press:
    grant = ContractGrantFactory()
    cell = f"{grant.contract_id}-{grant.user_id}"
    address = reverse("admin:accounts_reseller_grants", args=[grant.contract.reseller_id])
    return lambda desk: desk.post(address, {"seen": [cell], "grant": [], "reason": "Left."})


def an_invitation() -> Press:
    user = UserFactory(email="ayse@example.com", password="!")
    return lambda desk: desk.post(reverse("admin:accounts_user_invite", args=[user.pk]))


def a_second_step_taken_away() -> Press:
    user = UserFactory(email="ayse@example.com")
    with_app(user)
    return lambda desk: desk.post(reverse("admin:accounts_user_forget_second_step", args=[user.pk]))


def a_correction() -> Press:
    line = ContractProductFactory()
    lot = receive(line.contract, line.product, 10)
    sent = {"change": "-3", "reason_text": "Counted anew.", "movements_seen": "1"}
    return lambda desk: desk.post(reverse("admin:stock_stocklot_correct", args=[lot.pk]), sent)


def an_arrival() -> Press:
    line = ContractProductFactory()
    sent = {"contract": line.contract_id, "product": line.product_id, "quantity": "5", "use_by": "2099-05-31"}
    return lambda desk: desk.post(reverse("admin:stock_stocklot_add"), sent)


def a_new_row() -> Press:
    sent = {"name": "Large", "code": "large", "reason": ""}
    return lambda desk: desk.post(reverse("admin:products_package_add"), sent)


def a_changed_row() -> Press:
    package = PackageFactory(name="Large", code="large")
    sent = {"name": "Larger", "code": "large", "reason": ""}
    return lambda desk: desk.post(reverse("admin:products_package_change", args=[package.pk]), sent)


def a_deleted_row() -> Press:
    package = PackageFactory(name="Large")
    return lambda desk: desk.post(reverse("admin:products_package_delete", args=[package.pk]), {"post": "yes"})


def deleted_rows() -> Press:
    chosen = [PackageFactory(name="Large").pk]
    sent = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    return lambda desk: desk.post(reverse("admin:products_package_changelist"), sent)


def a_group() -> Press:
    return lambda desk: desk.post(reverse("admin:auth_group_add"), {"name": "Auditors"})


def a_product_taken_off() -> Press:
    product = ProductFactory(sku="DEV", name="Display")
    sent = {"sku": "DEV", "name": "Display", "kind": product.kind, "package": "", "description": "", "reason": ""}
    return lambda desk: desk.post(reverse("admin:products_product_change", args=[product.pk]), sent)


ACTS: dict[str, tuple[Callable[[], Press], list[tuple[str, str, str]]]] = {
    "activate": (lambda: a_step("activate", status="draft"), [(Act.STATUS_CHANGED, "C-7", "activate")]),
    "suspend": (lambda: a_step("suspend", status="active"), [(Act.STATUS_CHANGED, "C-7", "suspend")]),
    "resume": (lambda: a_step("resume", status="suspended"), [(Act.STATUS_CHANGED, "C-7", "resume")]),
    "close": (lambda: a_step("close", status="active"), [(Act.STATUS_CHANGED, "C-7", "close")]),
    "suspend from the list": (a_step_of_the_list, [(Act.STATUS_CHANGED, "C-7", "suspend")]),
    "edit a contract": (
        lambda: a_contract_page(grants=False, terms={"title": "New title"}),
        [(Act.CHANGED, "C-7", "Title")],
    ),
    "add a grant": (lambda: a_contract_page(grants=True), [(Act.GRANTS_CHANGED, "C-7", "+1 -0")]),
    "edit a contract and add a grant: two acts": (
        lambda: a_contract_page(grants=True, terms={"title": "New title"}),
        [(Act.GRANTS_CHANGED, "C-7", "+1 -0"), (Act.CHANGED, "C-7", "Title, grant added")],
    ),
    "activate on the page": (
        lambda: a_contract_page(grants=False, wanted="active"),
        [(Act.STATUS_CHANGED, "C-7", "activate")],
    ),
    "change prices": (new_prices, [(Act.PRICES_CHANGED, "C-7", "1 prices")]),
    "duplicate": (a_duplicate, [(Act.ADDED, "C-8", "duplicated from C-7")]),
    "upload": (an_upload, [(Act.ADDED, "list.csv", "prices: 1 rows")]),
    "import": (an_import, [(Act.IMPORTED, "list.csv", "prices: 0 new, 1 changed")]),
    "export": (an_export, [(Act.EXPORTED, "", "contracts xlsx")]),
    "save the matrix": (a_matrix, [(Act.GRANTS_CHANGED, "Reseller", "+0 -1")]),
    "invite": (an_invitation, [(Act.INVITED, "ayse@example.com", "")]),
    "take a second step away": (
        a_second_step_taken_away,
        [(Act.SECURITY_CHANGED, "ayse@example.com", "second step taken away")],
    ),
    "correct stock": (a_correction, [(Act.STOCK_CORRECTED, "", "-3")]),
    "take stock in": (an_arrival, [(Act.STOCK_RECEIVED, "", "5")]),
    "add": (a_new_row, [(Act.ADDED, "Large", "")]),
    "change": (a_changed_row, [(Act.CHANGED, "Larger", "Name")]),
    "delete": (a_deleted_row, [(Act.DELETED, "Large", "")]),
    "delete from the list": (deleted_rows, [(Act.DELETED, "Large", "")]),
    "add a group": (a_group, [(Act.ADDED, "Auditors", "")]),
    "switch a product off": (a_product_taken_off, [(Act.CHANGED, "Display (DEV)", "Active")]),
}


def sitting_at_the_desk() -> tuple[Client, User]:
    operator = OperatorFactory()
    desk = Client(REMOTE_ADDR="192.0.2.7")
    desk.force_login(operator)
    forget_what_led_here()
    return desk, operator


@pytest.mark.django_db
@pytest.mark.parametrize(("prepare", "told"), ACTS.values(), ids=ACTS)
def test_act_of_the_desk_is_recorded_once(
    prepare: Callable[[], Press], told: list[tuple[str, str, str]], several_lines: None
) -> None:
    press = prepare()
    desk, operator = sitting_at_the_desk()

    answer = press(desk)

    assert answer.status_code in (200, 302)
    recorded = events()
    assert [(act, detail) for act, _who, _on, detail in recorded] == [(act, detail) for act, _on, detail in told]
    for (_act, _who, on, _detail), (_told, begins_with, _same) in zip(recorded, told, strict=True):
        assert on.startswith(begins_with)
    assert {(event.actor, event.address) for event in AuditEvent.objects.all()} == {(operator.email, "192.0.2.7")}


class NoRoomInTheLog:
    """Lets the database refuse every event."""

    def __call__(self, execute: Callable[..., Any], sql: str, values: Any, many: bool, context: Any) -> Any:
        if sql.startswith("INSERT INTO") and "audit_auditevent" in sql:
            raise DatabaseError("no room")
        return execute(sql, values, many, context)


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row but those of sessions, and but what Django's admin lists for itself."""
    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label != "sessions"]
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for model in models
        if model._meta.label != "admin.LogEntry"
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("prepare", [prepare for prepare, _told in ACTS.values()], ids=ACTS)
def test_act_whose_event_cannot_be_written_is_not_done(prepare: Callable[[], Press], several_lines: None) -> None:
    press = prepare()
    desk, _operator = sitting_at_the_desk()
    before = everything()

    with connection.execute_wrapper(NoRoomInTheLog()), suppress(DatabaseError):
        press(desk)

    assert everything() == before
