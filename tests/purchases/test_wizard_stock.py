"""The second page of the fourth step: from stock or new?"""

from datetime import date, timedelta
from typing import Any

import pytest

from purchases.models import Fulfilment
from stock.models import StockLot
from stock.services.take import Taking, take_stock
from tests.factories import UserFactory
from tests.purchases.orders import TODAY, a_line, an_order, nothing_is_written, press_buy, stock_for
from tests.purchases.wizard import Wizard, begin, chosen_on, offered_on, says, words_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def wizard_with(*lots: int, quantity: int = 3, **answers: Any) -> Wizard:
    """A wizard with the quantity chosen, and lots in stock."""
    draft = an_order(quantity=quantity, **answers)
    for lot in lots:
        stock_for(draft, lot)
    return begin(draft)


def use_up_stock(wizard: Wizard) -> None:
    lots = StockLot.objects.all()
    take_stock([Taking(lot, lot.remaining) for lot in lots], actor=UserFactory(), reference="P-1")


# What is offered


def test_step_is_absent_without_suitable_stock() -> None:
    wizard = wizard_with()

    assert wizard.goes_to(wizard.get("stock_step"), "preview_step")
    assert wizard.url("stock_step") not in wizard.get("preview_step").text


def test_stock_that_is_past_its_last_day_does_not_make_the_step_appear() -> None:
    wizard = wizard_with()
    stock_for(wizard.draft, 5, use_by=TODAY - timedelta(days=1))

    assert wizard.goes_to(wizard.get("stock_step"), "preview_step")


def test_stock_that_covers_the_quantity_is_offered_and_nothing_is_chosen_beforehand() -> None:
    wizard = wizard_with(2, 3)

    page = wizard.get("stock_step")

    assert offered_on(page) == ["stock", "new"]
    assert chosen_on(page) == []
    words = words_of(page).replace("\xa0", " ")
    assert "Use available stock 2 licenses from the lot" in words
    assert "Already paid" in words
    assert (
        "I want to make a new purchase 3 new licenses, ending on 23 November 2027 Your stock stays as it is." in words
    )
    assert "300.00 EUR" in words


def test_stock_that_covers_a_part_is_offered_with_the_rest_new() -> None:
    wizard = wizard_with(2, quantity=5)

    page = wizard.get("stock_step")

    assert offered_on(page) == ["stock_then_new", "new"]
    words = words_of(page).replace("\xa0", " ")
    assert (
        "Use available stock and buy the rest new "
        "2 licenses from the lot to be used by 31 May 2027, ending on 23 November 2027 "
        "3 new licenses, ending on 23 November 2027" in words
    )
    assert "300.00 EUR" in words


def test_each_option_says_when_its_licenses_end() -> None:
    wizard = wizard_with(quantity=2)
    stock_for(wizard.draft, 1, use_by=date(2026, 12, 31), term_months=6, end_rule="month_end")
    stock_for(wizard.draft, 1, use_by=date(2027, 1, 31), term_months=24)

    words = words_of(wizard.get("stock_step"))

    assert (
        "1 license from the lot to be used by 31 December 2026, ending on 31 May 2027 "
        "1 license from the lot to be used by 31 January 2027, ending on 23 November 2028" in words
    )


def test_stock_whose_licenses_would_have_no_end_is_not_offered() -> None:
    wizard = wizard_with()
    stock_for(wizard.draft, 5, end_rule="contract_end")

    page = wizard.get("stock_step")

    assert offered_on(page) == ["new"]
    assert wizard.goes_to(wizard.post("stock_step", {"fulfilment": "new"}), "preview_step")


# What is sent


@pytest.mark.parametrize(
    ("lots", "fulfilment"), [((5,), "stock"), ((5,), "new"), ((2,), "stock_then_new"), ((2,), "new")]
)
def test_choice_is_saved(lots: tuple[int, ...], fulfilment: str) -> None:
    wizard = wizard_with(*lots)

    assert wizard.goes_to(wizard.post("stock_step", {"fulfilment": fulfilment}), "preview_step")
    assert wizard.answers()["fulfilment"] == fulfilment


def test_missing_choice_is_refused() -> None:
    wizard = wizard_with(5)

    says(wizard.post("stock_step"), "fulfilment", "Choose where the licenses shall come from.")
    assert wizard.answers()["fulfilment"] is None


@pytest.mark.parametrize(
    ("lots", "fulfilment", "sentence"),
    [
        ((5,), "stock_then_new", "5 licenses are in stock. Choose where the licenses shall come from."),
        ((2,), "stock", "2 licenses are in stock. Choose where the licenses shall come from."),
        ((1,), "stock", "1 license is in stock. Choose where the licenses shall come from."),
        ((5,), "borrowed", "This is not on offer. Choose where the licenses shall come from."),
        ((5,), "STOCK", "This is not on offer. Choose where the licenses shall come from."),
        ((5,), "\0", "This is not on offer. Choose where the licenses shall come from."),
        ((5,), "9" * 5_000, "This is not on offer. Choose where the licenses shall come from."),
        ((), "stock", "Nothing is left in stock. Choose a new purchase, or come back later."),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_choice_that_is_not_on_offer_is_refused(lots: tuple[int, ...], fulfilment: str, sentence: str) -> None:
    wizard = wizard_with(*lots)

    with nothing_is_written():
        page = wizard.post("stock_step", {"fulfilment": fulfilment})

    says(page, "fulfilment", sentence)
    assert wizard.answers()["fulfilment"] is None


def test_choice_that_is_no_text_is_refused() -> None:
    page = wizard_with(5).post_bytes("stock_step", "fulfilment=%ED%A0%80")

    says(page, "fulfilment", "This is not on offer. Choose where the licenses shall come from.")


def test_refused_choice_leaves_the_one_that_was_made_before() -> None:
    wizard = wizard_with(5, fulfilment=Fulfilment.STOCK)

    page = wizard.post("stock_step", {"fulfilment": "stock_then_new"})

    assert page.status_code == 422
    assert wizard.answers()["fulfilment"] == "stock"


# Stock that is gone


def test_chosen_stock_that_is_gone_is_said_and_a_new_purchase_can_be_chosen() -> None:
    wizard = wizard_with(5, fulfilment=Fulfilment.STOCK)
    use_up_stock(wizard)

    redirect, page = wizard.get("preview_step"), wizard.get("stock_step")

    assert wizard.goes_to(redirect, "stock_step")
    assert "The stock you wanted to use is gone." in words_of(page)
    assert offered_on(page) == ["new"]
    assert chosen_on(page) == []
    assert wizard.goes_to(wizard.post("stock_step", {"fulfilment": "new"}), "preview_step")
    assert press_buy(wizard.draft).from_stock == 0


def test_stock_that_comes_in_meanwhile_is_offered_before_the_preview() -> None:
    wizard = wizard_with()
    assert wizard.get("preview_step").status_code == 200

    stock_for(wizard.draft, 3)

    assert wizard.goes_to(wizard.get("preview_step"), "stock_step")
    assert offered_on(wizard.get("stock_step")) == ["stock", "new"]


def test_end_of_the_contract_that_is_taken_away_leads_to_what_can_still_be_chosen() -> None:
    line = a_line(ends_on=date(2027, 12, 31))
    wizard = begin(an_order(line=line, fulfilment=Fulfilment.STOCK))
    stock_for(wizard.draft, 5, end_rule="contract_end")
    assert wizard.get("preview_step").status_code == 200
    line.contract.ends_on = None
    line.contract.save()

    redirect, page = wizard.get("preview_step"), wizard.get("stock_step")

    assert wizard.goes_to(redirect, "stock_step")
    assert "which has no end date. Ask the operator." in words_of(page)
    assert offered_on(page) == ["new"]
