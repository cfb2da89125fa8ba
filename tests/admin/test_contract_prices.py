"""Changing prices and duplicating, at the desk."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from contracts.models import Contract, ContractProduct
from tests.factories import (
    ContractFactory,
    ContractGrantFactory,
    ContractProductFactory,
    PurchaseDraftFactory,
    UserFactory,
)


def address(contract: Contract, page: str) -> str:
    return reverse(f"admin:contracts_contract_{page}", args=[contract.pk])


@pytest.fixture
def line(db: None) -> ContractProduct:
    return ContractProductFactory(unit_price="100.00")


def change(line: ContractProduct, **sent: Any) -> dict[str, Any]:
    return {"way": "percentage", "percentage": "5", "products": [line.pk], "reason": "New year.", **sent}


def price_of(line: ContractProduct) -> Decimal:
    return ContractProduct.objects.values_list("unit_price", flat=True).get(pk=line.pk)


def fingerprint_on(page: Any) -> str:
    found = re.search(r'name="fingerprint" value="([^"]*)"', page.text)
    assert found is not None
    return found[1]


def test_prices_are_shown_old_and_new_before_they_are_written(desk: Client, operator: User) -> None:
    line = ContractProductFactory(unit_price="100.00")
    PurchaseDraftFactory(contract=line.contract)
    url = address(line.contract, "prices")

    shown = desk.post(url, change(line))
    assert price_of(line) == 100
    applied = desk.post(url, change(line, fingerprint=fingerprint_on(shown), _apply="yes"))

    assert "100.00\xa0EUR" in shown.text
    assert "105.00\xa0EUR" in shown.text
    assert "1 open draft uses these terms" in shown.text
    assert applied.status_code == 302
    assert price_of(line) == 105
    version = line.history.latest()
    assert (version.history_user_id, version.history_change_reason) == (operator.pk, "New year.")


def test_typed_prices_are_taken(desk: Client, line: ContractProduct) -> None:
    url = address(line.contract, "prices")
    sent = change(line, way="list", percentage="", **{f"price_{line.pk}": "88.50"})

    shown = desk.post(url, sent)
    desk.post(url, {**sent, "fingerprint": fingerprint_on(shown), "_apply": "yes"})

    assert price_of(line) == Decimal("88.50")


def test_price_changed_by_somebody_else_is_shown_again(desk: Client, line: ContractProduct) -> None:
    url = address(line.contract, "prices")
    shown = desk.post(url, change(line))
    ContractProduct.objects.update(unit_price=200)

    again = desk.post(url, change(line, fingerprint=fingerprint_on(shown), _apply="yes"))

    assert again.status_code == 409
    assert "changed since you looked" in again.text
    assert "210.00\xa0EUR" in again.text
    assert price_of(line) == 200
    desk.post(url, change(line, fingerprint=fingerprint_on(again), _apply="yes"))
    assert price_of(line) == 210


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"percentage": ""}, "Enter by how many percent"),
        ({"percentage": "0"}, "Enter by how many percent"),
        ({"percentage": "-100"}, "greater than or equal to"),
        ({"percentage": "1e9"}, "less than or equal to 1000"),
        ({"percentage": "NaN"}, "number"),
        ({"percentage": "1.005"}, "2 decimal places"),
        ({"products": []}, "Choose at least one product"),
        ({"products": ["abc"]}, "not one of the available choices"),
        ({"products": ["9" * 400]}, "not one of the available choices"),
        ({"way": "someday"}, "not one of the available choices"),
        ({"way": "list"}, "Enter the new price"),
        ({"reason": ""}, "Say why"),
        ({"reason": "x" * 501}, "at most 500 characters"),
    ],
    ids=repr,
)
def test_wrong_price_change_is_refused(
    desk: Client, line: ContractProduct, sent: dict[str, Any], sentence: str
) -> None:
    page = desk.post(address(line.contract, "prices"), change(line, _apply="yes", **sent))

    assert page.status_code == 200
    assert sentence in page.text
    assert price_of(line) == 100


def test_line_of_another_contract_is_no_choice(desk: Client, line: ContractProduct) -> None:
    other = ContractProductFactory()

    page = desk.post(address(line.contract, "prices"), change(other, _apply="yes"))

    assert "not one of the available choices" in page.text
    assert price_of(other) == 100


def test_prices_of_a_closed_contract_are_out_of_reach(desk: Client, line: ContractProduct) -> None:
    Contract.objects.update(status="closed")
    url = address(line.contract, "prices")

    for answer in (desk.get(url), desk.post(url, change(line, _apply="yes"))):
        assert answer.status_code == 302
    assert price_of(line) == 100
    assert url not in desk.get(address(line.contract, "change")).text


def test_back_from_the_preview_keeps_what_was_typed(desk: Client, line: ContractProduct) -> None:
    page = desk.post(address(line.contract, "prices"), change(line, _back="yes"))

    assert 'value="5"' in page.text
    assert price_of(line) == 100


@pytest.mark.parametrize("page", ["prices", "duplicate"])
def test_page_needs_its_right(client: Client, line: ContractProduct, page: str) -> None:
    client.force_login(UserFactory(reseller=None, is_staff=True))

    assert client.get(address(line.contract, page)).status_code == 403
    assert client.post(address(line.contract, page), {"number": "NEW"}).status_code == 403


def test_price_page_costs_the_same_with_many_lines_as_with_few(
    desk: Client, line: ContractProduct, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        ContractProductFactory(contract=line.contract)
    keys = list(line.contract.contract_products.values_list("pk", flat=True))
    url = address(line.contract, "prices")
    with django_assert_max_num_queries(12):
        shown = desk.post(url, change(line, products=keys))
    with django_assert_max_num_queries(40):
        desk.post(url, change(line, products=keys, fingerprint=fingerprint_on(shown), _apply="yes"))

    assert set(ContractProduct.objects.values_list("unit_price", flat=True)) == {Decimal(105)}


def test_contract_is_duplicated_in_one_step(desk: Client) -> None:
    contract = ContractFactory(number="C-1", starts_on=date(2026, 1, 1), ends_on=date(2026, 12, 31))
    ContractProductFactory(contract=contract)
    ContractGrantFactory(contract=contract)
    url = address(contract, "duplicate")

    suggested = desk.get(url).context["form"].initial
    answer = desk.post(url, {"number": "C-1-2", "starts_on": "2027-01-01", "ends_on": "2027-12-31"})

    assert suggested == {"number": "C-1-2", "starts_on": date(2027, 1, 1), "ends_on": date(2027, 12, 31)}
    copy = Contract.objects.get(number="C-1-2")
    assert answer.headers["Location"] == address(copy, "change")
    assert (copy.status, copy.starts_on, copy.ends_on) == ("draft", date(2027, 1, 1), date(2027, 12, 31))
    assert (copy.contract_products.count(), copy.grants.count()) == (1, 1)


def test_open_ended_contract_asks_when_the_next_period_begins(desk: Client, line: ContractProduct) -> None:
    url = address(line.contract, "duplicate")

    page = desk.get(url)
    refused = desk.post(url, {"number": "NEW", "starts_on": ""})

    assert "open-ended, so say when" in page.text
    assert "required" in refused.text
    assert Contract.objects.count() == 1


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"number": "TAKEN"}, "already exists"),
        ({"number": ""}, "required"),
        ({"number": "x" * 41}, "at most 40"),
        ({"number": "a\x00b"}, "cannot be shown"),
        ({"starts_on": "2026-02-31"}, "valid date"),
        ({"starts_on": "10000-01-01"}, "valid date"),
        ({"ends_on": "2025-01-01"}, "ends before it starts"),
    ],
    ids=repr,
)
def test_wrong_duplicate_is_refused(desk: Client, sent: dict[str, str], sentence: str) -> None:
    contract = ContractFactory(number="TAKEN")

    page = desk.post(address(contract, "duplicate"), {"number": "NEW", "starts_on": "2027-01-01", **sent})

    assert page.status_code == 200
    assert sentence in page.text
    assert Contract.objects.count() == 1


def test_duplicating_twice_makes_one_contract(desk: Client, line: ContractProduct) -> None:
    sent = {"number": "NEW", "starts_on": "2027-01-01"}

    for _ in range(2):
        desk.post(address(line.contract, "duplicate"), sent)

    assert Contract.objects.count() == 2
