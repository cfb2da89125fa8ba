"""Rules 4 and 5: the contract serves the account, and the product fits its package."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Account, Reseller
from contracts.models import Contract
from purchases.services.rules import (
    AccountBoundElsewhere,
    AccountNotActive,
    AccountNotServed,
    AccountOnTrial,
    PackageMismatch,
)
from purchases.services.steps import Step
from tests.factories import AccountFactory, ContractFactory, PackageFactory, ProductFactory
from tests.purchases.orders import TODAY, a_line, an_order, facts_of, refusal_of

pytestmark = pytest.mark.django_db

YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)


def hotel(reseller: Reseller, **facts: Any) -> Account:
    return AccountFactory(**{"reseller": reseller, "name": "Hotel", "reference": "ACC-1", **facts})


def exclusive_contract(*accounts: Account, **terms: Any) -> Contract:
    """A contract of the accounts' reseller, in force, that names them."""
    plain = {"number": "C-9", "reseller": accounts[0].reseller, "starts_on": YESTERDAY}
    contract = ContractFactory(**{**plain, **terms})
    contract.exclusive_accounts.set(accounts)
    return contract


# Rule 4: the account itself


def test_active_paid_account_of_the_reseller_is_served() -> None:
    facts_of(an_order()).check(Step.ACCOUNT)


def test_account_of_another_reseller_is_refused() -> None:
    draft = an_order(account=AccountFactory(name="Hotel", reference="ACC-1"))

    refusal = refusal_of(draft, Step.ACCOUNT)

    assert type(refusal) is AccountNotServed
    assert (refusal.code, refusal.answer) == ("account_not_served", "account")
    assert str(refusal) == "Hotel (ACC-1) is no account of yours. Choose another account."


def test_account_that_is_not_active_is_refused() -> None:
    line = a_line()
    draft = an_order(line=line, account=hotel(line.contract.reseller, is_active=False))

    refusal = refusal_of(draft, Step.ACCOUNT)

    assert type(refusal) is AccountNotActive
    assert (refusal.code, refusal.answer) == ("account_not_active", "account")
    assert str(refusal) == "Hotel (ACC-1) is not active. Choose another account, or ask the operator."


def test_account_on_trial_is_refused() -> None:
    line = a_line()
    draft = an_order(line=line, account=hotel(line.contract.reseller, tier="trial"))

    refusal = refusal_of(draft, Step.ACCOUNT)

    assert type(refusal) is AccountOnTrial
    assert (refusal.code, refusal.answer) == ("account_on_trial", "account")
    assert (
        str(refusal)
        == "Hotel (ACC-1) is on trial, and only paid accounts buy. Choose another one, or make it paid on its page."
    )


@pytest.mark.parametrize("facts", [{"is_active": False}, {"tier": "trial"}])
def test_account_that_the_contract_names_must_still_be_active_and_paid(facts: dict[str, Any]) -> None:
    line = a_line()
    account = hotel(line.contract.reseller, **facts)
    line.contract.exclusive_accounts.add(account)

    assert refusal_of(an_order(line=line, account=account), Step.ACCOUNT).answer == "account"


# Rule 4: exclusive contracts


def test_account_that_the_contract_names_is_served() -> None:
    line = a_line()
    account = hotel(line.contract.reseller)
    line.contract.exclusive_accounts.add(account)

    facts_of(an_order(line=line, account=account)).check(Step.ACCOUNT)


def test_exclusive_contract_refuses_accounts_that_it_does_not_name() -> None:
    line = a_line(number="C-1")
    line.contract.exclusive_accounts.add(AccountFactory(reseller=line.contract.reseller))
    draft = an_order(line=line, account=hotel(line.contract.reseller))

    refusal = refusal_of(draft, Step.ACCOUNT)

    assert type(refusal) is AccountNotServed
    assert refusal.code == "account_not_served"
    assert str(refusal) == (
        "Contract C-1 serves only the accounts it names, and Hotel (ACC-1) is not among them. "
        "Choose another account or contract."
    )


def test_account_bound_to_another_contract_is_refused() -> None:
    line = a_line(number="C-1")
    account = hotel(line.contract.reseller)
    exclusive_contract(account, number="C-9")

    refusal = refusal_of(an_order(line=line, account=account), Step.ACCOUNT)

    assert type(refusal) is AccountBoundElsewhere
    assert (refusal.code, refusal.answer) == ("account_bound_elsewhere", "account")
    assert str(refusal) == (
        "Hotel (ACC-1) is bound to contract C-9 and buys only there. Choose that contract, or another account."
    )


def test_account_named_by_several_contracts_buys_under_each_of_them() -> None:
    line = a_line(number="C-1")
    account = hotel(line.contract.reseller)
    line.contract.exclusive_accounts.add(account)
    exclusive_contract(account, number="C-0")

    facts_of(an_order(line=line, account=account)).check(Step.ACCOUNT)


@pytest.mark.parametrize(
    "terms",
    [
        {"starts_on": TODAY},
        {"starts_on": YESTERDAY, "ends_on": TODAY},
    ],
)
def test_contract_binds_the_accounts_it_names_from_its_first_day_to_its_last(terms: dict[str, Any]) -> None:
    line = a_line()
    account = hotel(line.contract.reseller)
    exclusive_contract(account, **terms)

    assert type(refusal_of(an_order(line=line, account=account), Step.ACCOUNT)) is AccountBoundElsewhere


@pytest.mark.parametrize(
    "terms",
    [
        {"status": "suspended"},
        {"status": "closed"},
        {"status": "draft"},
        {"ends_on": YESTERDAY},
        {"starts_on": TOMORROW},
    ],
)
def test_contract_that_is_not_active_binds_nobody(terms: dict[str, Any]) -> None:
    line = a_line()
    account = hotel(line.contract.reseller)
    exclusive_contract(account, **terms)

    facts_of(an_order(line=line, account=account)).check(Step.ACCOUNT)


def test_contract_of_another_reseller_binds_nobody() -> None:
    line = a_line()
    account = hotel(line.contract.reseller)
    ContractFactory(starts_on=YESTERDAY).exclusive_accounts.add(account)

    facts_of(an_order(line=line, account=account)).check(Step.ACCOUNT)


def test_contract_that_names_somebody_else_binds_nobody_but_them() -> None:
    line = a_line()
    exclusive_contract(AccountFactory(reseller=line.contract.reseller))

    facts_of(an_order(line=line)).check(Step.ACCOUNT)


# Rule 5


def test_product_with_a_package_goes_to_accounts_on_it() -> None:
    package = PackageFactory()
    line = a_line(product=ProductFactory(package=package))
    draft = an_order(line=line, account=hotel(line.contract.reseller, package=package))

    facts_of(draft).check(Step.PRODUCT)


def test_product_without_a_package_goes_to_accounts_on_any() -> None:
    line = a_line()
    draft = an_order(line=line, account=hotel(line.contract.reseller, package=PackageFactory()))

    facts_of(draft).check(Step.PRODUCT)


def test_product_with_a_package_is_refused_to_an_account_on_another() -> None:
    line = a_line(product=ProductFactory(sku="DEV-PRO", name="Pro device", package=PackageFactory(name="Professional")))
    draft = an_order(line=line, account=hotel(line.contract.reseller, package=PackageFactory(name="Starter")))

    refusal = refusal_of(draft, Step.PRODUCT)

    assert type(refusal) is PackageMismatch
    assert (refusal.code, refusal.answer) == ("package_mismatch", "product")
    assert str(refusal) == (
        "Pro device (DEV-PRO) is for accounts on the package Professional; Hotel (ACC-1) is on Starter. "
        "Choose another product."
    )


def test_product_with_a_package_is_refused_to_an_account_on_none() -> None:
    line = a_line(product=ProductFactory(sku="DEV-PRO", name="Pro device", package=PackageFactory(name="Professional")))
    draft = an_order(line=line, account=hotel(line.contract.reseller))

    refusal = refusal_of(draft, Step.PRODUCT)

    assert type(refusal) is PackageMismatch
    assert str(refusal) == (
        "Pro device (DEV-PRO) is for accounts on the package Professional; Hotel (ACC-1) is on none. "
        "Choose another product."
    )
