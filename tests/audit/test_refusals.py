"""Each act that is refused leaves one row in the audit log, which outlives the act's own transaction."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, Reseller, User
from audit.models import Act, AuditEvent
from contracts.models import Contract, ContractProduct
from contracts.services.imports.import_rows import preview
from purchases.models import Fulfilment, PurchaseDraft, Purpose
from tests.audit.reading import events, forget_what_led_here
from tests.audit.test_acts_of_the_desk import a_contract_page, of_contract, sellable
from tests.contracts.imports import PRICES, uploaded
from tests.factories import AccountFactory, ContractFactory, ContractGrantFactory, OperatorFactory, UserFactory
from tests.purchases.orders import a_line, an_order, press_buy, stock_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("noon", "nothing_is_owed")]

Press = Callable[[Client], Any]
Refused = Callable[[], tuple[User, Press]]


# What a buyer is refused


def at_step(name: str, answers: Callable[[PurchaseDraft], dict[str, Any]], **order: Any) -> Refused:
    """An answer that is sent at a step."""

    def prepare() -> tuple[User, Press]:
        draft = an_order(**order)
        sent = answers(draft)
        return draft.user, lambda browser: browser.post(reverse(name, args=[draft.pk]), sent)

    return prepare


def suspended(draft: PurchaseDraft) -> dict[str, Any]:
    return {"contract": ContractFactory(reseller=draft.reseller, status="suspended").pk}


def without_grant(draft: PurchaseDraft) -> dict[str, Any]:
    return {"contract": ContractFactory(reseller=draft.reseller).pk}


def on_trial(draft: PurchaseDraft) -> dict[str, Any]:
    return {"account": AccountFactory(reseller=draft.reseller, tier=Account.Tier.TRIAL).pk}


def of_another_contract(draft: PurchaseDraft) -> dict[str, Any]:
    return {"product": a_line().product_id}


def after_the_contract_was_suspended(draft: PurchaseDraft) -> dict[str, Any]:
    Contract.objects.update(status="suspended")
    return {"quantity": "3"}


def too_many_without_po_number(draft: PurchaseDraft) -> dict[str, Any]:
    ContractProduct.objects.update(maximum_quantity=5)
    Contract.objects.update(requires_po_number=True)
    return {"quantity": "6"}


def before_the_account(draft: PurchaseDraft) -> dict[str, Any]:
    PurchaseDraft.objects.update(account=None)
    return {"quantity": "3"}


def starting() -> tuple[User, Press]:
    viewer = UserFactory()
    return viewer, lambda browser: browser.post(reverse("start_purchase"))


def moving() -> tuple[User, Press]:
    """To an account that the contract does not serve."""
    draft = an_order(purpose=Purpose.MOVE, fulfilment=Fulfilment.STOCK)
    stock_for(draft, 3)
    sent = on_trial(draft)
    return draft.user, lambda browser: browser.post(reverse("account_step", args=[draft.pk]), sent)


def buying() -> tuple[User, Press]:
    draft = an_order()
    return draft.user, lambda browser: browser.post(reverse("buy", args=[draft.pk]), {"fingerprint": "made up"})


def giving_back() -> tuple[User, Press]:
    draft = an_order(quantity=2)
    purchase = press_buy(draft)
    return draft.user, lambda browser: browser.post(reverse("give_back", args=[purchase.number]))


def adding_an_account() -> tuple[User, Press]:
    viewer = UserFactory()
    return viewer, lambda browser: browser.post(reverse("new_account"), {"name": "X", "reference": "R-1"})


def adding_an_account_twice() -> tuple[User, Press]:
    buyer = an_order().user
    AccountFactory(reseller=buyer.reseller, reference="R-1")
    sent = {"name": "X", "reference": "R-1", "tier": "paid"}
    return buyer, lambda browser: browser.post(reverse("new_account"), sent)


# What an operator is refused


def at_the_desk(prepare: Callable[[], Press]) -> Refused:
    return lambda: (OperatorFactory(), prepare())


def a_step_that_lacks_something() -> Press:
    contract = ContractFactory(status="draft")
    return lambda desk: desk.post(of_contract(contract, "activate"), {"reason": "Now."})


def a_step_of_the_list() -> Press:
    contract = ContractFactory(status="closed")
    sent = {"action": "suspend_selected", "_selected_action": [contract.pk], "reason": "Unpaid.", "post": "yes"}
    return lambda desk: desk.post(reverse("admin:contracts_contract_changelist"), sent)


def an_edit_that_was_begun_before_the_contract_was_closed() -> Press:
    press = a_contract_page(grants=False, status="active")
    Contract.objects.update(status="closed")
    return press


def a_status_that_cannot_be_reached() -> Press:
    press = a_contract_page(grants=False, terms={"title": "New"}, status="draft", wanted="active")
    Reseller.objects.update(is_active=False)
    return press


def old_prices() -> Press:
    line = sellable().contract_products.get()
    sent = {"way": "percentage", "percentage": "5", "products": [line.pk], "reason": "New year."}
    address = of_contract(line.contract, "prices")
    return lambda desk: desk.post(address, {**sent, "fingerprint": "made up", "_apply": "yes"})


def a_file_that_was_shown_otherwise() -> Press:
    sellable()
    upload = uploaded("contract,sku,unit_price\nC-7,DEV,120\n", PRICES)
    fingerprint = preview(upload, at=timezone.now()).fingerprint
    ContractProduct.objects.update(unit_price="90.00")
    sent = {"fingerprint": fingerprint, "reason": "New year."}
    return lambda desk: desk.post(reverse("admin:contracts_import_change", args=[upload.pk]), sent)


def grants_that_others_changed() -> Press:
    grant = ContractGrantFactory()
    cell = f"{grant.contract_id}-{grant.user_id}"
    address = reverse("admin:accounts_reseller_grants", args=[grant.contract.reseller_id])
    return lambda desk: desk.post(address, {"seen": [], "grant": [cell]})


def grants_of_a_stranger() -> Press:
    contract, stranger = ContractFactory(), UserFactory()
    address = reverse("admin:accounts_reseller_grants", args=[contract.reseller_id])
    return lambda desk: desk.post(address, {"seen": [], "grant": [f"{contract.pk}-{stranger.pk}"]})


def a_correction(**sent: str) -> Callable[[], Press]:
    def prepare() -> Press:
        lot = stock_for(an_order(), 5)
        fields = {"change": "-1", "reason_text": "Counted.", "movements_seen": "1", **sent}
        return lambda desk: desk.post(reverse("admin:stock_stocklot_correct", args=[lot.pk]), fields)

    return prepare


REFUSED: dict[str, tuple[Refused, str]] = {
    "start": (starting, "permission_missing"),
    "contract": (at_step("contract_step", suspended), "contract_not_active"),
    "contract without grant": (at_step("contract_step", without_grant), "permission_missing"),
    "account": (at_step("account_step", on_trial), "account_on_trial"),
    "product": (at_step("product_step", of_another_contract), "product_not_in_contract"),
    "quantity": (
        at_step("quantity_step", too_many_without_po_number),
        "quantity_not_allowed, po_number_not_allowed",
    ),
    "stock": (at_step("stock_step", lambda draft: {"fulfilment": "stock"}), "fulfilment_not_offered"),
    "an earlier answer": (at_step("quantity_step", after_the_contract_was_suspended), "contract_not_active"),
    "out of turn": (at_step("quantity_step", before_the_account), "answer_missing"),
    "move": (moving, "account_on_trial"),
    "buy": (buying, "preview_outdated"),
    "give back": (giving_back, "nothing_to_give_back"),
    "account without permission": (adding_an_account, "managing_not_permitted"),
    "account's reference": (adding_an_account_twice, "reference_taken"),
    "activate": (at_the_desk(a_step_that_lacks_something), "contract_cannot_sell"),
    "suspend from the list": (at_the_desk(a_step_of_the_list), "contract_closed"),
    "edit a closed contract": (at_the_desk(an_edit_that_was_begun_before_the_contract_was_closed), "contract_closed"),
    "prices": (at_the_desk(old_prices), "prices_outdated"),
    "import": (at_the_desk(a_file_that_was_shown_otherwise), "dry_run_outdated"),
    "grants": (at_the_desk(grants_that_others_changed), "grants_changed_meanwhile"),
    "grants of a stranger": (at_the_desk(grants_of_a_stranger), "user_of_another_reseller"),
    "correct too much": (at_the_desk(a_correction(change="-6")), "less_than_nothing"),
    "correct what changed": (at_the_desk(a_correction(movements_seen="0")), "stock_changed_meanwhile"),
}


@pytest.mark.parametrize(("prepare", "code"), REFUSED.values(), ids=REFUSED)
def test_act_that_is_refused_is_recorded_once(prepare: Refused, code: str) -> None:
    user, press = prepare()
    browser = Client(REMOTE_ADDR="192.0.2.7")
    browser.force_login(user)
    forget_what_led_here()

    press(browser)

    event = AuditEvent.objects.get()
    assert (event.act, event.actor, event.detail, event.address) == (Act.REFUSED, user.email, code, "192.0.2.7")


def test_page_that_is_only_looked_at_refuses_nobody_anything() -> None:
    draft = an_order()
    Contract.objects.update(status="suspended")
    browser = Client()
    browser.force_login(draft.user)
    forget_what_led_here()

    browser.get(reverse("quantity_step", args=[draft.pk]))

    assert events() == []


def test_status_that_cannot_be_reached_is_refused_and_the_rest_of_the_page_is_an_act() -> None:
    press = a_status_that_cannot_be_reached()
    desk = Client()
    desk.force_login(OperatorFactory())
    forget_what_led_here()

    press(desk)

    assert [(act, detail) for act, _who, _on, detail in events()] == [
        (Act.REFUSED, "contract_cannot_sell"),
        (Act.CHANGED, "Title"),
    ]
