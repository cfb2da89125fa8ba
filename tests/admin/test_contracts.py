"""A contract's page: what it takes, and what it refuses with a sentence and without writing."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models.signals import pre_save
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.asserts import assertInHTML

from contracts.models import Contract, ContractGrant, ContractProduct
from tests.admin.forms import contract_page, errors
from tests.admin.others import held_elsewhere
from tests.factories import (
    AccountFactory,
    ContractFactory,
    ContractGrantFactory,
    ContractProductFactory,
    LicenseFactory,
    ProductFactory,
    PurchaseFactory,
    ResellerFactory,
    UserFactory,
    receive,
)

ADD = "/admin/contracts/contract/add/"


def change(contract: Contract) -> str:
    return reverse("admin:contracts_contract_change", args=[contract.pk])


def as_sent(contract: Contract, **terms: Any) -> dict[str, Any]:
    """The terms that the page of a contract made by its factory sends back, with other ones where given."""
    return {
        "reseller": contract.reseller_id,
        "number": contract.number,
        "title": contract.title,
        "starts_on": contract.starts_on.isoformat(),
        "exclusive_accounts": [account.pk for account in contract.exclusive_accounts.all()],
        **terms,
    }


def line_as_sent(line: ContractProduct, **facts: Any) -> dict[str, Any]:
    return {
        "id": line.pk,
        "contract": line.contract_id,
        "unit_price": line.unit_price,
        "is_active": "on",
        **facts,
    }


def nothing_written() -> bool:
    return not (Contract.objects.exists() or ContractProduct.objects.exists() or ContractGrant.objects.exists())


def test_a_whole_contract_is_written_in_one_go(desk: Client) -> None:
    reseller = ResellerFactory()
    account = AccountFactory(reseller=reseller)
    user = UserFactory(reseller=reseller)
    product = ProductFactory()

    answer = desk.post(
        ADD,
        contract_page(
            {
                "reseller": reseller.pk,
                "number": "C-1001",
                "title": "Frame contract",
                "ends_on": "2027-12-31",
                "end_rule": "contract_end",
                "minimum_quantity": "5",
                "requires_po_number": "on",
                "conditions": "Prices hold.\r\nPay within 30 days.",
                "exclusive_accounts": [account.pk],
            },
            products=[{"product": product.pk, "unit_price": "120.50", "maximum_quantity": "5", "is_active": "on"}],
            grants=[{"user": user.pk, "can_create_licenses": "on"}],
        ),
    )

    assert answer.status_code == 302
    contract = Contract.objects.get()
    assert contract.number == "C-1001"
    assert contract.ends_on == date(2027, 12, 31)
    assert contract.conditions == "Prices hold.\nPay within 30 days."
    assert list(contract.exclusive_accounts.all()) == [account]
    line = contract.contract_products.get()
    assert (line.product, line.unit_price, line.maximum_quantity) == (product, Decimal("120.50"), 5)
    grant = contract.grants.get()
    assert (grant.user, grant.can_create_licenses) == (user, True)


@pytest.mark.usefixtures("several_lines")
def test_several_products_and_grants_are_written_together(desk: Client) -> None:
    reseller = ResellerFactory()
    products = [ProductFactory(), ProductFactory()]
    users = [UserFactory(reseller=reseller), UserFactory(reseller=reseller)]

    answer = desk.post(
        ADD,
        contract_page(
            {"reseller": reseller.pk},
            products=[{"product": product.pk, "unit_price": "1", "is_active": "on"} for product in products],
            grants=[{"user": user.pk} for user in users],
        ),
    )

    assert answer.status_code == 302
    contract = Contract.objects.get()
    assert {line.product for line in contract.contract_products.select_related("product")} == set(products)
    assert {grant.user for grant in contract.grants.select_related("user")} == set(users)


HUGE = "9" * 4000


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ({"end_rule": "contract_end", "ends_on": ""}, "need the contract's end date"),
        ({"ends_on": "2025-12-31"}, "ends before it starts"),
        ({"starts_on": ""}, "required"),
        ({"starts_on": "10000-01-01"}, "valid date"),
        ({"starts_on": "2026-02-31"}, "valid date"),
        ({"starts_on": "\x00"}, "valid date"),
        ({"ends_on": "31.02.2027"}, "valid date"),
        ({"number": ""}, "required"),
        ({"number": "C-\x00"}, "Null characters"),
        ({"number": "x" * 41}, "at most 40 characters"),
        ({"title": "x" * 201}, "at most 200 characters"),
        ({"title": "\x00"}, "Null characters"),
        ({"conditions": "a\x00b"}, "Null characters"),
        ({"conditions": "a\x07b"}, "cannot be shown"),
        ({"status": "abolished"}, "not one of the available choices"),
        ({"end_rule": "someday"}, "not one of the available choices"),
        ({"billing": "never"}, "not one of the available choices"),
        ({"currency": "eur"}, "no currency code"),
        ({"currency": "ＥＵＲ"}, "no currency code"),
        ({"currency": "€"}, "no currency code"),
        ({"currency": "ABC"}, "no currency code"),
        ({"currency": "BHD"}, "needs more"),
        ({"currency": "EURO"}, "at most 3 characters"),
        ({"term_months": "0"}, "greater than or equal to 1"),
        ({"term_months": "121"}, "less than or equal to 120"),
        ({"term_months": "-1"}, "greater than or equal to"),
        ({"term_months": HUGE}, "less than or equal to 120"),
        ({"term_months": "9" * 5000}, "whole number"),
        ({"term_months": "1.5"}, "whole number"),
        ({"term_months": ""}, "required"),
        ({"stock_life_months": "0"}, "greater than or equal to 1"),
        ({"stock_life_months": "99999999999"}, "less than or equal to 120"),
        ({"minimum_quantity": "0"}, "greater than or equal to 1"),
        ({"minimum_quantity": "10001"}, "less than or equal to 10000"),
        ({"minimum_quantity": HUGE}, "less than or equal to 10000"),
        ({"reseller": ""}, "required"),
        ({"reseller": "999999"}, "not one of the available choices"),
        ({"reseller": HUGE}, "not one of the available choices"),
        ({"reseller": "\x00"}, "Null characters"),
        ({"exclusive_accounts": ["999999"]}, "not one of the available choices"),
        ({"exclusive_accounts": [HUGE]}, "not a valid value"),
        ({"exclusive_accounts": ["\x00"]}, "not a valid value"),
    ],
    ids=lambda value: None if isinstance(value, str) else repr(value)[:40],
)
def test_new_contract_with_a_wrong_term_is_refused(desk: Client, terms: dict[str, Any], sentence: str) -> None:
    reseller = ResellerFactory()

    page = desk.post(ADD, contract_page({"reseller": reseller.pk, **terms}))

    assert sentence in errors(page)
    assert nothing_written()


def test_number_of_another_contract_is_refused(desk: Client) -> None:
    existing = ContractFactory()

    page = desk.post(ADD, contract_page({"reseller": existing.reseller.pk, "number": existing.number}))

    assert "already exists" in errors(page)
    assert Contract.objects.count() == 1


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ({"unit_price": "-0.01"}, "greater than or equal to 0"),
        ({"unit_price": ""}, "required"),
        ({"unit_price": "1.005"}, "2 decimal places"),
        ({"unit_price": "99999999999.00"}, "digits"),
        ({"unit_price": HUGE}, "digits"),
        ({"unit_price": "1e400"}, "digits"),
        ({"unit_price": "NaN"}, "number"),
        ({"unit_price": "Infinity"}, "number"),
        ({"unit_price": "12\x00"}, "number"),
        ({"maximum_quantity": "0"}, "Raise the maximum to 1 or more"),
        ({"maximum_quantity": "-5"}, "greater than or equal to"),
        ({"maximum_quantity": "10001"}, "less than or equal to 10000"),
        ({"maximum_quantity": HUGE}, "less than or equal to 10000"),
        ({"maximum_quantity": "many"}, "whole number"),
        ({"product": ""}, "required"),
        ({"product": "999999"}, "not one of the available choices"),
        ({"product": HUGE}, "not one of the available choices"),
        ({"product": "\x00"}, "Null characters"),
    ],
    ids=lambda value: None if isinstance(value, str) else repr(value)[:40],
)
def test_new_contract_with_a_wrong_product_line_is_refused(desk: Client, line: dict[str, Any], sentence: str) -> None:
    reseller, product = ResellerFactory(), ProductFactory()

    page = desk.post(
        ADD,
        contract_page(
            {"reseller": reseller.pk},
            products=[{"product": product.pk, "unit_price": "1.00", "is_active": "on", **line}],
        ),
    )

    assert sentence in errors(page)
    assert nothing_written()


def test_maximum_below_the_minimum_is_refused_with_the_way_out(desk: Client) -> None:
    page = desk.post(
        ADD,
        contract_page(
            {"reseller": ResellerFactory().pk, "minimum_quantity": "5"},
            products=[{"product": ProductFactory().pk, "unit_price": "1", "maximum_quantity": "4"}],
        ),
    )

    assert "Raise the maximum to 5 or more" in errors(page)
    assert nothing_written()


def test_raising_the_minimum_above_a_stored_maximum_is_refused(desk: Client) -> None:
    line = ContractProductFactory(maximum_quantity=4)
    contract = line.contract

    page = desk.post(
        change(contract),
        contract_page(
            as_sent(contract, minimum_quantity="5"),
            products=[line_as_sent(line, maximum_quantity="4")],
            stored=(1, 0),
        ),
    )

    assert "Raise the maximum to 5 or more" in errors(page)
    contract.refresh_from_db()
    assert contract.minimum_quantity == 1


def test_price_finer_than_the_currency_is_refused(desk: Client) -> None:
    page = desk.post(
        ADD,
        contract_page(
            {"reseller": ResellerFactory().pk, "currency": "JPY"},
            products=[{"product": ProductFactory().pk, "unit_price": "10.50"}],
        ),
    )

    assert "no amounts that small" in errors(page)
    assert nothing_written()


@pytest.mark.usefixtures("several_lines")
def test_the_same_product_twice_is_refused(desk: Client) -> None:
    line = {"product": ProductFactory().pk, "unit_price": "1"}

    page = desk.post(ADD, contract_page({"reseller": ResellerFactory().pk}, products=[line, line]))

    assert "duplicate" in errors(page)
    assert nothing_written()


def test_a_product_that_the_contract_has_is_refused(desk: Client) -> None:
    line = ContractProductFactory()
    again = {"contract": line.contract.pk, "product": line.product.pk, "unit_price": "1"}

    page = desk.post(
        change(line.contract),
        contract_page(as_sent(line.contract), products=[line_as_sent(line), again], stored=(1, 0)),
    )

    assert "duplicate" in errors(page) or "already" in errors(page)
    assert ContractProduct.objects.get() == line


@pytest.mark.usefixtures("several_lines")
def test_the_same_user_twice_is_refused(desk: Client) -> None:
    user = UserFactory()

    page = desk.post(ADD, contract_page({"reseller": user.reseller_id}, grants=[{"user": user.pk}, {"user": user.pk}]))

    assert "duplicate" in errors(page)
    assert nothing_written()


def test_grant_for_another_reseller_s_user_is_refused(desk: Client) -> None:
    reseller, stranger = ResellerFactory(), UserFactory()

    page = desk.post(ADD, contract_page({"reseller": reseller.pk}, grants=[{"user": stranger.pk}]))

    assert f"{stranger.email} is no user of {reseller.name}" in errors(page)
    assert nothing_written()


def test_grant_for_the_operator_s_staff_is_refused(desk: Client, operator: Any) -> None:
    page = desk.post(ADD, contract_page({"reseller": ResellerFactory().pk}, grants=[{"user": operator.pk}]))

    assert "is no user of" in errors(page)
    assert nothing_written()


def test_grant_for_a_stranger_on_a_stored_contract_is_refused(desk: Client) -> None:
    contract, stranger = ContractFactory(), UserFactory()

    page = desk.post(
        change(contract),
        contract_page(as_sent(contract, title="New title"), grants=[{"contract": contract.pk, "user": stranger.pk}]),
    )

    assert "is no user of" in errors(page)
    assert not ContractGrant.objects.exists()
    contract.refresh_from_db()
    assert contract.title != "New title"


@pytest.mark.parametrize(
    ("user", "sentence"),
    [
        ("999999", "not one of the available choices"),
        (HUGE, "not one of the available choices"),
        ("\x00", "Null characters"),
    ],
    ids=["unknown", "huge", "NUL"],
)
def test_grant_for_nobody_is_refused(desk: Client, user: str, sentence: str) -> None:
    page = desk.post(
        ADD,
        contract_page(
            {"reseller": ResellerFactory().pk}, grants=[{"user": user, "can_create_licenses": "on", "id": ""}]
        ),
    )

    assert sentence in errors(page)
    assert nothing_written()


def test_exclusive_account_of_another_reseller_is_refused(desk: Client) -> None:
    reseller = ResellerFactory()
    own, stranger = AccountFactory(reseller=reseller), AccountFactory()

    page = desk.post(ADD, contract_page({"reseller": reseller.pk, "exclusive_accounts": [own.pk, stranger.pk]}))

    assert f"no accounts of {reseller.name}: {stranger}" in errors(page)
    assert nothing_written()


def test_exclusive_account_of_another_reseller_is_refused_on_a_stored_contract(desk: Client) -> None:
    contract, stranger = ContractFactory(), AccountFactory()

    page = desk.post(change(contract), contract_page(as_sent(contract, exclusive_accounts=[stranger.pk])))

    assert "no accounts of" in errors(page)
    assert not contract.exclusive_accounts.exists()


def test_unused_contract_goes_to_another_reseller(desk: Client) -> None:
    contract, other = ContractFactory(), ResellerFactory()

    answer = desk.post(change(contract), contract_page(as_sent(contract, reseller=other.pk)))

    assert answer.status_code == 302
    contract.refresh_from_db()
    assert contract.reseller == other


def test_contract_with_grants_stays_with_its_reseller(desk: Client) -> None:
    grant, other = ContractGrantFactory(), ResellerFactory()
    contract = grant.contract

    page = desk.post(
        change(contract),
        contract_page(
            as_sent(contract, reseller=other.pk),
            grants=[{"id": grant.pk, "contract": contract.pk, "can_create_licenses": "on"}],
            stored=(0, 1),
        ),
    )

    assert "Remove their grants first" in errors(page)
    contract.refresh_from_db()
    assert contract.reseller == grant.user.reseller


@pytest.mark.parametrize("use", ["purchase", "license", "stock"])
def test_used_contract_stays_with_its_reseller(desk: Client, use: str) -> None:
    contract, other = ContractFactory(), ResellerFactory()
    if use == "purchase":
        PurchaseFactory(contract=contract)
    elif use == "license":
        LicenseFactory(contract=contract)
    else:
        receive(contract, ContractProductFactory(contract=contract).product, 1)
    stored = [line_as_sent(line) for line in contract.contract_products.all()]
    reseller = contract.reseller

    page = desk.post(
        change(contract),
        contract_page(as_sent(contract, reseller=other.pk), products=stored, stored=(len(stored), 0)),
    )

    assert f"Make a new contract for {other.name}" in errors(page)
    contract.refresh_from_db()
    assert contract.reseller == reseller


def test_exclusive_accounts_keep_a_contract_from_another_reseller(desk: Client) -> None:
    contract, other = ContractFactory(), ResellerFactory()
    contract.exclusive_accounts.add(AccountFactory(reseller=contract.reseller))
    reseller = contract.reseller

    page = desk.post(change(contract), contract_page(as_sent(contract, reseller=other.pk)))

    assert "no accounts of" in errors(page)
    contract.refresh_from_db()
    assert contract.reseller == reseller


def test_terms_of_a_used_contract_can_change(desk: Client) -> None:
    line = ContractProductFactory()
    contract = line.contract
    PurchaseFactory(contract=contract, product=line.product)

    answer = desk.post(
        change(contract),
        contract_page(
            as_sent(contract, status="suspended", ends_on="2030-01-01"),
            products=[line_as_sent(line, unit_price="77.00")],
            stored=(1, 0),
        ),
    )

    assert answer.status_code == 302
    contract.refresh_from_db()
    assert (contract.status, contract.ends_on) == ("suspended", date(2030, 1, 1))
    assert contract.contract_products.get().unit_price == Decimal("77.00")


def test_saving_the_page_unchanged_changes_nothing(desk: Client) -> None:
    contract = ContractFactory(conditions="First line.\nSecond line.")
    before = Contract.objects.values().get()

    answer = desk.post(change(contract), contract_page(as_sent(contract, conditions="First line.\r\nSecond line.\r\n")))

    assert answer.status_code == 302
    assert Contract.objects.values().get() == before


def test_product_of_a_stored_line_is_fixed(desk: Client) -> None:
    line = ContractProductFactory()
    product = line.product

    desk.post(
        change(line.contract),
        contract_page(
            as_sent(line.contract), products=[line_as_sent(line, product=ProductFactory().pk)], stored=(1, 0)
        ),
    )

    line.refresh_from_db()
    assert line.product == product


def test_stored_lines_show_their_product_and_user(desk: Client) -> None:
    line = ContractProductFactory()
    grant = ContractGrantFactory(contract=line.contract)

    page = desk.get(change(line.contract))

    for chosen in (line.product, grant.user):
        assertInHTML(f'<option value="{chosen.pk}" selected>{chosen}</option>', page.text)


def test_lines_are_removed_and_added(desk: Client) -> None:
    line = ContractProductFactory()
    grant = ContractGrantFactory(contract=line.contract)
    contract, product = line.contract, ProductFactory()

    answer = desk.post(
        change(contract),
        contract_page(
            as_sent(contract),
            products=[
                line_as_sent(line, DELETE="on"),
                {"contract": contract.pk, "product": product.pk, "unit_price": "3"},
            ],
            grants=[{"id": grant.pk, "contract": contract.pk, "DELETE": "on"}],
            stored=(1, 1),
        ),
    )

    assert answer.status_code == 302
    assert contract.contract_products.get().product == product
    assert not contract.grants.exists()


@pytest.mark.parametrize(
    "tampering",
    [
        {"contract_products-TOTAL_FORMS": ""},
        {"contract_products-TOTAL_FORMS": HUGE},
        {"contract_products-TOTAL_FORMS": "\x00"},
        {"contract_products-0-id": "abc"},
        {"contract_products-0-id": HUGE},
        {"contract_products-0-id": "\x00"},
        {"contract_products-0-id": ""},
        {"contract_products-0-contract": "999999"},
        {"contract_products-0-contract": HUGE},
    ],
    ids=repr,
)
def test_tampered_page_is_refused(desk: Client, tampering: dict[str, str]) -> None:
    line = ContractProductFactory()
    sent = contract_page(
        as_sent(line.contract, title="New title"), products=[line_as_sent(line, unit_price="5")], stored=(1, 0)
    )

    page = desk.post(change(line.contract), {**sent, **{k: v[:60] for k, v in tampering.items()}})

    assert page.status_code == 200
    line.refresh_from_db()
    assert line.unit_price == Decimal("100.00")
    assert Contract.objects.get().title != "New title"


def test_line_of_another_contract_is_out_of_reach(desk: Client) -> None:
    contract, strange_line = ContractFactory(), ContractProductFactory()

    desk.post(
        change(contract),
        contract_page(as_sent(contract), products=[line_as_sent(strange_line, unit_price="5")], stored=(1, 0)),
    )

    strange_line.refresh_from_db()
    assert strange_line.unit_price == Decimal("100.00")


def test_number_taken_between_check_and_writing_is_told(desk: Client) -> None:
    reseller = ResellerFactory()

    def somebody_else_saves(sender: type[Contract], instance: Contract, **_: object) -> None:
        pre_save.disconnect(somebody_else_saves, sender=Contract)
        ContractFactory(number=instance.number)

    pre_save.connect(somebody_else_saves, sender=Contract)

    page = desk.post(ADD, contract_page({"reseller": reseller.pk}), follow=True)

    assert page.status_code == 200
    assert "Somebody else saved something in the meantime" in page.text
    assert not Contract.objects.filter(reseller=reseller).exists()


def test_contract_without_purchases_is_deleted_with_its_lines(desk: Client) -> None:
    grant = ContractGrantFactory()
    ContractProductFactory(contract=grant.contract)

    answer = desk.post(reverse("admin:contracts_contract_delete", args=[grant.contract.pk]), {"post": "yes"})

    assert answer.status_code == 302
    assert nothing_written()


@pytest.mark.postgresql_only
@pytest.mark.django_db(transaction=True)
def test_saving_or_deleting_holds_the_contract_before_it_reads_the_lines(desk: Client) -> None:
    line = ContractProductFactory()
    contract = line.contract
    writes = [
        (change(contract), contract_page(as_sent(contract), products=[line_as_sent(line)], stored=(1, 0))),
        (reverse("admin:contracts_contract_delete", args=[contract.pk]), {"post": "yes"}),
    ]

    for url, sent in writes:
        with CaptureQueriesContext(connection) as statements:
            answer = desk.post(url, sent)

        assert answer.status_code == 302
        held, read = (
            next(number for number, query in enumerate(statements.captured_queries) if words in query["sql"])
            for words in ("FOR NO KEY UPDATE", 'FROM "contracts_contractproduct"')
        )
        assert held < read


@pytest.mark.postgresql_only
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["save", "delete", "delete_many"])
def test_contract_that_a_purchase_holds_for_too_long_is_left_as_it_is(desk: Client, act: str) -> None:
    contract = ContractFactory()
    url, sent = {
        "save": (change(contract), contract_page(as_sent(contract, title="New title"))),
        "delete": (reverse("admin:contracts_contract_delete", args=[contract.pk]), {"post": "yes"}),
        "delete_many": (
            reverse("admin:contracts_contract_changelist"),
            {"action": "delete_selected", "_selected_action": str(contract.pk), "post": "yes", "index": "0"},
        ),
    }[act]

    with held_elsewhere(contract):
        page = desk.post(url, sent, follow=True)

    assert page.status_code == 200
    assert "in use for too long" in page.text
    assert Contract.objects.get().title == contract.title
