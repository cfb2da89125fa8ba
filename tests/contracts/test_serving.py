"""Which accounts a contract serves, as a set: the same rule 4 by which a single account is judged."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from contracts.models import Contract
from contracts.services.permission import may_create_any_licenses
from contracts.services.serving import accounts_not_served_by, accounts_served_by, serving_of, with_serving
from tests.factories import AccountFactory, ContractFactory, ContractGrantFactory, ResellerFactory, UserFactory

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 24)
LAST_YEAR = date(2025, 1, 1)


def contract_of(account: Account, *named: Account, **terms: object) -> Contract:
    contract = ContractFactory(**{"reseller": account.reseller, "starts_on": LAST_YEAR, **terms})
    contract.exclusive_accounts.set(named)
    return contract


def served(contract: Contract) -> set[Account]:
    """The accounts that the contract serves today; fails unless the others are exactly the rest of its reseller's."""
    served, others = accounts_served_by(contract, on=TODAY), accounts_not_served_by(contract, on=TODAY)
    assert sorted([*served, *others], key=lambda account: account.pk) == list(
        Account.objects.filter(reseller=contract.reseller).order_by("pk")
    )
    return set(served)


def test_contract_that_names_nobody_serves_all_that_no_contract_names() -> None:
    free = AccountFactory()
    bound = AccountFactory(reseller=free.reseller)
    contract = contract_of(free)
    contract_of(free, bound)

    assert served(contract) == {free}


def test_exclusive_contract_serves_those_it_names_alone() -> None:
    named = AccountFactory()
    AccountFactory(reseller=named.reseller)
    contract = contract_of(named, named)

    assert served(contract) == {named}


def test_accounts_that_are_not_active_or_not_paid_are_not_served() -> None:
    reseller = ResellerFactory()
    closed = AccountFactory(reseller=reseller, is_active=False)
    trial = AccountFactory(reseller=reseller, tier="trial")

    assert served(contract_of(closed)) == set()
    assert served(contract_of(closed, closed, trial)) == set()


def test_accounts_of_another_reseller_are_neither_served_nor_listed() -> None:
    account, stranger = AccountFactory(), AccountFactory()
    contract = contract_of(account)

    assert served(contract) == {account}
    assert stranger not in accounts_not_served_by(contract, on=TODAY)


def test_contract_that_is_over_binds_nobody() -> None:
    account = AccountFactory()
    contract = contract_of(account)
    contract_of(account, account, ends_on=TODAY - timedelta(days=1))

    assert served(contract) == {account}


def test_account_is_bound_to_the_first_of_the_contracts_that_name_it() -> None:
    account = AccountFactory()
    contract = contract_of(account, number="C-5")
    contract_of(account, account, number="C-9")
    contract_of(account, account, number="C-7")
    contract_of(account, account, number="C-1", status="suspended")

    serving = serving_of(with_serving(Account.objects.all(), contract, on=TODAY).get())

    assert (serving.is_named, serving.contract_is_exclusive, serving.bound_to) == (False, False, "C-7")


def test_all_accounts_are_judged_in_one_statement() -> None:
    account = AccountFactory()
    contract = contract_of(account)
    for _ in range(10):
        named = AccountFactory(reseller=account.reseller)
        contract_of(account, named)

    with CaptureQueriesContext(
        connection,
    ) as statements:
        servings = [serving_of(row) for row in with_serving(Account.objects.all(), contract, on=TODAY)]

    assert len(servings) == 11
    assert len(statements) == 1


def test_whoever_holds_the_permission_under_any_contract_may_start_to_buy() -> None:
    buyer, looker, viewer = UserFactory(), UserFactory(), UserFactory()
    ContractGrantFactory(user=buyer)
    ContractGrantFactory(user=looker, can_create_licenses=False)

    assert may_create_any_licenses(buyer)
    assert not may_create_any_licenses(looker)
    assert not may_create_any_licenses(viewer)
