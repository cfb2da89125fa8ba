"""Rule 10: what the preview shows is computed by the code that buys."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from contracts.models import Contract
from purchases.models import Fulfilment, PurchaseDraft
from purchases.services.facts import AnswerMissing, Held
from purchases.services.parts import Part
from purchases.services.quote import Quote, quote_purchase
from purchases.services.rules import PurchaseRefused
from stock.models import StockLot
from stock.services.take import Taking
from tests.factories import LicenseFactory
from tests.purchases.happenings import HAPPENINGS, Happening
from tests.purchases.orders import TODAY, a_line, an_order, quote_of, stock_for

LAST_DAY = date(2027, 11, 23)


@pytest.mark.django_db
def test_quote_of_new_licenses() -> None:
    draft = an_order(quantity=3, note="Lobby", po_number="4711")

    quote = quote_of(draft)

    assert (quote.draft_id, quote.on) == (draft.pk, TODAY)
    assert (quote.contract, quote.account, quote.product) == (draft.contract, draft.account, draft.product)
    assert quote.parts == (Part(None, 3, TODAY, LAST_DAY),)
    assert (quote.quantity, quote.from_stock, quote.new_quantity) == (3, 0, 3)
    assert (quote.unit_price, quote.total) == (Decimal("100.00"), Decimal("300.00"))
    assert (quote.note, quote.po_number) == ("Lobby", "4711")
    assert (quote.available, quote.stock_left, quote.has_stock_step) == (0, 0, False)


@pytest.mark.django_db
def test_quote_of_licenses_from_stock_costs_nothing() -> None:
    draft = an_order(quantity=3, fulfilment=Fulfilment.STOCK)
    first, second = stock_for(draft, 2, use_by=TODAY), stock_for(draft, 4)

    quote = quote_of(draft)

    assert quote.takings == [Taking(first, 2), Taking(second, 1)]
    assert (quote.from_stock, quote.new_quantity, quote.total) == (3, 0, Decimal(0))
    assert (quote.available, quote.stock_left, quote.has_stock_step) == (6, 3, True)


@pytest.mark.django_db
def test_quote_of_all_stock_and_the_rest_new_costs_the_rest() -> None:
    draft = an_order(quantity=10, fulfilment=Fulfilment.STOCK_THEN_NEW)
    lot = stock_for(draft, 4)

    quote = quote_of(draft)

    assert quote.takings == [Taking(lot, 4)]
    assert (quote.from_stock, quote.new_quantity, quote.total) == (4, 6, Decimal("600.00"))
    assert quote.stock_left == 0


@pytest.mark.django_db
def test_quote_counts_what_the_account_has_and_will_have() -> None:
    draft = an_order(quantity=3)
    ends_on = TODAY + timedelta(days=6)
    for _ in range(2):
        LicenseFactory(
            account=draft.account, product=draft.product, contract=draft.contract, starts_on=TODAY, ends_on=ends_on
        )

    quote = quote_of(draft)

    assert quote.held == (Held(ends_on, 2),)
    assert (quote.held_quantity, quote.quantity_after) == (2, 5)


@pytest.mark.django_db
def test_quote_freezes_the_contract_s_terms() -> None:
    terms: dict[str, Any] = {
        "number": "C-1",
        "title": "Frame",
        "starts_on": date(2026, 1, 1),
        "ends_on": date(2027, 12, 31),
        "currency": "USD",
        "term_months": 24,
        "end_rule": "month_end",
        "billing": "annual",
        "minimum_quantity": 2,
        "requires_po_number": True,
        "conditions": "No returns.",
    }
    draft = an_order(line=a_line(**terms), po_number="4711")

    assert quote_of(draft).terms == {**terms, "starts_on": "2026-01-01", "ends_on": "2027-12-31"}


@pytest.mark.django_db
def test_quote_is_the_same_under_lock() -> None:
    draft = an_order(quantity=5, fulfilment=Fulfilment.STOCK_THEN_NEW)
    stock_for(draft, 1)
    stock_for(draft, 2, use_by=TODAY)

    with transaction.atomic():
        locked = quote_purchase(draft, buyer=draft.user, on=TODAY, locked=True)

    assert locked == quote_of(draft)
    assert locked.fingerprint == quote_of(draft).fingerprint


# What is refused or missing has no quote


@pytest.mark.django_db
@pytest.mark.parametrize(("happening", "refusal"), HAPPENINGS.values(), ids=HAPPENINGS)
def test_what_a_rule_refuses_has_no_quote(happening: Happening, refusal: type[PurchaseRefused]) -> None:
    draft = an_order()
    quote_of(draft)

    happening(draft)

    with pytest.raises(PurchaseRefused) as refused:
        quote_of(draft)
    assert type(refused.value) is refusal


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["contract", "account", "product", "quantity"])
def test_draft_with_an_open_question_has_no_quote(name: str) -> None:
    draft = an_order()
    PurchaseDraft.objects.update(**{name: None})

    with pytest.raises(AnswerMissing) as missing:
        quote_of(draft)

    assert missing.value.answer == name


# Totals


def quote_with(parts: tuple[Part, ...], *, unit_price: Decimal) -> Quote:
    contract = Contract(number="C-1", starts_on=TODAY, currency="EUR")
    facts: dict[str, Any] = dict.fromkeys(field for field in Quote.__dataclass_fields__)
    quantity = sum(part.quantity for part in parts)
    return Quote(**{**facts, "contract": contract, "quantity": quantity, "parts": parts, "unit_price": unit_price})


quantities = st.integers(0, 10_000)
prices = st.decimals(min_value=0, max_value=Decimal("9999999999.99"), places=2)


@given(from_stock=st.lists(quantities, max_size=4), new=quantities, unit_price=prices)
def test_total_is_the_unit_price_of_every_new_license(from_stock: list[int], new: int, unit_price: Decimal) -> None:
    stock = [Part(StockLot(), quantity, TODAY, LAST_DAY) for quantity in from_stock]

    quote = quote_with((*stock, Part(None, new, TODAY, LAST_DAY)), unit_price=unit_price)

    assert quote.from_stock == sum(from_stock)
    assert quote.new_quantity == new
    assert quote.total == sum([unit_price] * min(new, 50)) + unit_price * max(0, new - 50)
    assert quote.from_stock + quote.new_quantity == quote.quantity
