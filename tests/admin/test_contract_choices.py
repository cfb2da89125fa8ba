"""What the searched choices of a contract's page offer: only what belongs to its reseller."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from contracts.models import Contract
from tests.factories import AccountFactory, ContractFactory, ResellerFactory, UserFactory

ADD = "/admin/contracts/contract/add/"
USERS = {"app_label": "contracts", "model_name": "contractgrant", "field_name": "user"}
ACCOUNTS = {"app_label": "contracts", "model_name": "contract", "field_name": "exclusive_accounts"}


def offered(desk: Client, address: str, source: dict[str, str], term: str = "") -> set[str]:
    answer = desk.get(address, {**source, "term": term})
    assert answer.status_code == 200
    return {row["id"] for row in answer.json()["results"]}


def address_of(page: Any, field: str) -> str:
    """Where the page's searched choice looks for rows."""
    found = re.search(rf'data-ajax--url="([^"]*)"[^>]*data-field-name="{field}"', page.text)
    assert found is not None
    return unescape(found[1])


@pytest.mark.parametrize("term", ["", "e"])
def test_stored_contract_offers_its_reseller_s_users_and_accounts(desk: Client, term: str) -> None:
    contract = ContractFactory()
    user, account = UserFactory(reseller=contract.reseller), AccountFactory(reseller=contract.reseller)
    UserFactory()
    AccountFactory()

    page = desk.get(reverse("admin:contracts_contract_change", args=[contract.pk]))

    assert offered(desk, address_of(page, "user"), USERS, term) == {str(user.pk)}
    assert offered(desk, address_of(page, "exclusive_accounts"), ACCOUNTS, "a" if term else "") == {str(account.pk)}


def test_new_contract_offers_nobody_until_its_reseller_is_known(desk: Client) -> None:
    user = UserFactory()

    unknown = address_of(desk.get(ADD), "user")
    opened_for = address_of(desk.get(f"{ADD}?reseller={user.reseller_id}"), "user")
    sent_back = address_of(desk.post(ADD, {"reseller": user.reseller_id}), "user")

    assert offered(desk, unknown, USERS) == set()
    assert opened_for == sent_back == reverse("admin:contracts_contract_choices", args=[user.reseller_id])
    assert offered(desk, opened_for, USERS) == {str(user.pk)}


def test_search_stays_within_the_reseller(desk: Client) -> None:
    reseller = ResellerFactory()
    AccountFactory(name="İstanbul Işık")
    account = AccountFactory(reseller=reseller, name="İstanbul Işık")

    address = reverse("admin:contracts_contract_choices", args=[reseller.pk])

    assert offered(desk, address, ACCOUNTS, "istanbul") == {str(account.pk)}


@pytest.mark.parametrize(
    "source",
    [
        {"app_label": "contracts", "model_name": "contractproduct", "field_name": "product"},
        {"app_label": "contracts", "model_name": "contract", "field_name": "title"},
        {"app_label": "nowhere", "model_name": "nothing", "field_name": "none"},
        {},
    ],
)
def test_what_belongs_to_no_reseller_is_not_offered_there(desk: Client, source: dict[str, str]) -> None:
    address = reverse("admin:contracts_contract_choices", args=[1])

    assert desk.get(address, source).status_code == 403


def test_choices_need_the_right_to_see_them(client: Client, db: None) -> None:
    contract = ContractFactory()
    client.force_login(UserFactory(reseller=None, is_staff=True))
    address = reverse("admin:contracts_contract_choices", args=[contract.reseller_id])

    assert client.get(address, USERS).status_code == 403
    assert client.get(address, ACCOUNTS).status_code == 403


def test_choices_are_closed_to_resellers(client: Client, db: None) -> None:
    user = UserFactory()
    client.force_login(user)

    answer = client.get(reverse("admin:contracts_contract_choices", args=[user.reseller_id]), USERS)

    assert answer.status_code == 302
    assert Contract.objects.count() == 0
