"""A row's history page tells what happened to it and to its lines, in words."""

from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from contracts.models import Contract
from desk.history import recorded_as
from tests.factories import (
    AccountFactory,
    ContractFactory,
    ContractGrantFactory,
    ContractProductFactory,
    OperatorFactory,
    ProductFactory,
    ResellerFactory,
)
from tests.pages import text_of


@pytest.fixture
def operator(db: None) -> User:
    return OperatorFactory(full_name="Deniz Öztürk")


@pytest.fixture
def desk(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def told(desk: Client, row: Model, query: str = "") -> str:
    """The text of the row's history page."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_history"
    page = desk.get(reverse(name, args=[row.pk]) + query)
    assert page.status_code == 200
    return text_of(page.text[page.text.index('class="timeline"') :])


def test_a_change_is_told_by_whom_why_and_from_what_to_what(desk: Client, operator: User) -> None:
    contract = ContractFactory(status="active", requires_po_number=False, minimum_quantity=1)

    with recorded_as(by=operator, reason="Late payments"):
        Contract.objects.update(status="suspended", requires_po_number=True, minimum_quantity=1500)

    text = told(desk, contract)
    assert "Deniz Öztürk · Late payments" in text
    assert "Status Active → became Suspended" in text
    assert "Needs a PO number no → became yes" in text
    assert "Minimum quantity 1 → became 1,500" in text
    assert "Title" not in text[: text.index("Added")]


def test_a_contract_tells_what_happened_to_its_prices_grants_and_accounts_as_one_act(
    desk: Client, operator: User
) -> None:
    grant = ContractGrantFactory()
    contract = grant.contract
    line = ContractProductFactory(contract=contract, unit_price="100.00")
    account = AccountFactory(reseller=contract.reseller)

    with recorded_as(by=operator, reason="The new year"):
        line.unit_price = Decimal("1250.50")
        line.save()
        grant.delete()
        contract.exclusive_accounts.add(account)

    page = desk.get(reverse("admin:contracts_contract_history", args=[contract.pk]))
    newest = page.context["page"][0]
    assert newest.why == "The new year"
    assert [(event.kind, event.line) for event in newest.events] == [
        ("~", ""),
        ("~", f"Contract product: {line.product}"),
        ("-", f"Grant: {grant.user}"),
    ]
    text = told(desk, contract)
    assert "100.00 → became 1,250.50" in text
    assert f"Exclusive accounts added: {account}" in text


def test_a_row_added_and_its_references_are_told_by_name(desk: Client) -> None:
    product = ProductFactory(name="Old name")
    product.name = "New name"
    product.save()

    text = told(desk, product)

    assert "System" in text
    assert "Old name → became New name" in text
    assert text.index("Changed") < text.index("Added")


def test_an_act_of_several_writes_to_one_row_is_told_once(desk: Client, operator: User) -> None:
    contract = ContractFactory(title="First")

    with recorded_as(by=operator):
        for title in ("Second", "Third"):
            contract.title = title
            contract.save()

    assert "First → became Third" in told(desk, contract)
    assert "Second" not in told(desk, contract)


def test_who_was_deleted_is_still_named(desk: Client) -> None:
    colleague = OperatorFactory(full_name="Ece Arslan")
    reseller = ResellerFactory()
    with recorded_as(by=colleague):
        reseller.name = "Another"
        reseller.save()
    colleague.delete()

    assert "Ece Arslan" in told(desk, reseller)


def test_why_is_asked_where_a_row_is_changed(desk: Client) -> None:
    product = ProductFactory()
    facts = {"sku": product.sku, "name": "Renamed", "kind": "device", "why": "It was misspelled\0"}
    change = reverse("admin:products_product_change", args=[product.pk])

    assert 'name="why"' in desk.get(change).text
    desk.post(change, facts)

    assert "It was misspelled" in told(desk, product)


def test_what_people_typed_is_shown_and_not_run(desk: Client, operator: User) -> None:
    reseller = ResellerFactory(name="A")
    with recorded_as(by=operator, reason="<script>alert(1)</script>"):
        reseller.name = "<b>B</b>"
        reseller.save()

    page = desk.get(reverse("admin:accounts_reseller_history", args=[reseller.pk])).text

    assert "<script>alert" not in page
    assert "<b>B</b>" not in page


def test_a_long_timeline_has_pages_of_the_same_cost(desk: Client, operator: User) -> None:
    contract = ContractFactory()
    address = reverse("admin:contracts_contract_history", args=[contract.pk])
    change_often(contract, operator, times=3)
    desk.get(address)
    with CaptureQueriesContext(connection) as short:
        desk.get(address)
    change_often(contract, operator, times=25)

    with CaptureQueriesContext(connection) as long:
        page = desk.get(address)

    assert len(long) <= len(short)
    assert len(page.context["page"].object_list) == 20
    assert "Page 1 of 2" in text_of(page.text)
    assert "Added" in told(desk, contract, "?page=2")
    assert told(desk, contract, "?page=abc") == told(desk, contract)


def change_often(contract: Contract, operator: User, *, times: int) -> None:
    for number in range(times):
        with recorded_as(by=operator):
            contract.title = f"{contract.title}{number}"
            contract.save()
            ContractProductFactory(contract=contract)
            ContractGrantFactory(contract=contract)
            contract.exclusive_accounts.add(AccountFactory(reseller=contract.reseller))
