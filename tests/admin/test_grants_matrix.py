"""The page of a reseller's grants: who sees it, what it saves, and what it says when others were quicker."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Reseller, User
from contracts.models import Contract, ContractGrant
from tests.admin.others import held_elsewhere
from tests.admin.roles import Role, sign_in
from tests.factories import ContractFactory, ContractGrantFactory, ResellerFactory, UserFactory


def matrix(reseller: Reseller) -> str:
    return reverse("admin:accounts_reseller_grants", args=[reseller.pk])


def key(contract: Contract, user: User) -> str:
    return f"{contract.pk}-{user.pk}"


def test_boxes_show_who_may_create_licenses_and_save_what_is_ticked(desk: Client) -> None:
    grant = ContractGrantFactory()
    reseller, contract = grant.contract.reseller, grant.contract
    other = UserFactory(reseller=reseller)

    page = desk.get(matrix(reseller))
    answer = desk.post(
        matrix(reseller),
        {"seen": [key(contract, grant.user)], "grant": [key(contract, other)], "reason": "Left the company"},
        follow=True,
    )

    assert (
        f'value="{key(contract, grant.user)}" aria-label="{grant.user.email}, {contract.number}" checked' in page.text
    )
    assert f'value="{key(contract, other)}" aria-label="{other.email}, {contract.number}">' in page.text
    assert "Grants were saved: 1 given, 1 taken away." in answer.text
    assert list(ContractGrant.objects.values_list("contract", "user")) == [(contract.pk, other.pk)]


def test_what_changed_meanwhile_is_marked_and_saved_on_the_second_press(desk: Client) -> None:
    contract = ContractFactory()
    user, other = UserFactory.create_batch(2, reseller=contract.reseller)
    ContractGrantFactory(contract=contract, user=user)  # after the page was made
    both = [key(contract, user), key(contract, other)]

    refused = desk.post(matrix(contract.reseller), {"grant": both})

    assert refused.status_code == 409
    assert "Somebody else changed some of these grants" in refused.text
    assert "was given" in refused.text
    assert ContractGrant.objects.count() == 1
    seen = [box.key for _user, boxes in refused.context["rows"] for box in boxes if box.is_stored]
    assert desk.post(matrix(contract.reseller), {"seen": seen, "grant": both}).status_code == 302
    assert ContractGrant.objects.count() == 2


@pytest.mark.parametrize("sent", ["abc", "1", "1-2-3", "1-x", "-", "9" * 400 + "-1"])
def test_a_broken_page_is_refused(desk: Client, sent: str) -> None:
    contract = ContractFactory()

    answer = desk.post(matrix(contract.reseller), {"grant": [sent]})

    assert answer.status_code in (409, 422)
    assert not ContractGrant.objects.exists()


def test_support_reads_the_grants_without_boxes(client: Client, db: None) -> None:
    grant = ContractGrantFactory()
    sign_in(client, Role.SUPPORT)

    page = client.get(matrix(grant.contract.reseller))

    assert page.status_code == 200
    assert "checkbox" not in page.text
    assert "Save grants" not in page.text


def test_closed_contracts_are_left_out_and_others_found(desk: Client) -> None:
    reseller = ResellerFactory()
    UserFactory(reseller=reseller, email="ayse@example.com")
    UserFactory(reseller=reseller, email="burak@example.com")
    ContractFactory(reseller=reseller, number="C-OPEN", title="İstanbul")
    ContractFactory(reseller=reseller, number="C-SHUT", status="closed")

    everything = desk.get(matrix(reseller)).text
    found = desk.get(matrix(reseller), {"users": "ayse", "contracts": "istanbul"}).text
    absurd = desk.get(matrix(reseller), {"users": "\0", "contracts": "x" * 500, "users_page": "abc"})

    assert "C-OPEN" in everything
    assert "C-SHUT" not in everything
    assert "ayse@example.com" in found
    assert "burak@example.com" not in found
    assert "C-OPEN" in found
    assert absurd.status_code == 200


def test_many_users_and_contracts_cost_the_same_and_have_pages(desk: Client) -> None:
    reseller = ResellerFactory()
    ContractGrantFactory(reseller=reseller)
    desk.get(matrix(reseller))
    with CaptureQueriesContext(connection) as few:
        desk.get(matrix(reseller))
    UserFactory.create_batch(30, reseller=reseller)
    ContractFactory.create_batch(12, reseller=reseller)

    with CaptureQueriesContext(connection) as many:
        page = desk.get(matrix(reseller))

    assert len(many) == len(few)
    assert len(page.context["rows"]) == 25
    assert "More users" in page.text
    assert "users_page=2" in page.text
    assert "More contracts" in page.text


def test_reseller_and_contract_lead_to_the_grants(desk: Client) -> None:
    contract = ContractFactory()

    reseller_page = desk.get(reverse("admin:accounts_reseller_change", args=[contract.reseller_id])).text
    contract_page = desk.get(reverse("admin:contracts_contract_change", args=[contract.pk])).text

    assert f'href="{matrix(contract.reseller)}"' in reseller_page
    assert f'href="{matrix(contract.reseller)}?contracts={contract.number}"' in contract_page


@pytest.mark.postgresql_only
@pytest.mark.django_db(transaction=True)
def test_a_purchase_that_holds_the_contract_makes_saving_wait_and_say_so(desk: Client) -> None:
    contract = ContractFactory()
    user = UserFactory(reseller=contract.reseller)

    with held_elsewhere(contract):
        answer = desk.post(matrix(contract.reseller), {"grant": [key(contract, user)]}, follow=True)

    assert "in use for too long" in answer.text
    assert not ContractGrant.objects.exists()
