"""Every write to a recorded row leaves a version: who, when, why, and what the row was."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection, models, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import Account, Reseller, User
from contracts.models import Contract, ContractGrant, ContractProduct
from desk.history import RecordedQuerySet, recorded_as
from products.models import Package, Product
from tests.factories import (
    AccountFactory,
    ContractFactory,
    ContractGrantFactory,
    ContractProductFactory,
    OperatorFactory,
    PackageFactory,
    ResellerFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

RECORDED = [Package, Product, Reseller, User, Account, Contract, ContractProduct, ContractGrant]


def kinds(row: Any) -> str:
    """The kinds of the row's versions, oldest first: + made, ~ changed, - deleted."""
    versions = type(row).history.filter(id=row.pk).order_by("history_id")
    return "".join(versions.values_list("history_type", flat=True))


def latest(row: Any) -> Any:
    return type(row).history.filter(id=row.pk).order_by("history_id").last()


def test_what_the_operator_sets_up_is_recorded() -> None:
    assert {model for model in apps.get_models() if hasattr(model._meta, "recorded_by")} == set(RECORDED)


@pytest.mark.parametrize("model", RECORDED)
def test_no_manager_of_a_recorded_model_writes_without_a_version(model: type[models.Model]) -> None:
    managers = [*model._meta.managers, model._default_manager]

    assert all(isinstance(manager.all(), RecordedQuerySet) for manager in managers)


def test_passwords_and_sign_ins_are_in_no_version() -> None:
    kept = {field.name for field in User.history.model._meta.get_fields()}

    assert not kept & {"password", "last_login"}
    assert "email" in kept


WRITES: dict[str, tuple[Callable[[Account], object], str]] = {
    "saving": (lambda account: rename(account).save(), "+~"),
    "saving a field": (lambda account: rename(account).save(update_fields=["name"]), "+~"),
    "saving nothing new": (lambda account: account.save(), "+"),
    "updating": (lambda account: Account.objects.filter(pk=account.pk).update(name="New"), "+~"),
    "updating nothing new": (lambda account: Account.objects.update(name=account.name), "+"),
    "updating through another row": (lambda account: account.reseller.accounts.update(name="New"), "+~"),
    "updating what is no part of a version": (lambda account: Account.objects.update(search_text="x"), "+"),
    "updating many": (lambda account: Account.objects.bulk_update([rename(account)], ["name"]), "+~"),
    "deleting": (lambda account: Account.objects.get(pk=account.pk).delete(), "+-"),
    "deleting many": (lambda account: Account.objects.filter(pk=account.pk).delete(), "+-"),
}


def rename(account: Account) -> Account:
    account.name = "New"
    return account


@pytest.mark.parametrize(("write", "expected"), WRITES.values(), ids=WRITES)
def test_each_way_of_writing_leaves_its_version(write: Callable[[Account], object], expected: str) -> None:
    account = AccountFactory(name="Old")

    write(account)

    assert kinds(account) == expected
    versions = Account.history.filter(id=account.pk).order_by("history_id")
    assert (
        list(versions.values_list("name", flat=True)) == ["Old", "New" if expected == "+~" else "Old"][: len(expected)]
    )


def test_rows_made_at_once_are_recorded() -> None:
    package = PackageFactory()

    made = Product.objects.bulk_create([Product(sku="A", name="A", package=package), Product(sku="B", name="B")])

    assert [kinds(product) for product in made] == ["+", "+"]
    assert latest(made[0]).package_id == package.pk


@pytest.mark.parametrize("passing_over", ["ignore_conflicts", "update_conflicts"])
def test_rows_of_which_nobody_would_know_are_refused(passing_over: str) -> None:
    with pytest.raises(ValueError, match="one way only"):
        Package.objects.bulk_create([Package(name="A", code="a")], **{passing_over: True})

    assert not Package.objects.exists()


def test_a_version_of_a_field_saved_alone_holds_what_others_wrote_meanwhile() -> None:
    account = AccountFactory(tier=Account.Tier.TRIAL)
    seen_before = Account.objects.get(pk=account.pk)
    Account.objects.update(tier=Account.Tier.PAID)

    rename(seen_before).save(update_fields=["name"])

    assert (latest(account).name, latest(account).tier) == ("New", Account.Tier.PAID)


def test_a_price_computed_by_the_database_is_recorded_as_it_came_out() -> None:
    line = ContractProductFactory(unit_price="100.00")

    ContractProduct.objects.update(unit_price=models.F("unit_price") * 2)

    assert latest(line).unit_price == Decimal("200.00")


def named(contract: Contract) -> list[set[int]]:
    """The accounts that each version of the contract names, oldest first."""
    versions = Contract.history.filter(id=contract.pk).order_by("history_id")
    return [{reference.account_id for reference in version.exclusive_accounts.all()} for version in versions]


def test_naming_accounts_is_recorded_from_either_side() -> None:
    contract = ContractFactory()
    first, second = AccountFactory.create_batch(2, reseller=contract.reseller)

    contract.exclusive_accounts.add(first)
    second.exclusive_contracts.add(contract)
    first.exclusive_contracts.remove(contract)
    second.exclusive_contracts.clear()

    assert named(contract) == [set(), {first.pk}, {first.pk, second.pk}, {second.pk}, set()]


def test_named_accounts_stay_in_the_versions_of_other_changes() -> None:
    contract = ContractFactory()
    account = AccountFactory(reseller=contract.reseller)
    contract.exclusive_accounts.add(account)

    Contract.objects.update(title="Another")
    Contract.objects.bulk_update([contract], ["title"])

    assert named(contract) == [set(), {account.pk}, {account.pk}, {account.pk}]


def test_giving_a_group_is_recorded() -> None:
    user = UserFactory()
    group = Group.objects.create(name="Night shift")

    user.groups.add(group)

    assert [reference.group_id for reference in latest(user).groups.all()] == [group.pk]


def test_lines_and_grants_that_go_with_their_contract_are_recorded() -> None:
    line, grant = ContractProductFactory(), ContractGrantFactory()

    Contract.objects.all().delete()

    assert (kinds(line), kinds(grant)) == ("+-", "+-")


def test_who_and_why_are_said_for_all_that_is_written_inside() -> None:
    operator, contract = OperatorFactory(), ContractFactory()

    with recorded_as(by=operator, reason="Prices of the new year"):
        Contract.objects.update(title="2027")
        ContractProductFactory(contract=contract)
        with recorded_as(reason="and its currency"):
            Contract.objects.update(currency="USD")

    title, currency = Contract.history.filter(history_type="~").order_by("history_id")
    line = ContractProduct.history.get()
    assert {title.history_user_id, currency.history_user_id, line.history_user_id} == {operator.pk}
    assert (title.history_change_reason, line.history_change_reason) == ("Prices of the new year",) * 2
    assert currency.history_change_reason == "and its currency"
    assert title.history_act == currency.history_act == line.history_act


def test_what_nobody_claims_has_no_author_and_stands_alone() -> None:
    first, second = PackageFactory(), PackageFactory()

    assert latest(first).history_user_id is None
    assert latest(first).history_act != latest(second).history_act


def test_versions_go_back_with_what_they_tell_of() -> None:
    account = AccountFactory()

    with transaction.atomic():
        Account.objects.update(name="New")
        transaction.set_rollback(True)

    assert kinds(account) == "+"


def test_authors_are_known_after_they_were_deleted() -> None:
    operator = OperatorFactory()
    with recorded_as(by=operator):
        package = PackageFactory()
    key = operator.pk

    operator.delete()

    assert latest(package).history_user_id == key
    assert User.history.filter(id=key).latest().email == operator.email


def test_a_request_is_one_act_of_whoever_is_signed_in(client: Client) -> None:
    operator = OperatorFactory()
    client.force_login(operator)

    client.post(reverse("admin:products_package_add"), {"name": "Gold", "code": "gold"})

    version = Package.history.get()
    assert (version.history_type, version.history_user_id) == ("+", operator.pk)


def test_signing_in_leaves_no_version(client: Client) -> None:
    user = UserFactory()

    answer = client.post(reverse("login"), {"username": user.email, "password": "demo"})

    assert answer.status_code == 302
    user.refresh_from_db()
    assert user.last_login is not None
    assert kinds(user) == "+"


def test_a_reseller_s_acts_are_recorded_as_its_user_s(client: Client) -> None:
    grant = ContractGrantFactory()
    client.force_login(grant.user)

    client.post(
        reverse("new_account"), {"name": "Ege Otelleri", "reference": "E-1", "tier": "trial", "confirmed_name": ""}
    )
    account = Account.objects.get()
    client.post(reverse("edit_account", args=[account.pk]), {"name": "Ege Turizm", "confirmed_name": ""})
    client.post(reverse("make_account_paid", args=[account.pk]))

    versions = Account.history.filter(id=account.pk).order_by("history_id")
    told = [(v.history_type, v.name, v.tier, v.history_user_id) for v in versions]
    assert told == [
        ("+", "Ege Otelleri", "trial", grant.user.pk),
        ("~", "Ege Turizm", "trial", grant.user.pk),
        ("~", "Ege Turizm", "paid", grant.user.pk),
    ]


def test_many_rows_are_recorded_by_the_same_statements_as_few(django_assert_max_num_queries: Any) -> None:
    reseller = ResellerFactory()
    Account.objects.bulk_create(
        Account(reseller=reseller, name=f"Account {number}", reference=f"A-{number}") for number in range(300)
    )

    with django_assert_max_num_queries(8):
        Account.objects.update(tier=Account.Tier.TRIAL)

    assert Account.history.filter(history_type="~").count() == 300


@pytest.mark.django_db(transaction=True)
def test_rows_from_before_the_record_began_get_a_first_version() -> None:
    contract = ContractFactory()
    contract.exclusive_accounts.add(AccountFactory(reseller=contract.reseller))
    user = UserFactory()
    user.groups.add(Group.objects.create(name="Night shift"))

    try:
        call_command("migrate", "contracts", "0002", verbosity=0)
        call_command("migrate", "products", "0001", verbosity=0)
        assert "contracts_contract_history" not in connection.introspection.table_names()
    finally:
        call_command("migrate", verbosity=0)

    assert (kinds(contract), kinds(user)) == ("~", "~")
    assert named(contract) == [{account.pk for account in contract.exclusive_accounts.all()}]
    assert [reference.group_id for reference in latest(user).groups.all()] == [user.groups.get().pk]
    Contract.objects.update(title="Another")
    assert kinds(contract) == "~~"


def test_naming_keeps_an_account_from_deletion(client: Client) -> None:
    """A contract that lost its only exclusive account would serve everybody."""
    contract = ContractFactory()
    account = AccountFactory(reseller=contract.reseller)
    contract.exclusive_accounts.add(account)
    client.force_login(OperatorFactory())

    page = client.post(reverse("admin:accounts_account_delete", args=[account.pk]), {"post": "yes"})

    assert contract.number in page.content.decode()
    assert Account.objects.filter(pk=account.pk).exists()
