"""Many grants at once: what differs is written, once, by the rules, and nobody's work is overwritten."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Reseller, User
from contracts.models import Contract, ContractGrant
from contracts.services.grants import Cell, GrantsChangedMeanwhile, save_grants
from contracts.services.life import ContractClosed
from tests.factories import ContractFactory, ContractGrantFactory, OperatorFactory, ResellerFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def reseller() -> Reseller:
    return ResellerFactory()


def cell(contract: Contract, user: User) -> Cell:
    return contract.pk, user.pk


def held() -> set[Cell]:
    return set(ContractGrant.objects.filter(can_create_licenses=True).values_list("contract", "user"))


def test_grants_are_given_and_taken_in_one_go_and_recorded(reseller: Reseller) -> None:
    operator = OperatorFactory()
    first, second = ContractFactory.create_batch(2, reseller=reseller)
    keeping, losing, gaining = UserFactory.create_batch(3, reseller=reseller)
    for user in (keeping, losing):
        ContractGrantFactory(contract=first, user=user)
    before = ContractGrant.history.count()

    saved = save_grants(
        reseller,
        seen={cell(first, keeping), cell(first, losing)},
        wanted={cell(first, keeping), cell(second, gaining)},
        by=operator,
        reason="New team",
    )

    assert (saved.given, saved.taken) == (1, 1)
    assert held() == {cell(first, keeping), cell(second, gaining)}
    versions = ContractGrant.history.order_by("history_id")[before:]
    assert {(v.history_type, v.user_id, v.history_user_id, v.history_change_reason) for v in versions} == {
        ("+", gaining.pk, operator.pk, "New team"),
        ("-", losing.pk, operator.pk, "New team"),
    }
    assert len({version.history_act for version in versions}) == 1


def test_a_grant_without_its_permission_gets_it(reseller: Reseller) -> None:
    grant = ContractGrantFactory(reseller=reseller, can_create_licenses=False)

    save_grants(reseller, seen=(), wanted=[cell(grant.contract, grant.user)], by=OperatorFactory())

    assert ContractGrant.objects.get().can_create_licenses


@pytest.mark.parametrize("is_stored", [True, False])
def test_what_changed_meanwhile_is_not_overwritten(reseller: Reseller, is_stored: bool) -> None:
    contract = ContractFactory(reseller=reseller)
    user, other = UserFactory.create_batch(2, reseller=reseller)
    if is_stored:
        ContractGrantFactory(contract=contract, user=user)
    seen, wanted = (set(), {cell(contract, user)}) if is_stored else ({cell(contract, user)}, set())
    before = held()

    with pytest.raises(GrantsChangedMeanwhile) as refusal:
        save_grants(reseller, seen=seen, wanted=wanted | {cell(contract, other)}, by=OperatorFactory())

    assert refusal.value.cells == {cell(contract, user)}
    assert held() == before


def test_what_others_changed_elsewhere_does_not_matter(reseller: Reseller) -> None:
    contract = ContractFactory(reseller=reseller)
    user, other = UserFactory.create_batch(2, reseller=reseller)
    ContractGrantFactory(contract=contract, user=other)

    save_grants(reseller, seen=(), wanted=[cell(contract, user)], by=OperatorFactory())

    assert held() == {cell(contract, user), cell(contract, other)}


def test_another_reseller_s_contract_is_refused(reseller: Reseller) -> None:
    stranger, user = ContractFactory(), UserFactory(reseller=reseller)

    with pytest.raises(GrantsChangedMeanwhile):
        save_grants(reseller, seen=(), wanted=[cell(stranger, user)], by=OperatorFactory())

    assert not held()


def test_another_reseller_s_user_is_refused(reseller: Reseller) -> None:
    contract, stranger = ContractFactory(reseller=reseller), UserFactory()

    with pytest.raises(ValidationError, match="is no user of"):
        save_grants(reseller, seen=(), wanted=[cell(contract, stranger)], by=OperatorFactory())

    assert not held()


def test_a_closed_contract_keeps_its_grants(reseller: Reseller) -> None:
    grant = ContractGrantFactory(contract=ContractFactory(reseller=reseller, status="closed"))

    with pytest.raises(ContractClosed):
        save_grants(reseller, seen=[cell(grant.contract, grant.user)], wanted=(), by=OperatorFactory())

    assert held()


def test_contracts_are_held_as_buying_holds_them(reseller: Reseller) -> None:
    contracts = ContractFactory.create_batch(3, reseller=reseller)
    user = UserFactory(reseller=reseller)

    with CaptureQueriesContext(connection) as statements:
        save_grants(reseller, seen=(), wanted=[cell(contract, user) for contract in contracts], by=OperatorFactory())

    reads = [each["sql"] for each in statements if 'FROM "contracts_contract"' in each["sql"]]
    assert 'ORDER BY "contracts_contract"."id" ASC' in reads[0]
    assert connection.vendor != "postgresql" or "FOR NO KEY UPDATE" in reads[0]
    assert len(statements) < 20
