"""Buying into stock, and moving from stock to an account, through the same draft, quote and purchase."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from purchases.effect import effect_sentence
from purchases.models import Fulfilment, License, Purchase, PurchaseDraft, Purpose
from purchases.services import drafts
from purchases.services.quote import PreviewOutdated
from purchases.services.rules import AccountOnOtherPackage, PoNumberNotAllowed, ProductNotActive, QuantityNotAllowed
from purchases.services.steps import Step, chapter_number, chapters_of
from stock.models import StockLot
from tests.factories import AccountFactory, PackageFactory, ProductFactory
from tests.purchases.orders import (
    a_line,
    an_order,
    facts_of,
    nothing_is_written,
    outdated,
    press_buy,
    quote_of,
    refusal_of,
    stock_for,
)

pytestmark = pytest.mark.django_db


def stocking_up(quantity: int = 100, **terms: Any) -> PurchaseDraft:
    """A draft that buys into stock, with every question answered."""
    draft = an_order(line=a_line(**terms), quantity=quantity, purpose=Purpose.STOCK_UP)
    PurchaseDraft.objects.filter(pk=draft.pk).update(account=None)
    draft.refresh_from_db()
    return draft


def moving(quantity: int = 3, *, in_stock: int = 5, **facts: Any) -> PurchaseDraft:
    """A draft that moves from a lot to an account."""
    draft = an_order(quantity=quantity, purpose=Purpose.MOVE, fulfilment=Fulfilment.STOCK, **facts)
    stock_for(draft, in_stock)
    return draft


# Into stock


def test_a_purchase_into_stock_writes_one_lot_and_its_movement_and_no_license() -> None:
    draft = stocking_up(100, unit_price=Decimal("99.50"), stock_life_months=6, term_months=24, end_rule="month_end")

    purchase = press_buy(draft)

    assert (purchase.kind, purchase.account, purchase.quantity, purchase.from_stock) == ("stock", None, 100, 0)
    assert purchase.total == Decimal("9950.00")
    lot = StockLot.objects.get()
    assert (lot.reseller, lot.contract, lot.product) == (purchase.reseller, purchase.contract, purchase.product)
    assert (lot.quantity, lot.remaining) == (100, 100)
    assert (lot.term_months, lot.end_rule) == (24, "month_end")
    assert lot.use_by == date(2027, 5, 23)
    movement = lot.movements.get()
    assert (movement.reason, movement.change) == ("received", 100)
    assert (movement.actor, movement.reference) == (purchase.placed_by, purchase.number)
    assert not License.objects.exists()


def test_a_purchase_into_stock_is_made_once() -> None:
    draft = stocking_up()
    fingerprint = quote_of(draft).fingerprint

    first, second = press_buy(draft, fingerprint=fingerprint), press_buy(draft, fingerprint=fingerprint)

    assert first == second
    assert StockLot.objects.count() == 1


def test_the_effect_on_stock_is_told_with_the_use_by() -> None:
    draft = stocking_up(100)

    empty = effect_sentence(quote_of(draft))
    stock_for(draft, 5)
    added = effect_sentence(quote_of(draft))

    assert empty == "To be used by 23 November 2027. Adds 100; nothing of this product is in stock yet."
    assert added == "To be used by 23 November 2027. Adds 100 to the 5 in stock."


def test_a_changed_stock_life_is_named_and_buys_nothing() -> None:
    draft = stocking_up()
    fingerprint = quote_of(draft).fingerprint
    assert draft.contract is not None
    draft.contract.stock_life_months = 6
    draft.contract.save()

    refused: PreviewOutdated = outdated(draft, fingerprint)

    assert [(change.label, change.old, change.new) for change in refused.changes] == [
        ("To be used by", "23 November 2027", "23 May 2027")
    ]


def test_quantity_po_number_and_product_rules_hold_for_stock() -> None:
    assert isinstance(refusal_of(stocking_up(4, minimum_quantity=5), Step.QUANTITY), QuantityNotAllowed)
    assert isinstance(refusal_of(stocking_up(requires_po_number=True), Step.QUANTITY), PoNumberNotAllowed)
    retired = stocking_up(product=ProductFactory(is_active=False))
    assert isinstance(refusal_of(retired, Step.PRODUCT), ProductNotActive)


def test_a_product_with_a_package_goes_into_stock_without_an_account() -> None:
    draft = stocking_up(product=ProductFactory(package=PackageFactory()))

    press_buy(draft)

    assert StockLot.objects.get().remaining == 100


def test_stocking_up_asks_neither_for_an_account_nor_for_a_source() -> None:
    draft = stocking_up()
    stock_for(draft, 5)

    assert chapters_of(draft) == [Step.CONTRACT, Step.PRODUCT, Step.QUANTITY, Step.PREVIEW]
    assert chapter_number(Step.PREVIEW, draft) == 4
    assert facts_of(draft).first_open_step() == (Step.PREVIEW, None)


# From stock to an account


def test_a_move_opens_with_contract_product_and_stock_chosen() -> None:
    draft = moving()
    assert draft.contract is not None

    opened = drafts.open_draft(buyer=draft.user, purpose=Purpose.MOVE, contract=draft.contract, product=draft.product)

    assert opened.fulfilment == Fulfilment.STOCK
    assert facts_of(opened).first_open_step() == (Step.ACCOUNT, None)


def test_a_move_gives_licenses_that_start_today_and_leaves_the_rest_of_the_lot_alone() -> None:
    draft = moving(3, in_stock=5)
    lot = StockLot.objects.get()

    purchase = press_buy(draft)

    assert (purchase.kind, purchase.from_stock, purchase.total) == ("license", 3, Decimal("0.00"))
    assert set(License.objects.values_list("stock_lot", flat=True)) == {lot.pk}
    after = StockLot.objects.get()
    assert (after.remaining, after.use_by, after.term_months) == (2, lot.use_by, lot.term_months)


def test_a_move_to_an_account_on_another_package_is_refused_and_keeps_its_product() -> None:
    product = ProductFactory(package=PackageFactory())
    line = a_line(product=product)
    fitting = AccountFactory(reseller=line.contract.reseller, package=product.package)
    other = AccountFactory(reseller=line.contract.reseller)
    draft = moving(line=line, account=fitting)

    with nothing_is_written(), pytest.raises(AccountOnOtherPackage, match="Choose another account"):
        drafts.choose_account(facts_of(draft), other)

    draft.refresh_from_db()
    assert (draft.account, draft.product) == (fitting, product)


def test_a_move_of_more_than_there_is_asks_where_the_rest_shall_come_from() -> None:
    draft = moving(3, in_stock=2)

    step, refusal = facts_of(draft).first_open_step()

    assert step is Step.STOCK
    assert refusal is not None
    assert "2 licenses are in stock" in str(refusal)
    assert not Purchase.objects.exists()
