"""How many statements the wizard's pages take: few, and as many with a hundred rows as with one."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from purchases.models import Fulfilment, PurchaseDraft
from tests.factories import (
    AccountFactory,
    ContractFactory,
    ContractGrantFactory,
    ContractProductFactory,
    LicenseFactory,
    PurchaseFactory,
)
from tests.purchases.orders import TODAY, an_order, stock_for
from tests.purchases.wizard import STEPS, Wizard, begin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

MOST_OF_A_GET = 8
MOST_OF_A_POST = 12
MOST_OF_BUY = 20

ANSWERS: dict[str, Any] = {
    "contract_step": lambda draft: {"contract": draft.contract_id},
    "account_step": lambda draft: {"account": draft.account_id},
    "product_step": lambda draft: {"product": draft.product_id},
    "quantity_step": lambda draft: {"quantity": "3", "note": "Lobby"},
    "stock_step": lambda draft: {"fulfilment": "stock_then_new"},
}


def complete_order() -> Wizard:
    """An order of 3 licenses: from two lots, and the rest new."""
    wizard = begin(an_order(quantity=3, fulfilment=Fulfilment.STOCK_THEN_NEW))
    stock_for(wizard.draft, 1)
    stock_for(wizard.draft, 1)
    return wizard


@pytest.fixture
def wizard() -> Wizard:
    return complete_order()


def grow(wizard: Wizard) -> None:
    """Give each page a hundred rows that can be chosen, and as many that cannot."""
    draft = wizard.draft
    reseller = draft.reseller
    same = {"account": draft.account, "product": draft.product, "contract": draft.contract}
    for _ in range(100):
        ContractGrantFactory(contract=ContractFactory(reseller=reseller), user=draft.user)
        ContractFactory(reseller=reseller, status="suspended")
        bound, trial = AccountFactory(reseller=reseller), AccountFactory(reseller=reseller, tier="trial")
        ContractFactory(reseller=reseller).exclusive_accounts.add(bound, trial)
        PurchaseFactory(account=AccountFactory(reseller=reseller), placed_by=draft.user)
        ContractProductFactory(contract=draft.contract)
        ContractProductFactory(contract=draft.contract, is_active=False)
        LicenseFactory(**same, starts_on=TODAY)


def statements_of(wizard: Wizard, method: str, name: str, answers: dict[str, Any] | None = None) -> int:
    with CaptureQueriesContext(connection) as statements:
        page = getattr(wizard.client, method)(wizard.url(name), answers)
    assert page.status_code < 400
    return len(statements)


@pytest.mark.parametrize("name", [*STEPS, "resume_draft"])
def test_showing_a_step_takes_few_statements_however_many_rows_there_are(wizard: Wizard, name: str) -> None:
    few = statements_of(wizard, "get", name)

    grow(wizard)

    assert few == statements_of(wizard, "get", name) <= MOST_OF_A_GET


@pytest.mark.parametrize("name", ["contract_step", "account_step", "product_step"])
def test_searching_takes_few_statements(wizard: Wizard, name: str) -> None:
    grow(wizard)

    assert statements_of(wizard, "get", name, {"q": "1"}) <= MOST_OF_A_GET


@pytest.mark.parametrize("name", ANSWERS)
def test_saving_a_step_takes_few_statements_however_many_rows_there_are(wizard: Wizard, name: str) -> None:
    answers = ANSWERS[name](wizard.draft)
    few = statements_of(wizard, "post", name, answers)

    grow(wizard)

    assert few == statements_of(wizard, "post", name, answers) <= MOST_OF_A_POST


@pytest.mark.parametrize("name", ANSWERS)
def test_saving_the_first_answer_of_a_step_takes_few_statements(wizard: Wizard, name: str) -> None:
    answers = ANSWERS[name](wizard.draft)
    fields = ("contract", "account", "product", "quantity", "fulfilment")
    still_open = fields[STEPS.index(name) :]
    PurchaseDraft.objects.update(**dict.fromkeys(still_open))

    assert statements_of(wizard, "post", name, answers) <= MOST_OF_A_POST


def test_new_contract_that_clears_everything_takes_few_statements(wizard: Wizard) -> None:
    other = ContractFactory(reseller=wizard.draft.reseller, minimum_quantity=5)
    other.exclusive_accounts.add(AccountFactory(reseller=wizard.draft.reseller))
    ContractGrantFactory(contract=other, user=wizard.draft.user)

    assert statements_of(wizard, "post", "contract_step", {"contract": other.pk}) <= MOST_OF_A_POST


@pytest.mark.parametrize("name", ANSWERS)
def test_refusing_an_answer_takes_few_statements_however_many_rows_there_are(wizard: Wizard, name: str) -> None:
    grow(wizard)

    with CaptureQueriesContext(connection) as statements:
        page = wizard.post(name, {"quantity": "x"})

    assert page.status_code == 422
    assert len(statements) <= MOST_OF_A_POST


def test_starting_and_deleting_take_few_statements(wizard: Wizard) -> None:
    grow(wizard)
    with CaptureQueriesContext(connection) as started:
        wizard.client.post(reverse("start_purchase"))
    with CaptureQueriesContext(connection) as deleted:
        wizard.post("delete_draft")

    assert len(started) <= MOST_OF_A_POST
    assert len(deleted) <= MOST_OF_A_POST


def test_pressing_buy_takes_few_statements_however_many_rows_there_are(wizard: Wizard) -> None:
    few = statements_of(wizard, "post", "buy", {"fingerprint": wizard.fingerprint()})
    many = complete_order()
    grow(many)

    assert few == statements_of(many, "post", "buy", {"fingerprint": many.fingerprint()}) <= MOST_OF_BUY
