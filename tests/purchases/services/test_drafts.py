"""Answering the wizard's questions: what is saved, what is refused, and what a new answer costs."""

from typing import Any

import pytest

from contracts.models import ContractGrant
from purchases.models import Fulfilment, PurchaseDraft
from purchases.services.drafts import (
    Answered,
    Cleared,
    choose_account,
    choose_contract,
    choose_fulfilment,
    choose_product,
    choose_quantity,
    delete_draft,
    open_draft,
    open_drafts_of,
)
from purchases.services.rules import (
    AccountBoundElsewhere,
    AccountOnTrial,
    ContractNotActive,
    FulfilmentNotOffered,
    PackageMismatch,
    PermissionMissing,
    PoNumberNotAllowed,
    ProductNotInContract,
    QuantityNotAllowed,
)
from purchases.services.steps import Step
from tests.factories import (
    AccountFactory,
    ContractGrantFactory,
    ContractProductFactory,
    PackageFactory,
    ProductFactory,
    PurchaseDraftFactory,
    PurchaseFactory,
    UserFactory,
)
from tests.purchases.orders import a_line, an_order, facts_of, press_buy, stock_for

pytestmark = pytest.mark.django_db


def stored(draft: PurchaseDraft) -> dict[str, Any]:
    """The answers of the draft as the database has them."""
    answers = ("contract", "account", "product", "quantity", "note", "po_number", "fulfilment")
    return {**PurchaseDraft.objects.values(*answers).get(pk=draft.pk)}


# Opening and giving up


def test_draft_is_opened_for_a_user_with_the_permission_on_any_contract() -> None:
    buyer = UserFactory()
    ContractGrantFactory(user=buyer)

    draft = open_draft(buyer=buyer)

    assert (draft.user, draft.reseller) == (buyer, buyer.reseller)
    assert stored(draft) == {
        "contract": None,
        "account": None,
        "product": None,
        "quantity": None,
        "note": "",
        "po_number": "",
        "fulfilment": None,
    }


def test_several_drafts_may_be_open_at_once() -> None:
    buyer = UserFactory()
    ContractGrantFactory(user=buyer)

    assert open_draft(buyer=buyer).pk != open_draft(buyer=buyer).pk


@pytest.mark.parametrize("can_create_licenses", [None, False])
def test_no_draft_is_opened_for_a_user_who_may_only_look(can_create_licenses: bool | None) -> None:
    viewer = UserFactory()
    if can_create_licenses is not None:
        ContractGrantFactory(user=viewer, can_create_licenses=can_create_licenses)

    with pytest.raises(PermissionMissing) as refused:
        open_draft(buyer=viewer)

    assert (
        str(refused.value)
        == "You may look, but not create licenses under any contract. Ask your operator for the permission."
    )
    assert not PurchaseDraft.objects.exists()


def test_no_draft_is_opened_for_a_user_without_a_reseller() -> None:
    nobodys = UserFactory(reseller=None)
    ContractGrantFactory(contract=a_line().contract, user=nobodys)

    with pytest.raises(PermissionMissing):
        open_draft(buyer=nobodys)

    assert not PurchaseDraft.objects.exists()


def test_draft_can_be_given_up() -> None:
    draft, other = an_order(), an_order()

    delete_draft(draft)

    assert list(PurchaseDraft.objects.all()) == [other]


def test_draft_that_was_bought_stays() -> None:
    draft = an_order()
    press_buy(draft)

    delete_draft(draft)

    assert PurchaseDraft.objects.filter(pk=draft.pk).exists()


def test_open_drafts_are_the_user_s_own_that_were_not_bought_the_last_changed_first() -> None:
    older = an_order()
    newer = PurchaseDraftFactory(user=older.user)
    bought = PurchaseDraftFactory(user=older.user)
    PurchaseFactory(placed_by=older.user, draft_id=bought.pk)
    PurchaseDraftFactory(user=UserFactory(reseller=older.reseller))
    older.save()

    offered = open_drafts_of(older.user, limit=5)

    assert [(row.draft, row.step) for row in offered] == [(older, Step.PREVIEW), (newer, Step.CONTRACT)]
    assert len(open_drafts_of(older.user, limit=1)) == 1


# Answering one after the other


def test_answers_lead_from_one_question_to_the_next_and_are_saved() -> None:
    wanted = an_order()
    assert wanted.contract is not None
    assert wanted.account is not None
    assert wanted.product is not None
    stock_for(wanted, 2)
    draft = PurchaseDraftFactory(user=wanted.user)

    steps = [
        choose_contract(facts_of(draft), wanted.contract),
        choose_account(facts_of(draft), wanted.account),
        choose_product(facts_of(draft), wanted.product),
        choose_quantity(facts_of(draft), 3, note="Lobby", po_number="4711"),
        choose_fulfilment(facts_of(draft), Fulfilment.STOCK_THEN_NEW),
    ]

    assert steps == [Answered(step, ()) for step in list(Step)[1:]]
    assert stored(draft) == {
        "contract": wanted.contract.pk,
        "account": wanted.account.pk,
        "product": wanted.product.pk,
        "quantity": 3,
        "note": "Lobby",
        "po_number": "4711",
        "fulfilment": "stock_then_new",
    }


def test_quantity_leads_straight_to_the_preview_where_there_is_no_stock() -> None:
    draft = an_order()
    PurchaseDraft.objects.update(quantity=None)

    assert choose_quantity(facts_of(draft), 3, note="", po_number="").next_step is Step.PREVIEW


@pytest.mark.parametrize("step", list(Step)[:-1])
def test_answer_that_is_given_again_in_a_complete_draft_leads_back_to_the_preview(step: Step) -> None:
    draft = an_order(fulfilment=Fulfilment.NEW)
    stock_for(draft, 5)
    assert draft.contract is not None
    assert draft.account is not None
    assert draft.product is not None
    facts = facts_of(draft)
    before = stored(draft)

    match step:
        case Step.CONTRACT:
            answered = choose_contract(facts, draft.contract)
        case Step.ACCOUNT:
            answered = choose_account(facts, draft.account)
        case Step.PRODUCT:
            answered = choose_product(facts, draft.product)
        case Step.QUANTITY:
            answered = choose_quantity(facts, 3, note="", po_number="")
        case _:
            answered = choose_fulfilment(facts, Fulfilment.NEW)

    assert answered == Answered(Step.PREVIEW, ())
    assert stored(draft) == before


def test_answer_to_a_later_question_waits_for_the_earlier_ones() -> None:
    wanted = an_order()
    assert wanted.account is not None
    draft = PurchaseDraftFactory(user=wanted.user)

    with pytest.raises(Exception, match="Answer the open question first"):
        choose_account(facts_of(draft), wanted.account)

    assert stored(draft)["account"] is None


# What is refused is not saved


def test_contract_that_is_refused_is_not_saved() -> None:
    draft = an_order()
    suspended = a_line(reseller=draft.reseller, status="suspended").contract
    before = stored(draft)

    with pytest.raises(ContractNotActive):
        choose_contract(facts_of(draft), suspended)

    assert stored(draft) == before


def test_contract_without_a_grant_is_not_saved() -> None:
    draft = an_order()
    before = stored(draft)

    with pytest.raises(PermissionMissing):
        choose_contract(facts_of(draft), a_line(reseller=draft.reseller).contract)

    assert stored(draft) == before


def test_account_that_is_refused_is_not_saved() -> None:
    draft = an_order()
    before = stored(draft)

    with pytest.raises(AccountOnTrial):
        choose_account(facts_of(draft), AccountFactory(reseller=draft.reseller, tier="trial"))

    assert stored(draft) == before


def test_product_that_the_contract_lacks_is_not_saved() -> None:
    draft = an_order(line=a_line(number="C-1"))
    stranger = ProductFactory(name="Other device", sku="DEV-X")
    before = stored(draft)

    with pytest.raises(ProductNotInContract) as refused:
        choose_product(facts_of(draft), stranger)

    assert str(refused.value) == "Contract C-1 does not have Other device (DEV-X). Choose one of its products."
    assert stored(draft) == before


def test_product_that_the_contract_lacks_is_refused_as_the_first_choice_too() -> None:
    draft = an_order(line=a_line(number="C-1"))
    PurchaseDraft.objects.update(product=None)

    with pytest.raises(ProductNotInContract) as refused:
        choose_product(facts_of(draft), ProductFactory(name="Other device", sku="DEV-X"))

    assert str(refused.value) == "Contract C-1 does not have Other device (DEV-X). Choose one of its products."
    assert stored(draft)["product"] is None


def test_product_that_does_not_fit_the_account_is_not_saved() -> None:
    draft = an_order()
    pro = ContractProductFactory(contract=draft.contract, product=ProductFactory(package=PackageFactory())).product
    before = stored(draft)

    with pytest.raises(PackageMismatch):
        choose_product(facts_of(draft), pro)

    assert stored(draft) == before


def test_quantity_that_is_refused_is_not_saved() -> None:
    draft = an_order(line=a_line(minimum_quantity=2))
    before = stored(draft)

    with pytest.raises(QuantityNotAllowed):
        choose_quantity(facts_of(draft), 1, note="New note", po_number="4711")

    assert stored(draft) == before


def test_missing_po_number_leaves_the_quantity_as_it_was() -> None:
    draft = an_order(line=a_line(requires_po_number=True), po_number="4711")
    before = stored(draft)

    with pytest.raises(PoNumberNotAllowed):
        choose_quantity(facts_of(draft), 5, note="", po_number="")

    assert stored(draft) == before


def test_fulfilment_that_is_not_on_offer_is_not_saved() -> None:
    draft = an_order(quantity=3)
    stock_for(draft, 5)

    with pytest.raises(FulfilmentNotOffered):
        choose_fulfilment(facts_of(draft), Fulfilment.STOCK_THEN_NEW)

    assert stored(draft)["fulfilment"] is None


def test_draft_in_hand_is_as_before_when_an_answer_is_refused() -> None:
    draft = an_order(line=a_line(number="C-1"))
    facts = facts_of(draft)

    with pytest.raises(ContractNotActive):
        choose_contract(facts, a_line(reseller=draft.reseller, status="closed").contract)

    assert facts.draft.contract == draft.contract
    assert facts.contract == draft.contract


# What a new answer costs


def test_new_contract_keeps_the_answers_that_go_with_it() -> None:
    draft = an_order(note="Lobby", po_number="4711")
    other = a_line(reseller=draft.reseller, product=draft.product)
    ContractGrantFactory(contract=other.contract, user=draft.user)

    answered = choose_contract(facts_of(draft), other.contract)

    assert answered == Answered(Step.PREVIEW, ())
    assert stored(draft) == {
        "contract": other.contract.pk,
        "account": draft.account_id,
        "product": draft.product_id,
        "quantity": 3,
        "note": "Lobby",
        "po_number": "4711",
        "fulfilment": None,
    }


def test_new_contract_clears_the_product_that_it_lacks_and_says_so() -> None:
    draft = an_order(line=a_line(product=ProductFactory(name="Device", sku="DEV-1")))
    other = a_line(reseller=draft.reseller, number="C-2")
    ContractGrantFactory(contract=other.contract, user=draft.user)

    answered = choose_contract(facts_of(draft), other.contract)

    sentence = "Contract C-2 does not have Device (DEV-1). Choose one of its products."
    assert answered == Answered(Step.PRODUCT, (Cleared(Step.PRODUCT, sentence),))
    assert stored(draft)["product"] is None
    assert (stored(draft)["account"], stored(draft)["quantity"]) == (draft.account_id, 3)


def test_new_contract_clears_the_account_that_it_does_not_serve_and_says_so() -> None:
    draft = an_order()
    other = a_line(reseller=draft.reseller, product=draft.product)
    other.contract.exclusive_accounts.add(AccountFactory(reseller=draft.reseller))
    ContractGrantFactory(contract=other.contract, user=draft.user)

    answered = choose_contract(facts_of(draft), other.contract)

    assert answered.next_step is Step.ACCOUNT
    assert [cleared.step for cleared in answered.cleared] == [Step.ACCOUNT]
    assert stored(draft)["account"] is None
    assert stored(draft)["product"] == draft.product_id


def test_new_contract_clears_the_quantity_that_it_does_not_allow_and_says_so() -> None:
    draft = an_order(note="Lobby")
    other = a_line(reseller=draft.reseller, product=draft.product, minimum_quantity=5)
    ContractGrantFactory(contract=other.contract, user=draft.user)

    answered = choose_contract(facts_of(draft), other.contract)

    sentence = "The quantity must be at least 5 licenses. Enter 5 or more."
    assert answered == Answered(Step.QUANTITY, (Cleared(Step.QUANTITY, sentence),))
    assert stored(draft)["quantity"] is None
    assert stored(draft)["note"] == "Lobby"


def test_new_contract_that_needs_a_po_number_keeps_the_quantity_and_asks_for_the_number() -> None:
    draft = an_order()
    other = a_line(reseller=draft.reseller, product=draft.product, number="C-2", requires_po_number=True)
    ContractGrantFactory(contract=other.contract, user=draft.user)

    answered = choose_contract(facts_of(draft), other.contract)

    sentence = "Contract C-2 needs a PO number. Enter the number of your purchase order."
    assert answered == Answered(Step.QUANTITY, (Cleared(Step.QUANTITY, sentence),))
    assert stored(draft)["quantity"] == 3


def test_new_contract_clears_everything_that_does_not_go_with_it() -> None:
    draft = an_order()
    other = a_line(reseller=draft.reseller, minimum_quantity=5)
    other.contract.exclusive_accounts.add(AccountFactory(reseller=draft.reseller))
    ContractGrantFactory(contract=other.contract, user=draft.user)

    answered = choose_contract(facts_of(draft), other.contract)

    assert answered.next_step is Step.ACCOUNT
    assert [cleared.step for cleared in answered.cleared] == [Step.ACCOUNT, Step.PRODUCT]
    assert (stored(draft)["account"], stored(draft)["product"]) == (None, None)


def test_new_contract_asks_anew_whether_to_use_stock() -> None:
    draft = an_order(fulfilment=Fulfilment.STOCK)
    stock_for(draft, 5)
    other = a_line(reseller=draft.reseller, product=draft.product)
    ContractGrantFactory(contract=other.contract, user=draft.user)
    stock_for(an_order(line=other), 5)

    answered = choose_contract(facts_of(draft), other.contract)

    assert answered == Answered(Step.STOCK, (Cleared(Step.STOCK, "Choose anew where the licenses shall come from."),))
    assert stored(draft)["fulfilment"] is None


def test_new_contract_without_stock_does_not_ask_for_what_cannot_be_chosen() -> None:
    draft = an_order(fulfilment=Fulfilment.NEW)
    stock_for(draft, 5)
    other = a_line(reseller=draft.reseller, product=draft.product)
    ContractGrantFactory(contract=other.contract, user=draft.user)

    answered = choose_contract(facts_of(draft), other.contract)

    assert answered == Answered(Step.PREVIEW, ())


def test_new_contract_without_stock_says_that_what_was_chosen_is_gone() -> None:
    draft = an_order(fulfilment=Fulfilment.STOCK)
    stock_for(draft, 5)
    other = a_line(reseller=draft.reseller, product=draft.product)
    ContractGrantFactory(contract=other.contract, user=draft.user)

    answered = choose_contract(facts_of(draft), other.contract)

    assert [cleared.step for cleared in answered.cleared] == [Step.STOCK]
    assert stored(draft)["fulfilment"] is None


def test_new_account_clears_the_product_that_is_not_for_it_and_says_so() -> None:
    pro = PackageFactory()
    line = a_line(product=ProductFactory(package=pro))
    reseller = line.contract.reseller
    draft = an_order(line=line, account=AccountFactory(reseller=reseller, package=pro))

    answered = choose_account(facts_of(draft), AccountFactory(reseller=reseller))

    assert answered.next_step is Step.PRODUCT
    assert [cleared.step for cleared in answered.cleared] == [Step.PRODUCT]
    assert stored(draft)["product"] is None


def test_new_product_asks_anew_whether_to_use_stock() -> None:
    draft = an_order(fulfilment=Fulfilment.NEW)
    other = ContractProductFactory(contract=draft.contract)
    stock_for(draft, 5)
    stock_for(an_order(line=other), 5)

    answered = choose_product(facts_of(draft), other.product)

    assert answered.next_step is Step.STOCK
    assert stored(draft)["fulfilment"] is None


def test_larger_quantity_clears_the_stock_choice_that_no_longer_covers_it() -> None:
    draft = an_order(fulfilment=Fulfilment.STOCK)
    stock_for(draft, 5)

    answered = choose_quantity(facts_of(draft), 6, note="", po_number="")

    sentence = "5 licenses are in stock. Choose where the licenses shall come from."
    assert answered == Answered(Step.STOCK, (Cleared(Step.STOCK, sentence),))
    assert stored(draft)["fulfilment"] is None


def test_smaller_quantity_clears_the_choice_to_buy_a_rest_that_is_no_more() -> None:
    draft = an_order(quantity=6, fulfilment=Fulfilment.STOCK_THEN_NEW)
    stock_for(draft, 5)

    answered = choose_quantity(facts_of(draft), 5, note="", po_number="")

    assert answered.next_step is Step.STOCK
    assert stored(draft)["fulfilment"] is None


def test_new_quantity_keeps_a_stock_choice_that_still_holds() -> None:
    draft = an_order(fulfilment=Fulfilment.STOCK)
    stock_for(draft, 5)

    assert choose_quantity(facts_of(draft), 5, note="", po_number="") == Answered(Step.PREVIEW, ())
    assert stored(draft)["fulfilment"] == "stock"


def test_account_bound_elsewhere_since_is_named_when_another_question_is_answered() -> None:
    draft = an_order()
    exclusive = a_line(reseller=draft.reseller).contract
    assert draft.account is not None
    exclusive.exclusive_accounts.add(draft.account)

    with pytest.raises(AccountBoundElsewhere):
        choose_quantity(facts_of(draft), 5, note="", po_number="")

    assert stored(draft)["quantity"] == 3


def test_permission_that_was_withdrawn_since_stops_every_answer() -> None:
    draft = an_order()
    ContractGrant.objects.all().delete()

    with pytest.raises(PermissionMissing):
        choose_quantity(facts_of(draft), 5, note="", po_number="")

    assert stored(draft)["quantity"] == 3
