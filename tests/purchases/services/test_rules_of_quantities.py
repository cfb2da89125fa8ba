"""Rules 6 to 8: how many, with what PO number and note, and from where."""

from datetime import timedelta

import pytest

from purchases.models import Fulfilment
from purchases.services.rules import (
    FulfilmentNotOffered,
    NoteTooLong,
    PoNumberNotAllowed,
    QuantityNotAllowed,
    check_fulfilment,
    most_of_one_purchase,
    offered_fulfilments,
)
from purchases.services.steps import Step
from tests.purchases.orders import TODAY, a_line, an_order, facts_of, refusal_of, stock_for

pytestmark = pytest.mark.django_db

NEW, STOCK, STOCK_THEN_NEW = Fulfilment.NEW, Fulfilment.STOCK, Fulfilment.STOCK_THEN_NEW


# Rule 6


@pytest.mark.parametrize(
    ("quantity", "minimum", "maximum"),
    [
        (1, 1, None),
        (10_000, 1, None),
        (5, 5, None),
        (7, 1, 7),
        (3, 3, 3),
        (10_000, 10_000, 10_000),
    ],
)
def test_quantity_within_the_bounds_is_allowed(quantity: int, minimum: int, maximum: int | None) -> None:
    draft = an_order(line=a_line(minimum_quantity=minimum, maximum_quantity=maximum), quantity=quantity)

    facts_of(draft).check(Step.QUANTITY)


@pytest.mark.parametrize(
    ("quantity", "minimum", "maximum", "sentence"),
    [
        (4, 5, None, "The quantity must be at least 5 licenses. Enter 5 or more."),
        (1_233, 1_234, None, "The quantity must be at least 1,234 licenses. Enter 1,234 or more."),
        (8, 1, 7, "One purchase holds at most 7 licenses. Enter 7 or fewer, and buy the rest afterwards."),
        (2, 1, 1, "One purchase holds at most 1 license. Enter 1."),
    ],
)
def test_quantity_out_of_the_bounds_is_refused(quantity: int, minimum: int, maximum: int | None, sentence: str) -> None:
    draft = an_order(line=a_line(minimum_quantity=minimum, maximum_quantity=maximum), quantity=quantity)

    refusal = refusal_of(draft, Step.QUANTITY)

    assert type(refusal) is QuantityNotAllowed
    assert (refusal.code, refusal.answer, str(refusal)) == ("quantity_not_allowed", "quantity", sentence)


@pytest.mark.parametrize(
    ("quantity", "sentence"),
    [
        (0, "The quantity must be at least 1 license. Enter 1 or more."),
        (10_001, "One purchase holds at most 10,000 licenses. Enter 10,000 or fewer, and buy the rest afterwards."),
    ],
)
def test_quantity_that_no_draft_can_even_hold_is_refused(quantity: int, sentence: str) -> None:
    facts = facts_of(an_order())
    facts.answer(Step.QUANTITY, quantity=quantity)

    with pytest.raises(QuantityNotAllowed) as refused:
        facts.check(Step.QUANTITY)

    assert str(refused.value) == sentence


@pytest.mark.parametrize(("maximum", "most"), [(None, 10_000), (1, 1), (500, 500), (10_000, 10_000)])
def test_most_of_one_purchase_is_the_line_s_maximum_and_never_above_the_limit(maximum: int | None, most: int) -> None:
    assert most_of_one_purchase(a_line(maximum_quantity=maximum)) == most


# Rule 7


@pytest.mark.parametrize("po_number", ["", "4711", "N" * 35])
def test_po_number_is_optional_where_the_contract_does_not_need_one(po_number: str) -> None:
    facts_of(an_order(po_number=po_number)).check(Step.QUANTITY)


@pytest.mark.parametrize("po_number", ["4", "N" * 35])
def test_po_number_is_taken_where_the_contract_needs_one(po_number: str) -> None:
    facts_of(an_order(line=a_line(requires_po_number=True), po_number=po_number)).check(Step.QUANTITY)


def test_missing_po_number_is_refused_where_the_contract_needs_one() -> None:
    draft = an_order(line=a_line(number="C-1", requires_po_number=True))

    refusal = refusal_of(draft, Step.QUANTITY)

    assert type(refusal) is PoNumberNotAllowed
    assert (refusal.code, refusal.answer) == ("po_number_not_allowed", "po_number")
    assert str(refusal) == "Contract C-1 needs a PO number. Enter the number of your purchase order."


@pytest.mark.parametrize("requires_po_number", [True, False])
def test_po_number_of_more_than_35_characters_is_refused(requires_po_number: bool) -> None:
    facts = facts_of(an_order(line=a_line(requires_po_number=requires_po_number)))
    facts.answer(Step.QUANTITY, po_number="N" * 36)

    with pytest.raises(PoNumberNotAllowed) as refused:
        facts.check(Step.QUANTITY)

    assert str(refused.value) == "The PO number has 36 characters, and at most 35 fit. Shorten it."


@pytest.mark.parametrize("note", ["", "Deliver to the lobby.", "ş" * 2_000])
def test_note_of_at_most_2000_characters_is_taken(note: str) -> None:
    facts_of(an_order(note=note)).check(Step.QUANTITY)


def test_note_of_more_than_2000_characters_is_refused() -> None:
    draft = an_order(note="n" * 2_001)

    refusal = refusal_of(draft, Step.QUANTITY)

    assert type(refusal) is NoteTooLong
    assert (refusal.code, refusal.answer) == ("note_too_long", "note")
    assert str(refusal) == "The order note has 2,001 characters, and at most 2,000 fit. Shorten it."


# Rule 8


@pytest.mark.parametrize(
    ("quantity", "available", "offered"),
    [
        (3, 0, (NEW,)),
        (3, 1, (STOCK_THEN_NEW, NEW)),
        (3, 2, (STOCK_THEN_NEW, NEW)),
        (3, 3, (STOCK, NEW)),
        (3, 4, (STOCK, NEW)),
        (1, 1, (STOCK, NEW)),
    ],
)
def test_stock_is_offered_as_far_as_it_goes(quantity: int, available: int, offered: tuple[Fulfilment, ...]) -> None:
    assert offered_fulfilments(quantity, available=available) == offered
    for fulfilment in offered:
        check_fulfilment(fulfilment, quantity, available=available)


@pytest.mark.parametrize(
    ("fulfilment", "available", "sentence"),
    [
        (STOCK, 0, "Nothing is left in stock. Choose a new purchase, or come back later."),
        (STOCK_THEN_NEW, 0, "Nothing is left in stock. Choose a new purchase, or come back later."),
        (STOCK, 1, "1 license is in stock. Choose where the licenses shall come from."),
        (STOCK, 2, "2 licenses are in stock. Choose where the licenses shall come from."),
        (STOCK_THEN_NEW, 3, "3 licenses are in stock. Choose where the licenses shall come from."),
        (None, 3, "3 licenses are in stock. Choose where the licenses shall come from."),
    ],
)
def test_what_is_not_on_offer_is_refused(fulfilment: Fulfilment | None, available: int, sentence: str) -> None:
    with pytest.raises(FulfilmentNotOffered) as refused:
        check_fulfilment(fulfilment, 3, available=available)

    assert (refused.value.code, refused.value.answer) == ("fulfilment_not_offered", "fulfilment")
    assert str(refused.value) == sentence


def test_without_suitable_stock_the_purchase_is_new_unasked() -> None:
    facts = facts_of(an_order())

    facts.check(Step.STOCK)

    assert facts.chosen_fulfilment is NEW
    assert not facts.has_stock_step


def test_with_suitable_stock_the_choice_is_the_buyer_s() -> None:
    draft = an_order()
    stock_for(draft, 1, use_by=TODAY)

    facts = facts_of(draft)

    assert facts.fulfilment is None
    assert facts.has_stock_step


def test_chosen_stock_that_is_gone_is_not_replaced_silently() -> None:
    draft = an_order(fulfilment=STOCK)

    facts = facts_of(draft)

    assert facts.has_stock_step
    assert str(refusal_of(draft, Step.STOCK)) == "Nothing is left in stock. Choose a new purchase, or come back later."


def test_stock_is_suitable_to_its_last_day_and_no_longer() -> None:
    draft = an_order()
    stock_for(draft, 5, use_by=TODAY)

    assert facts_of(draft, on=TODAY).available == 5
    assert facts_of(draft, on=TODAY + timedelta(days=1)).available == 0
