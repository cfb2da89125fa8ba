"""The page that answers why somebody cannot buy."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, Reseller, User
from contracts.models import Contract, ContractGrant, ContractProduct
from products.models import Product
from purchases.models import PurchaseDraft
from tests.factories import (
    AccountFactory,
    ContractFactory,
    ContractGrantFactory,
    ContractProductFactory,
    PackageFactory,
    PurchaseDraftFactory,
    UserFactory,
)

WHY = "/admin/contracts/contract/why/"


def page_of(row: Any, part: str = "") -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk]) + part


@pytest.fixture
def order(db: None) -> PurchaseDraft:
    """Rows that every rule accepts."""
    line = ContractProductFactory()
    grant = ContractGrantFactory(contract=line.contract)
    account = AccountFactory(reseller=line.contract.reseller)
    return PurchaseDraftFactory(user=grant.user, contract=line.contract, account=account, product=line.product)


def ask(desk: Client, order: PurchaseDraft, **other: Any) -> Any:
    about: dict[str, Any] = {"user": order.user_id, "contract": order.contract_id, "account": order.account_id}
    return desk.get(WHY, {**about, "product": order.product_id, **other})


def test_yes_where_nothing_stands_in_the_way(desk: Client, order: PurchaseDraft) -> None:
    assert "Yes, they can buy" in ask(desk, order).text


def test_no_with_the_buyer_s_sentence_and_where_to_change_it(desk: Client, order: PurchaseDraft) -> None:
    Contract.objects.update(status="suspended")

    page = ask(desk, order)

    contract = Contract.objects.get()
    assert f"Contract {contract.number} is suspended. Ask the operator." in page.text
    assert f'href="{page_of(contract)}"' in page.text
    assert "Yes, they can buy" not in page.text


def _places(order: PurchaseDraft) -> dict[str, tuple[Any, str]]:
    """What is done, and where the page then leads."""
    contract, account = order.contract, order.account
    assert contract is not None
    assert account is not None
    return {
        "no grant": (lambda: ContractGrant.objects.all().delete(), page_of(contract, "#grants-group")),
        "inactive user": (lambda: User.objects.filter(pk=order.user_id).update(is_active=False), page_of(order.user)),
        "inactive reseller": (lambda: Reseller.objects.update(is_active=False), page_of(order.reseller)),
        "trial": (lambda: Account.objects.update(tier="trial"), page_of(order.account)),
        "inactive account": (lambda: Account.objects.update(is_active=False), page_of(order.account)),
        "exclusive": (
            lambda: contract.exclusive_accounts.add(AccountFactory(reseller=contract.reseller)),
            page_of(contract, "#id_exclusive_accounts"),
        ),
        "bound elsewhere": (
            lambda: ContractFactory(reseller=contract.reseller).exclusive_accounts.set(
                Account.objects.filter(pk=account.pk)
            ),
            f"/admin/contracts/contract/?exclusive_accounts__id__exact={account.pk}",
        ),
        "off the list": (
            lambda: ContractProduct.objects.update(is_active=False),
            page_of(contract, "#contract_products-group"),
        ),
        "retired": (lambda: Product.objects.update(is_active=False), page_of(order.product)),
        "package": (lambda: Product.objects.update(package=PackageFactory()), page_of(order.account)),
    }


@pytest.mark.parametrize(
    "what",
    [
        "no grant",
        "inactive user",
        "inactive reseller",
        "trial",
        "inactive account",
        "exclusive",
        "bound elsewhere",
        "off the list",
        "retired",
        "package",
    ],
)
def test_page_leads_to_where_it_is_changed(desk: Client, order: PurchaseDraft, what: str) -> None:
    happen, place = _places(order)[what]
    happen()

    page = ask(desk, order)

    assert f'href="{place}"' in page.text
    assert desk.get(place.partition("#")[0]).status_code == 200


def test_another_reseller_s_user_and_account_are_told(desk: Client, order: PurchaseDraft) -> None:
    page = ask(desk, order, user=UserFactory().pk, account=AccountFactory().pk)

    assert "You may look at contract" in page.text
    assert "is no account of yours" in page.text


def test_question_begins_on_the_pages_of_user_and_contract(desk: Client, order: PurchaseDraft) -> None:
    contract = order.contract
    assert contract is not None
    for row, asked in ((order.user, f"{WHY}?user={order.user_id}"), (contract, f"{WHY}?contract={contract.pk}")):
        assert f'href="{asked}"' in desk.get(page_of(row)).text
        page = desk.get(asked)
        assert page.status_code == 200
        assert "required" not in str(page.context["errors"])
        offers = reverse("admin:contracts_contract_choices", args=[order.reseller_id])
        assert page.text.count(f'data-ajax--url="{offers}"') == 3


@pytest.mark.parametrize("garbage", ["0", "-1", "abc", "9" * 40, "9" * 5000, "\x00", "½"])
@pytest.mark.parametrize("name", ["user", "contract", "account", "product"])
def test_absurd_question_is_answered(desk: Client, order: PurchaseDraft, name: str, garbage: str) -> None:
    page = ask(desk, order, **{name: garbage})

    assert page.status_code == 200
    assert "Yes, they can buy" not in page.text


@pytest.mark.parametrize("missing", ["contracts.view_contract", "accounts.view_user", "accounts.view_account", None])
def test_question_needs_the_right_to_see_what_it_is_about(
    client: Client, order: PurchaseDraft, missing: str | None
) -> None:
    staff = UserFactory(reseller=None, is_staff=True)
    needed = {"contracts.view_contract", "accounts.view_user", "accounts.view_account", "products.view_product"}
    for right in needed - {missing}:
        app, codename = right.split(".")
        staff.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    client.force_login(staff)

    assert ask(client, order).status_code == (200 if missing is None else 403)


def test_question_costs_few_statements(
    desk: Client, order: PurchaseDraft, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(20):
        ContractProductFactory(contract=order.contract)
        ContractGrantFactory(contract=order.contract)

    with django_assert_max_num_queries(16):
        ask(desk, order)
