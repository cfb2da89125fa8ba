"""What is true now of a draft's choices, and which of them is the first that has to be answered."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from purchases.models import Fulfilment, PurchaseDraft
from purchases.services.facts import AnswerMissing, Held, PurchaseFacts
from purchases.services.rules import ContractNotActive, PurchaseRefused
from purchases.services.steps import Step
from tests.factories import LicenseFactory, PurchaseDraftFactory
from tests.purchases.orders import TODAY, a_line, an_order, facts_of, stock_for

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("unanswered", "step"),
    [
        ({"contract": None, "account": None, "product": None, "quantity": None}, Step.CONTRACT),
        ({"contract": None}, Step.CONTRACT),
        ({"account": None, "product": None, "quantity": None}, Step.ACCOUNT),
        ({"product": None, "quantity": None}, Step.PRODUCT),
        ({"product": None}, Step.PRODUCT),
        ({"quantity": None}, Step.QUANTITY),
    ],
)
def test_first_open_step_is_the_first_without_an_answer(unanswered: dict[str, Any], step: Step) -> None:
    draft = an_order()
    PurchaseDraft.objects.update(**unanswered)

    assert facts_of(draft).first_open_step() == (step, None)


def test_first_open_step_of_a_complete_draft_is_the_preview() -> None:
    assert facts_of(an_order()).first_open_step() == (Step.PREVIEW, None)


def test_first_open_step_is_the_stock_choice_where_there_is_stock() -> None:
    draft = an_order()
    stock_for(draft, 1)

    assert facts_of(draft).first_open_step() == (Step.STOCK, None)


def test_first_open_step_comes_with_the_refusal_of_an_answer_that_no_longer_holds() -> None:
    draft = an_order(line=a_line(status="suspended"))
    PurchaseDraft.objects.update(quantity=None)

    step, refusal = facts_of(draft).first_open_step()

    assert step is Step.CONTRACT
    assert type(refusal) is ContractNotActive


@pytest.mark.parametrize("step", Step)
def test_check_until_a_step_asks_for_the_answers_before_it_alone(step: Step) -> None:
    before = list(Step)[: list(Step).index(step)]
    answers = an_order()
    draft = PurchaseDraftFactory(user=answers.user)
    for name in ("contract", "account", "product", "quantity"):
        if any(question.answer == name for question in before):
            setattr(draft, name, getattr(answers, name))
    draft.save()

    facts_of(draft).check_until(step)


@pytest.mark.parametrize("step", list(Step)[1:])
def test_check_until_a_step_refuses_what_is_unanswered_before_it(step: Step) -> None:
    draft = PurchaseDraftFactory()

    with pytest.raises(AnswerMissing) as missing:
        facts_of(draft).check_until(step)

    assert (missing.value.code, missing.value.answer) == ("answer_missing", "contract")
    assert str(missing.value) == "This order is not complete yet. Answer the open question first."


def test_account_of_another_reseller_is_refused_and_not_treated_as_missing() -> None:
    draft = an_order()
    stranger = an_order().account
    assert stranger is not None
    PurchaseDraft.objects.filter(pk=draft.pk).update(account=stranger)

    step, refusal = facts_of(draft).first_open_step()

    assert step is Step.ACCOUNT
    assert isinstance(refusal, PurchaseRefused)


def test_lots_come_in_the_order_of_use_whether_they_are_locked_or_not() -> None:
    draft = an_order()
    late = stock_for(draft, 1, use_by=TODAY + timedelta(days=9))
    young = stock_for(draft, 2, use_by=TODAY + timedelta(days=5))
    soon = stock_for(draft, 3, use_by=TODAY)
    with time_machine.travel(young.received_at - timedelta(days=1)):
        old = stock_for(draft, 4, use_by=TODAY + timedelta(days=5))

    with transaction.atomic():
        locked = PurchaseFacts(draft, buyer=draft.user, on=TODAY, locked=True).lots

    assert locked == facts_of(draft).lots == [soon, old, young, late]
    assert facts_of(draft).available == 10


def test_held_are_the_licenses_of_the_account_and_product_that_are_not_over_by_end_date() -> None:
    draft = an_order()
    same = {"account": draft.account, "product": draft.product, "contract": draft.contract}
    another_account = an_order(line=a_line(reseller=draft.reseller)).account
    tomorrow, yesterday = TODAY + timedelta(days=1), TODAY - timedelta(days=1)
    for ends_on in (tomorrow, TODAY, tomorrow):
        LicenseFactory(**same, starts_on=TODAY, ends_on=ends_on)
    LicenseFactory(**same, starts_on=yesterday, ends_on=yesterday)
    LicenseFactory(**same, starts_on=TODAY, ends_on=TODAY, cancelled_at=timezone.now())
    LicenseFactory(account=draft.account, starts_on=TODAY, ends_on=TODAY)
    LicenseFactory(**{**same, "account": another_account}, starts_on=TODAY, ends_on=TODAY)

    facts = facts_of(draft)

    assert facts.held == (Held(TODAY, 1), Held(tomorrow, 2))
    assert facts.held_quantity == 3


def test_held_counts_the_licenses_of_every_contract_and_those_that_begin_later() -> None:
    draft = an_order()
    other = a_line(reseller=draft.reseller, product=draft.product).contract
    ends_on = TODAY + timedelta(days=30)
    LicenseFactory(
        account=draft.account,
        product=draft.product,
        contract=other,
        starts_on=TODAY + timedelta(days=10),
        ends_on=ends_on,
    )

    assert facts_of(draft).held == (Held(ends_on, 1),)


def test_facts_are_read_once() -> None:
    facts = facts_of(an_order())
    facts.check_until(Step.PREVIEW)

    Account.objects.update(is_active=False)

    facts.check_until(Step.PREVIEW)


def test_answer_forgets_what_hangs_on_the_earlier_one() -> None:
    draft = an_order()
    stock_for(draft, 7)
    facts = facts_of(draft)
    assert facts.available == 7
    other = a_line(reseller=draft.reseller)

    facts.answer(Step.CONTRACT, contract=other.contract)
    facts.answer(Step.PRODUCT, product=other.product)

    assert facts.available == 0
    assert facts.contract == other.contract
    assert facts.line == other


def test_fulfilment_of_a_draft_is_the_one_chosen() -> None:
    draft = an_order(fulfilment=Fulfilment.STOCK_THEN_NEW)
    stock_for(draft, 1)

    assert facts_of(draft).chosen_fulfilment is Fulfilment.STOCK_THEN_NEW
