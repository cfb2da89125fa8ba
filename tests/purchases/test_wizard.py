"""The wizard from its start to the purchase, step by step, without JavaScript."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from contracts.models import ContractGrant, ContractProduct
from purchases.models import Fulfilment, License, Purchase, PurchaseDraft
from tests.factories import (
    AccountFactory,
    ContractGrantFactory,
    LicenseFactory,
    ProductFactory,
    PurchaseDraftFactory,
    UserFactory,
)
from tests.purchases.orders import TODAY, a_line, an_order, press_buy, stock_for
from tests.purchases.wizard import HTMX, STEPS, begin, chosen_on, notices_on, words_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

NEXT_MONTH_END = TODAY.replace(day=30)

ALL_URLS = ("resume_draft", *STEPS, "buy", "delete_draft")
QUESTIONS = STEPS[:-1]


def buyer_of(line: Any) -> User:
    buyer = UserFactory(reseller=line.contract.reseller)
    ContractGrantFactory(contract=line.contract, user=buyer)
    return buyer


# The whole road


def test_whole_purchase_of_the_guide_s_example(client: Client) -> None:
    line = a_line(end_rule="month_end", product=ProductFactory(name="Standard device"))
    account = AccountFactory(reseller=line.contract.reseller)
    for _ in range(10):
        LicenseFactory(
            account=account, product=line.product, contract=line.contract, starts_on=TODAY, ends_on=NEXT_MONTH_END
        )
    buyer = buyer_of(line)
    client.force_login(buyer)

    started = client.post(reverse("start_purchase"))
    draft = PurchaseDraft.objects.get()
    stock_for(an_order(line=line), 5)
    wizard = begin(draft, client)
    assert wizard.goes_to(started, "contract_step")
    assert wizard.goes_to(wizard.post("contract_step", {"contract": line.contract.pk}), "account_step")
    assert wizard.goes_to(wizard.post("account_step", {"account": account.pk}), "product_step")
    assert wizard.goes_to(wizard.post("product_step", {"product": line.product.pk}), "quantity_step")
    answers = {"quantity": "3", "note": "Lobby\r\nand bar", "po_number": ""}
    assert wizard.goes_to(wizard.post("quantity_step", answers), "stock_step")
    assert wizard.goes_to(wizard.post("stock_step", {"fulfilment": "new"}), "preview_step")
    preview = wizard.get("preview_step")
    bought = wizard.buy()

    assert (
        "With this, you'll be adding 3 licenses to the 10 existing ones; "
        "those 10 expire this month, on 30 November 2026." in words_of(preview)
    )
    assert "Buy 3 licenses" in words_of(preview)
    purchase = Purchase.objects.get(draft_id=draft.pk)
    assert (bought.status_code, bought.headers["Location"]) == (303, f"/purchases/{purchase.number}/")
    assert (purchase.placed_by, purchase.note, purchase.from_stock) == (buyer, "Lobby\nand bar", 0)
    assert License.objects.filter(purchase=purchase, starts_on=TODAY).count() == 3
    assert notices_on(client.get(bought.headers["Location"])) == ["Order placed."]


def test_each_step_shows_the_answer_that_was_given() -> None:
    wizard = begin(an_order(quantity=3, note="Lobby", po_number="4711", fulfilment=Fulfilment.STOCK))
    stock_for(wizard.draft, 5)

    assert chosen_on(wizard.get("contract_step")) == [str(wizard.draft.contract_id)]
    assert chosen_on(wizard.get("account_step")) == [str(wizard.draft.account_id)]
    assert chosen_on(wizard.get("product_step")) == [str(wizard.draft.product_id)]
    assert chosen_on(wizard.get("stock_step")) == ["stock"]
    quantity = wizard.get("quantity_step").text
    assert 'value="3"' in quantity
    assert 'value="4711"' in quantity
    assert "Lobby</textarea>" in quantity


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("contract_step", 1),
        ("account_step", 2),
        ("product_step", 3),
        ("quantity_step", 4),
        ("stock_step", 4),
        ("preview_step", 5),
    ],
)
def test_each_step_says_which_of_the_five_it_is(name: str, number: int) -> None:
    wizard = begin(an_order(fulfilment=Fulfilment.NEW))
    stock_for(wizard.draft, 5)

    page = wizard.get(name)

    assert page.status_code == 200
    assert f"Step {number} of 5" in words_of(page)
    assert page.text.count("<h1") == 1


# In turn


@pytest.mark.parametrize(
    ("unanswered", "first_open"),
    [
        ({"contract": None, "account": None, "product": None, "quantity": None}, "contract_step"),
        ({"account": None, "product": None, "quantity": None}, "account_step"),
        ({"product": None, "quantity": None}, "product_step"),
        ({"quantity": None}, "quantity_step"),
    ],
)
def test_step_beyond_the_first_open_question_leads_back_to_it(unanswered: dict[str, Any], first_open: str) -> None:
    wizard = begin(an_order())
    PurchaseDraft.objects.update(**unanswered)

    for beyond in STEPS[STEPS.index(first_open) + 1 :]:
        assert wizard.goes_to(wizard.get(beyond), first_open)
    assert wizard.goes_to(wizard.get("resume_draft"), first_open)
    assert wizard.get(first_open).status_code == 200


def test_preview_without_the_stock_choice_leads_to_it() -> None:
    wizard = begin(an_order())
    stock_for(wizard.draft, 5)

    assert wizard.goes_to(wizard.get("preview_step"), "stock_step")
    assert wizard.goes_to(wizard.get("resume_draft"), "stock_step")


def test_complete_draft_is_resumed_at_its_preview() -> None:
    wizard = begin(an_order())

    assert wizard.goes_to(wizard.get("resume_draft"), "preview_step")


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("account_step", {"account": "1"}),
        ("account_step", {}),
        ("product_step", {"product": "1"}),
        ("quantity_step", {"quantity": "3"}),
        ("quantity_step", {"quantity": "x"}),
        ("stock_step", {"fulfilment": "new"}),
        ("stock_step", {}),
    ],
)
def test_answer_out_of_turn_leads_to_the_first_open_question_and_is_not_saved(
    name: str, answers: dict[str, str]
) -> None:
    buyer = UserFactory()
    ContractGrantFactory(user=buyer)
    wizard = begin(PurchaseDraftFactory(user=buyer))
    before = wizard.answers()

    assert wizard.goes_to(wizard.post(name, answers), "contract_step")
    assert wizard.answers() == before


def test_answer_that_no_longer_holds_is_asked_for_again_and_the_reason_is_said() -> None:
    wizard = begin(an_order(line=a_line(number="C-1")))
    ContractGrant.objects.all().delete()

    page = wizard.client.get(wizard.url("preview_step"), follow=True)

    assert page.request["PATH_INFO"] == wizard.url("contract_step")
    assert notices_on(page) == [
        "You may look at contract C-1 but not create licenses under it. Ask your operator for the permission."
    ]


@pytest.mark.parametrize("name", QUESTIONS)
def test_line_that_was_taken_off_meanwhile_is_no_server_error(name: str) -> None:
    wizard = begin(an_order())
    ContractProduct.objects.all().delete()

    answers = {"quantity": "5", "fulfilment": "new", "account": str(wizard.draft.account_id)}
    shown, answered, unanswered = wizard.get(name), wizard.post(name, answers), wizard.post(name)

    assert {shown.status_code, answered.status_code, unanswered.status_code} <= {200, 303, 422}
    assert wizard.answers()["quantity"] == 3


def test_htmx_request_out_of_turn_opens_the_whole_page_of_the_open_question() -> None:
    wizard = begin(an_order())
    PurchaseDraft.objects.update(account=None)

    page = wizard.get("product_step", {"q": "a"}, headers=HTMX)

    assert page.headers["HX-Redirect"] == wizard.url("account_step")
    assert "Location" not in page.headers


# Change on the preview


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("contract_step", lambda draft: {"contract": draft.contract_id}),
        ("account_step", lambda draft: {"account": draft.account_id}),
        ("product_step", lambda draft: {"product": draft.product_id}),
        ("quantity_step", lambda draft: {"quantity": "4"}),
        ("stock_step", lambda draft: {"fulfilment": "new"}),
    ],
)
def test_change_from_the_preview_returns_to_the_preview(name: str, answers: Any) -> None:
    wizard = begin(an_order(fulfilment=Fulfilment.STOCK))
    stock_for(wizard.draft, 5)
    assert f'href="{wizard.url(name)}"' in wizard.get("preview_step").text

    assert wizard.goes_to(wizard.post(name, answers(wizard.draft)), "preview_step")


def test_new_contract_keeps_what_is_valid_and_names_what_it_clears() -> None:
    wizard = begin(an_order(line=a_line(product=ProductFactory(name="Device", sku="DEV-1")), note="Lobby"))
    other = a_line(reseller=wizard.draft.reseller, number="C-2")
    ContractGrantFactory(contract=other.contract, user=wizard.draft.user)

    saved = wizard.post("contract_step", {"contract": other.contract.pk})

    assert wizard.goes_to(saved, "product_step")
    assert notices_on(wizard.get("product_step")) == [
        "Product: Contract C-2 does not have Device (DEV-1). Choose one of its products."
    ]
    assert wizard.answers() == {
        "contract": other.contract.pk,
        "account": wizard.draft.account_id,
        "product": None,
        "quantity": 3,
        "note": "Lobby",
        "po_number": "",
        "fulfilment": None,
    }


# Later


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("contract_step", lambda draft: {"contract": draft.contract_id}),
        ("quantity_step", lambda draft: {"quantity": "9", "note": "Later"}),
    ],
)
def test_save_and_come_back_later_saves_and_leaves(name: str, answers: Any) -> None:
    wizard = begin(an_order())

    page = wizard.post(name, {**answers(wizard.draft), "later": "1"})

    assert (page.status_code, page.headers["Location"]) == (303, "/licenses/")
    assert notices_on(wizard.client.get("/licenses/")) == ["Your answers are saved. You can go on whenever you like."]
    if name == "quantity_step":
        assert (wizard.answers()["quantity"], wizard.answers()["note"]) == (9, "Later")


@pytest.mark.parametrize("name", QUESTIONS)
def test_come_back_later_without_an_answer_leaves_without_a_complaint(name: str) -> None:
    wizard = begin(an_order(fulfilment=Fulfilment.NEW))
    stock_for(wizard.draft, 5)
    before = wizard.answers()

    page = wizard.post(name, {"later": "1", "quantity": "", "note": "", "po_number": ""})

    assert (page.status_code, page.headers["Location"]) == (303, "/licenses/")
    assert wizard.answers() == before


def test_come_back_later_with_a_wrong_answer_is_told() -> None:
    wizard = begin(an_order())

    assert wizard.post("quantity_step", {"quantity": "x", "later": "1"}).status_code == 422
    assert wizard.answers()["quantity"] == 3


# Who may


@pytest.mark.parametrize("can_create_licenses", [None, False])
def test_viewer_cannot_start_and_is_told_why(client: Client, can_create_licenses: bool | None) -> None:
    viewer = UserFactory()
    if can_create_licenses is not None:
        ContractGrantFactory(user=viewer, can_create_licenses=can_create_licenses)
    client.force_login(viewer)

    page = client.post(reverse("start_purchase"))

    assert page.status_code == 403
    assert "You may look, but not create licenses under any contract." in words_of(page)
    assert not PurchaseDraft.objects.exists()


@pytest.mark.parametrize("name", ALL_URLS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_draft_of_somebody_else_is_not_found(client: Client, name: str, method: str) -> None:
    draft = an_order()
    of_another_reseller, colleague = an_order().user, UserFactory(reseller=draft.reseller)
    assert draft.contract is not None
    ContractGrantFactory(contract=draft.contract, user=colleague)
    allowed = {"buy": "post", "delete_draft": "post", "resume_draft": "get", "preview_step": "get"}.get(name, method)

    for stranger in (of_another_reseller, colleague):
        client.force_login(stranger)
        page = getattr(client, allowed)(reverse(name, args=[draft.pk]))
        unknown = getattr(client, allowed)(reverse(name, args=[uuid4()]))
        assert (page.status_code, unknown.status_code) == (404, 404)
    assert PurchaseDraft.objects.filter(pk=draft.pk).exists()
    assert not Purchase.objects.exists()


def test_user_who_went_to_another_reseller_finds_none_of_the_old_drafts() -> None:
    wizard = begin(an_order())
    User.objects.update(reseller=UserFactory().reseller)

    assert wizard.get("preview_step").status_code == 404


# Methods


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        *((name, ("put", "patch", "delete", "options")) for name in QUESTIONS),
        ("preview_step", ("post", "put", "patch", "delete", "options")),
        ("resume_draft", ("post", "put", "patch", "delete", "options")),
        ("buy", ("get", "head", "put", "patch", "delete", "options")),
        ("delete_draft", ("get", "head", "put", "patch", "delete", "options")),
    ],
)
def test_wrong_method_is_refused(name: str, refused: tuple[str, ...]) -> None:
    wizard = begin(an_order())

    for method in refused:
        assert getattr(wizard.client, method)(wizard.url(name)).status_code == 405, method
    assert PurchaseDraft.objects.exists()
    assert not Purchase.objects.exists()


def test_start_takes_only_a_post(client: Client) -> None:
    client.force_login(an_order().user)

    for method in ("get", "head", "put", "patch", "delete", "options"):
        assert getattr(client, method)(reverse("start_purchase")).status_code == 405
    assert PurchaseDraft.objects.count() == 1


@pytest.mark.parametrize("name", [*STEPS, "resume_draft"])
def test_head_is_answered_like_get(name: str) -> None:
    wizard = begin(an_order(fulfilment=Fulfilment.NEW))
    stock_for(wizard.draft, 5)

    assert wizard.client.head(wizard.url(name)).status_code == wizard.get(name).status_code


# After the purchase


@pytest.mark.parametrize("name", ["resume_draft", *STEPS])
def test_every_page_of_a_bought_draft_lands_on_the_purchase(name: str) -> None:
    wizard = begin(an_order())
    purchase = press_buy(wizard.draft)

    page = wizard.client.get(wizard.url(name), follow=True)

    assert page.request["PATH_INFO"] == f"/purchases/{purchase.number}/"
    assert page.status_code == 200


@pytest.mark.parametrize("name", [*QUESTIONS, "buy", "delete_draft"])
def test_whatever_is_sent_to_a_bought_draft_lands_on_the_purchase_and_changes_nothing(name: str) -> None:
    wizard = begin(an_order())
    purchase = press_buy(wizard.draft)
    before = wizard.answers()

    page = wizard.post(name, {"quantity": "9", "fingerprint": "", "contract": ""})

    assert (page.status_code, page.headers["Location"]) == (303, f"/purchases/{purchase.number}/")
    assert wizard.answers() == before
    assert (Purchase.objects.count(), License.objects.count()) == (1, 3)


# Drafts that are open


def test_open_drafts_are_offered_with_their_step_and_can_be_deleted() -> None:
    wizard = begin(an_order(line=a_line(number="C-77")))
    PurchaseDraft.objects.update(quantity=None, updated_at=timezone.now() - timedelta(hours=2))

    page = wizard.client.get("/licenses/")

    assert f'href="{wizard.url("resume_draft")}"' in page.text
    assert "C-77" in words_of(page)
    assert "2 hours ago, at Quantity" in words_of(page).replace("\xa0", " ")
    deleted = wizard.post("delete_draft")
    assert (deleted.status_code, deleted.headers["Location"]) == (303, "/licenses/")
    assert not PurchaseDraft.objects.exists()
    assert notices_on(wizard.client.get("/licenses/")) == ["The draft was deleted."]
