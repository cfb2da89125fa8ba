"""Buying: rules 10 to 12. What the preview showed is written, once, and all or nothing."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum
from django.utils import timezone

from contracts.models import Contract, ContractGrant, ContractProduct
from purchases.models import Fulfilment, License, Purchase, PurchaseDraft
from stock.models import StockLot, StockMovement
from tests.purchases.orders import (
    TODAY,
    a_line,
    an_order,
    nothing_is_written,
    press_buy,
    quote_of,
    stock_for,
)

pytestmark = pytest.mark.django_db


def remaining() -> list[int]:
    return list(StockLot.objects.order_by("pk").values_list("remaining", flat=True))


# What is written


def test_buy_writes_the_purchase_that_the_quote_says() -> None:
    line = a_line(unit_price=Decimal("99.50"), currency="USD", number="C-1", conditions="No returns.")
    draft = an_order(line=line, quantity=3, note="Lobby", po_number="4711")
    quote, before = quote_of(draft), timezone.now()

    bought = press_buy(draft)

    purchase = Purchase.objects.get()
    assert bought == purchase
    assert purchase.kind == "license"
    assert (purchase.draft_id, purchase.reseller, purchase.placed_by) == (draft.pk, draft.reseller, draft.user)
    assert (purchase.contract, purchase.account, purchase.product) == (draft.contract, draft.account, draft.product)
    assert (purchase.quantity, purchase.from_stock) == (3, 0)
    assert (purchase.unit_price, purchase.currency, purchase.total) == (Decimal("99.50"), "USD", Decimal("298.50"))
    assert (purchase.note, purchase.po_number) == ("Lobby", "4711")
    assert purchase.terms == quote.terms
    assert purchase.terms["conditions"] == "No returns."
    assert before <= purchase.placed_at <= timezone.now()


def test_buy_writes_one_row_for_each_license() -> None:
    draft = an_order(quantity=3)

    purchase = press_buy(draft)

    licenses = list(License.objects.all())
    assert len(licenses) == 3
    for license in licenses:
        assert (license.purchase, license.reseller) == (purchase, draft.reseller)
        assert (license.account, license.contract, license.product) == (draft.account, draft.contract, draft.product)
        assert (license.starts_on, license.ends_on) == (TODAY, date(2027, 11, 23))
        assert (license.stock_lot, license.cancelled_at, license.created_at) == (None, None, purchase.placed_at)


def test_keys_and_numbers_can_be_read_aloud_and_not_be_guessed() -> None:
    purchase = press_buy(an_order(quantity=50))

    readable = "[2-9A-HJKMNP-TV-Z]"
    keys = list(License.objects.values_list("key", flat=True))
    assert len(set(keys)) == 50
    assert License.objects.filter(key__regex=rf"^{readable}{{5}}(-{readable}{{5}}){{4}}$").count() == 50
    assert Purchase.objects.filter(number__regex=rf"^P-{readable}{{4}}(-{readable}{{4}}){{2}}$").get() == purchase


def test_buy_takes_from_the_lots_what_the_quote_says() -> None:
    draft = an_order(quantity=3, fulfilment=Fulfilment.STOCK)
    late = stock_for(draft, 5, use_by=TODAY + timedelta(days=2), term_months=24)
    soon = stock_for(draft, 2, use_by=TODAY, term_months=6, end_rule="month_end")

    purchase = press_buy(draft)

    assert remaining() == [4, 0]
    assert (purchase.quantity, purchase.from_stock, purchase.total) == (3, 3, Decimal(0))
    sources = License.objects.values_list("stock_lot", "starts_on", "ends_on").order_by("ends_on")
    assert list(sources) == [(soon.pk, TODAY, date(2027, 5, 31))] * 2 + [(late.pk, TODAY, date(2028, 11, 23))]
    movements = StockMovement.objects.filter(reason="allocated").values_list("lot", "change", "reference", "actor")
    assert set(movements) == {
        (soon.pk, -2, purchase.number, draft.user_id),
        (late.pk, -1, purchase.number, draft.user_id),
    }


def test_buy_takes_all_stock_and_the_rest_new() -> None:
    draft = an_order(quantity=5, fulfilment=Fulfilment.STOCK_THEN_NEW)
    lot = stock_for(draft, 2)

    purchase = press_buy(draft)

    assert (purchase.from_stock, purchase.new_quantity, purchase.total) == (2, 3, Decimal("300.00"))
    assert License.objects.filter(stock_lot=lot).count() == 2
    assert License.objects.filter(stock_lot=None).count() == 3
    assert remaining() == [0]


def test_new_purchase_leaves_stock_as_it_is() -> None:
    draft = an_order(quantity=3, fulfilment=Fulfilment.NEW)
    stock_for(draft, 5)

    purchase = press_buy(draft)

    assert purchase.from_stock == 0
    assert remaining() == [5]
    assert not StockMovement.objects.filter(reason="allocated").exists()


def test_sum_of_a_lot_s_movements_stays_what_remains() -> None:
    draft = an_order(quantity=7, fulfilment=Fulfilment.STOCK_THEN_NEW)
    for quantity in (1, 2, 3):
        stock_for(draft, quantity)

    press_buy(draft)

    sums = StockMovement.objects.order_by("lot").values_list("lot").annotate(Sum("change")).order_by("lot")
    assert [total for _lot, total in sums] == remaining() == [0, 0, 0]


def test_every_row_of_a_purchase_belongs_to_the_reseller() -> None:
    an_order(quantity=2)
    draft = an_order(quantity=3, fulfilment=Fulfilment.STOCK_THEN_NEW)
    stock_for(draft, 1)

    purchase = press_buy(draft)

    reseller = draft.reseller_id
    assert purchase.reseller_id == reseller
    assert {purchase.contract.reseller_id, purchase.placed_by.reseller_id} == {reseller}
    assert purchase.account is not None
    assert purchase.account.reseller_id == reseller
    assert set(License.objects.values_list("reseller", "account__reseller", "contract__reseller")) == {
        (reseller, reseller, reseller)
    }
    assert set(License.objects.exclude(stock_lot=None).values_list("stock_lot__reseller", flat=True)) == {reseller}


def test_terms_of_a_purchase_stay_as_they_were() -> None:
    draft = an_order()
    purchase = press_buy(draft)

    Contract.objects.update(conditions="No returns.", term_months=1, billing="monthly")
    ContractProduct.objects.update(unit_price=1)

    purchase.refresh_from_db()
    assert purchase.terms == quote_of(an_order(line=a_line(title="x"))).terms | {
        "number": purchase.contract.number,
        "title": purchase.contract.title,
    }
    assert purchase.unit_price == Decimal("100.00")


# Once


def test_draft_is_bought_once_and_a_repeat_gives_the_same_purchase() -> None:
    draft = an_order(quantity=3, fulfilment=Fulfilment.STOCK)
    stock_for(draft, 3)
    shown = quote_of(draft).fingerprint
    purchase = press_buy(draft, fingerprint=shown)

    with nothing_is_written():
        repeats = [press_buy(draft, fingerprint=shown) for _ in range(3)]

    assert repeats == [purchase] * 3


@pytest.mark.parametrize("fingerprint", ["", "made up"])
def test_repeat_gives_the_purchase_whatever_the_browser_sends(fingerprint: str) -> None:
    draft = an_order()
    purchase = press_buy(draft)

    assert press_buy(draft, fingerprint=fingerprint) == purchase


def test_repeat_gives_the_purchase_even_if_a_rule_would_refuse_it_now() -> None:
    draft = an_order()
    purchase = press_buy(draft)
    Contract.objects.update(status="suspended")
    ContractGrant.objects.all().delete()

    assert press_buy(draft, fingerprint="") == purchase


def test_draft_that_was_changed_after_the_purchase_stays_bought() -> None:
    draft = an_order(quantity=3)
    purchase = press_buy(draft)
    PurchaseDraft.objects.update(quantity=9, contract=None)

    assert press_buy(draft, fingerprint="") == purchase
    assert Purchase.objects.get().quantity == 3


def test_two_drafts_alike_are_two_purchases() -> None:
    draft = an_order()
    twin = an_order(line=ContractProduct.objects.get(), buyer=draft.user, account=draft.account)

    assert press_buy(draft) != press_buy(twin)
