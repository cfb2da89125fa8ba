"""What a reseller does with its accounts, and what is refused to it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from accounts.models import Account, Reseller, User
from accounts.services import (
    AccountRefused,
    ManagingNotPermitted,
    ReferenceTaken,
    SimilarAccountsExist,
    create_account,
    edit_account,
    make_account_paid,
    similar_accounts,
)
from products.models import Package
from tests.factories import AccountFactory, PackageFactory, ResellerFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return UserFactory()


@pytest.fixture
def reseller(user: User) -> Reseller:
    assert user.reseller is not None
    return user.reseller


def new_account(user: User, **facts: Any) -> Account:
    return create_account(
        **{
            "by": user,
            "may_manage": True,
            "name": "Çınar Hastaneleri",
            "reference": "H-1",
            "package": None,
            "tier": Account.Tier.PAID,
            **facts,
        }
    )


def written() -> list[tuple[Any, ...]]:
    return list(Account.objects.order_by("pk").values_list())


@contextmanager
def nothing_is_written() -> Iterator[None]:
    before = written()
    yield
    assert written() == before


def test_create_account_adds_it_to_the_reseller_of_the_user(user: User, reseller: Reseller) -> None:
    package = PackageFactory()

    account = new_account(user, package=package, tier=Account.Tier.TRIAL)

    account.refresh_from_db()
    assert (account.reseller, account.package, account.tier) == (reseller, package, Account.Tier.TRIAL)
    assert (account.name, account.reference, account.is_active) == ("Çınar Hastaneleri", "H-1", True)
    assert account in Account.objects.matching("HASTANELERI h-1")


def test_create_account_refuses_who_may_not_manage_accounts(user: User) -> None:
    with nothing_is_written(), pytest.raises(ManagingNotPermitted, match="Ask your operator"):
        new_account(user, may_manage=False)


def test_create_account_refuses_a_user_without_reseller() -> None:
    with nothing_is_written(), pytest.raises(ManagingNotPermitted):
        new_account(UserFactory(reseller=None))


def test_create_account_refuses_a_reference_that_another_account_has(user: User, reseller: Reseller) -> None:
    AccountFactory(reseller=reseller, name="Ege Otelleri", reference="H-1")

    with nothing_is_written(), pytest.raises(ReferenceTaken) as refused:
        new_account(user)

    assert str(refused.value) == (
        "Ege Otelleri (H-1) has this reference already. Choose another one, or use that account."
    )
    assert (refused.value.code, refused.value.answer) == ("reference_taken", "reference")


def test_references_and_names_of_another_reseller_are_no_obstacle(user: User) -> None:
    AccountFactory(name="Çınar Hastaneleri", reference="H-1")

    new_account(user)

    assert Account.objects.filter(reference="H-1").count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_many_who_want_one_reference_at_once_one_gets_it() -> None:
    user = UserFactory()
    start, outcomes = threading.Barrier(8), []

    def compete(number: int) -> None:
        try:
            start.wait()
            outcomes.append(new_account(user, name=f"Account {number}").reference)
        except AccountRefused as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=compete, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["H-1", *["reference_taken"] * 7]
    assert Account.objects.count() == 1


@pytest.mark.parametrize(
    ("existing", "name"),
    [
        ("Çınar Hastaneleri", "Çınar Hastaneleri"),
        ("Çınar Hastaneleri", "CINAR HASTANELERI"),
        ("Işık Şirketi", "isik sirketi"),
        ("ISTANBUL", "İstanbul"),
        ("istanbul", "ISTANBUL"),
        ("İğdır Gıda", "IĞDIR GIDA"),
    ],
)
def test_create_account_asks_about_an_account_whose_name_folds_alike(
    user: User, reseller: Reseller, existing: str, name: str
) -> None:
    account = AccountFactory(reseller=reseller, name=existing)

    with nothing_is_written(), pytest.raises(SimilarAccountsExist) as refused:
        new_account(user, name=name)

    assert list(refused.value.accounts) == [account]


def test_create_account_takes_the_name_once_it_is_confirmed(user: User, reseller: Reseller) -> None:
    AccountFactory(reseller=reseller, name="Çınar Hastaneleri")

    account = new_account(user, confirmed_name="Çınar Hastaneleri")

    assert len(similar_accounts(reseller, account.name)) == 2


def test_create_account_asks_again_where_another_name_was_confirmed(user: User, reseller: Reseller) -> None:
    AccountFactory(reseller=reseller, name="Çınar Hastaneleri")

    with nothing_is_written(), pytest.raises(SimilarAccountsExist):
        new_account(user, confirmed_name="Ege Otelleri")


@pytest.mark.parametrize("existing", ["Çınar", "Çınar Hastaneleri Grubu", "Çınar Hastanesi", "Yeni Çınar Hastaneleri"])
def test_names_that_are_only_partly_alike_are_not_asked_about(user: User, reseller: Reseller, existing: str) -> None:
    AccountFactory(reseller=reseller, name=existing)

    assert new_account(user).name == "Çınar Hastaneleri"


def test_edit_account_changes_name_package_and_what_is_searched() -> None:
    account, package = AccountFactory(name="Old", reference="H-1"), PackageFactory()

    edit_account(account, by=UserFactory(), may_manage=True, name="Şafak Gıda", package=package)

    account.refresh_from_db()
    assert (account.name, account.package, account.reference) == ("Şafak Gıda", package, "H-1")
    assert list(Account.objects.matching("safak")) == [account]
    assert list(Account.objects.matching("old")) == []


def test_edit_account_takes_the_package_away() -> None:
    account = AccountFactory(package=PackageFactory())

    edit_account(account, by=UserFactory(), may_manage=True, name=account.name, package=None)

    account.refresh_from_db()
    assert account.package is None


def test_edit_account_refuses_who_may_not_manage_accounts() -> None:
    account = AccountFactory()

    with nothing_is_written(), pytest.raises(ManagingNotPermitted):
        edit_account(account, by=UserFactory(), may_manage=False, name="Another", package=None)


def test_edit_account_asks_about_another_account_of_the_new_name(reseller: Reseller) -> None:
    other = AccountFactory(reseller=reseller, name="Işık")
    account = AccountFactory(reseller=reseller, name="Güneş")

    with nothing_is_written(), pytest.raises(SimilarAccountsExist) as refused:
        edit_account(account, by=UserFactory(), may_manage=True, name="ISIK", package=None)
    edit_account(account, by=UserFactory(), may_manage=True, name="ISIK", package=None, confirmed_name="ISIK")

    assert list(refused.value.accounts) == [other]
    account.refresh_from_db()
    assert account.name == "ISIK"


@pytest.mark.parametrize("name", ["Işık", "IŞIK"])
def test_edit_account_does_not_ask_about_a_name_that_is_kept(reseller: Reseller, name: str) -> None:
    AccountFactory(reseller=reseller, name="Işık")
    account = AccountFactory(reseller=reseller, name="Işık")
    package: Package = PackageFactory()

    edit_account(account, by=UserFactory(), may_manage=True, name=name, package=package)

    account.refresh_from_db()
    assert (account.name, account.package) == (name, package)


def test_make_account_paid_is_done_once_and_for_all() -> None:
    account, another = AccountFactory(tier=Account.Tier.TRIAL), AccountFactory(tier=Account.Tier.TRIAL)

    for _ in range(2):
        make_account_paid(account, by=UserFactory(), may_manage=True)

    account.refresh_from_db()
    another.refresh_from_db()
    assert (account.tier, another.tier) == (Account.Tier.PAID, Account.Tier.TRIAL)


def test_make_account_paid_refuses_who_may_not_manage_accounts() -> None:
    account = AccountFactory(tier=Account.Tier.TRIAL)

    with nothing_is_written(), pytest.raises(ManagingNotPermitted):
        make_account_paid(account, by=UserFactory(), may_manage=False)


def test_similar_accounts_are_those_of_the_reseller_by_reference(reseller: Reseller) -> None:
    AccountFactory(reseller=ResellerFactory(), name="Işık", reference="A")
    second = AccountFactory(reseller=reseller, name="ISIK", reference="B-2")
    first = AccountFactory(reseller=reseller, name="ışık", reference="B-1")

    assert similar_accounts(reseller, "Işık") == [first, second]
