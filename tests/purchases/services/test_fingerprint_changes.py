"""Rule 10: each thing that changed between the preview and the press of Buy is named, old and new."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils.translation import override

from accounts.models import Account
from contracts.models import Contract, ContractProduct
from products.models import Product
from purchases.models import Fulfilment, PurchaseDraft
from stock.services.take import Taking, take_stock
from tests.factories import AccountFactory, ContractGrantFactory, ProductFactory, UserFactory
from tests.purchases.orders import TODAY, a_line, an_order, outdated, quote_of, stock_for

pytestmark = pytest.mark.django_db

Changes = list[tuple[str, str, str]]


def named(draft: PurchaseDraft, fingerprint: str, *, on: date = TODAY) -> Changes:
    return [(change.label, change.old, change.new) for change in outdated(draft, fingerprint, on=on).changes]


def known_order(**answers: Any) -> PurchaseDraft:
    """An order whose contract, account and product have fixed names."""
    line = a_line(number="C-1", title="Frame", product=ProductFactory(sku="DEV-1", name="Device"))
    account = AccountFactory(reseller=line.contract.reseller, name="Hotel", reference="ACC-1")
    return an_order(line=line, account=account, **answers)


def set_contract(**terms: Any) -> Callable[[PurchaseDraft], object]:
    return lambda draft: Contract.objects.filter(purchase_drafts=draft).update(**terms)


def set_draft(**answers: Any) -> Callable[[PurchaseDraft], object]:
    return lambda draft: PurchaseDraft.objects.filter(pk=draft.pk).update(**answers)


def set_account(**facts: Any) -> Callable[[PurchaseDraft], object]:
    return lambda draft: Account.objects.filter(purchase_drafts=draft).update(**facts)


def set_product(**facts: Any) -> Callable[[PurchaseDraft], object]:
    return lambda draft: Product.objects.filter(purchase_drafts=draft).update(**facts)


def set_price(price: str) -> Callable[[PurchaseDraft], object]:
    return lambda draft: ContractProduct.objects.filter(contract=draft.contract_id).update(unit_price=Decimal(price))


Change = tuple[Callable[[PurchaseDraft], object], Changes, Changes]

CHANGES: dict[str, Change] = {
    "price": (
        set_price("1120.50"),
        [
            ("Unit price", "100.00\xa0EUR", "1,120.50\xa0EUR"),
            ("Total", "300.00\xa0EUR", "3,361.50\xa0EUR"),
        ],
        [
            ("Birim fiyat", "100,00\xa0EUR", "1.120,50\xa0EUR"),
            ("Toplam", "300,00\xa0EUR", "3.361,50\xa0EUR"),
        ],
    ),
    "price by a cent": (
        set_price("99.99"),
        [
            ("Unit price", "100.00\xa0EUR", "99.99\xa0EUR"),
            ("Total", "300.00\xa0EUR", "299.97\xa0EUR"),
        ],
        [
            ("Birim fiyat", "100,00\xa0EUR", "99,99\xa0EUR"),
            ("Toplam", "300,00\xa0EUR", "299,97\xa0EUR"),
        ],
    ),
    "currency": (
        set_contract(currency="USD"),
        [
            ("Unit price", "100.00\xa0EUR", "100.00\xa0USD"),
            ("Total", "300.00\xa0EUR", "300.00\xa0USD"),
            ("Billing", "In EUR, the whole term upfront", "In USD, the whole term upfront"),
        ],
        [
            ("Birim fiyat", "100,00\xa0EUR", "100,00\xa0USD"),
            ("Toplam", "300,00\xa0EUR", "300,00\xa0USD"),
            ("Faturalama", "EUR, tüm süre peşin", "USD, tüm süre peşin"),
        ],
    ),
    "conditions": (
        set_contract(conditions="No returns."),
        [("Conditions", "none", "No returns.")],
        [("Koşullar", "yok", "No returns.")],
    ),
    "term": (
        set_contract(term_months=24),
        [
            ("License period", "24 November 2026 – 23 November 2027", "24 November 2026 – 23 November 2028"),
            ("License term", "12 months to the day", "24 months to the day"),
        ],
        [
            ("Lisans dönemi", "24 Kasım 2026 – 23 Kasım 2027", "24 Kasım 2026 – 23 Kasım 2028"),
            ("Lisans süresi", "Günü gününe 12 ay", "Günü gününe 24 ay"),
        ],
    ),
    "end rule": (
        set_contract(end_rule="month_end"),
        [
            ("License period", "24 November 2026 – 23 November 2027", "24 November 2026 – 30 November 2027"),
            ("License term", "12 months to the day", "12 months, to the end of the last month"),
        ],
        [
            ("Lisans dönemi", "24 Kasım 2026 – 23 Kasım 2027", "24 Kasım 2026 – 30 Kasım 2027"),
            ("Lisans süresi", "Günü gününe 12 ay", "12 ay, son ayın sonuna kadar"),
        ],
    ),
    "end rule and end of the contract": (
        set_contract(end_rule="contract_end", ends_on=date(2027, 12, 31)),
        [
            ("License period", "24 November 2026 – 23 November 2027", "24 November 2026 – 31 December 2027"),
            ("Period", "From 1 January 2026, open-ended", "From 1 January 2026 to 31 December 2027"),
            ("License term", "12 months to the day", "Until the contract ends"),
        ],
        [
            ("Lisans dönemi", "24 Kasım 2026 – 23 Kasım 2027", "24 Kasım 2026 – 31 Aralık 2027"),
            ("Geçerlilik", "1 Ocak 2026 tarihinden itibaren, süresiz", "1 Ocak 2026 – 31 Aralık 2027"),
            ("Lisans süresi", "Günü gününe 12 ay", "Sözleşmenin bitişine kadar"),
        ],
    ),
    "start of the contract": (
        set_contract(starts_on=date(2026, 11, 1)),
        [("Period", "From 1 January 2026, open-ended", "From 1 November 2026, open-ended")],
        [
            (
                "Geçerlilik",
                "1 Ocak 2026 tarihinden itibaren, süresiz",
                "1 Kasım 2026 tarihinden itibaren, süresiz",
            )
        ],
    ),
    "billing": (
        set_contract(billing="monthly"),
        [("Billing", "In EUR, the whole term upfront", "In EUR, each month")],
        [("Faturalama", "EUR, tüm süre peşin", "EUR, her ay")],
    ),
    "minimum quantity": (
        set_contract(minimum_quantity=2),
        [("Minimum quantity", "none", "2 licenses a purchase")],
        [("En az adet", "yok", "Satın alma başına 2 lisans")],
    ),
    "need of a PO number": (
        set_contract(requires_po_number=True),
        [("PO number", "none", "Needed for each purchase")],
        [("Satın alma sipariş no", "yok", "Her satın almada gerekli")],
    ),
    "contract's number": (
        set_contract(number="C-2"),
        [("Contract", "C-1 Frame", "C-2 Frame")],
        [("Sözleşme", "C-1 Frame", "C-2 Frame")],
    ),
    "contract's title": (
        set_contract(title="Frame of 2027"),
        [("Contract", "C-1 Frame", "C-1 Frame of 2027")],
        [("Sözleşme", "C-1 Frame", "C-1 Frame of 2027")],
    ),
    "account's name": (
        set_account(name="Motel"),
        [("Account", "Hotel (ACC-1)", "Motel (ACC-1)")],
        [("Müşteri hesabı", "Hotel (ACC-1)", "Motel (ACC-1)")],
    ),
    "product's name": (
        set_product(name="Gadget"),
        [("Product", "Device (DEV-1)", "Gadget (DEV-1)")],
        [("Ürün", "Device (DEV-1)", "Gadget (DEV-1)")],
    ),
    "quantity": (
        set_draft(quantity=1_234),
        [
            ("Quantity", "3", "1,234"),
            ("Source", "3 new", "1,234 new"),
            ("Total", "300.00\xa0EUR", "123,400.00\xa0EUR"),
        ],
        [
            ("Adet", "3", "1.234"),
            ("Kaynak", "3 yeni", "1.234 yeni"),
            ("Toplam", "300,00\xa0EUR", "123.400,00\xa0EUR"),
        ],
    ),
    "note": (
        set_draft(note="To the lobby"),
        [("Order note", "Lobby", "To the lobby")],
        [("Sipariş notu", "Lobby", "To the lobby")],
    ),
    "note taken away": (
        set_draft(note=""),
        [("Order note", "Lobby", "none")],
        [("Sipariş notu", "Lobby", "yok")],
    ),
    "PO number": (
        set_draft(po_number="4712"),
        [("PO number", "4711", "4712")],
        [("Satın alma sipariş no", "4711", "4712")],
    ),
}


@pytest.mark.parametrize(("change", "english", "turkish"), CHANGES.values(), ids=CHANGES)
def test_each_change_since_the_preview_is_named(
    change: Callable[[PurchaseDraft], object], english: Changes, turkish: Changes
) -> None:
    draft = known_order(note="Lobby", po_number="4711")
    shown = quote_of(draft).fingerprint

    change(draft)

    assert named(draft, shown) == english
    with override("tr"):
        assert named(draft, shown) == turkish


def test_midnight_between_preview_and_buy_is_named() -> None:
    draft = an_order()
    shown = quote_of(draft, on=TODAY).fingerprint
    tomorrow = TODAY + timedelta(days=1)

    english = named(draft, shown, on=tomorrow)
    with override("tr"):
        turkish = named(draft, shown, on=tomorrow)

    assert english == [("License period", "24 November 2026 – 23 November 2027", "25 November 2026 – 24 November 2027")]
    assert turkish == [("Lisans dönemi", "24 Kasım 2026 – 23 Kasım 2027", "25 Kasım 2026 – 24 Kasım 2027")]


def test_change_of_the_account_contract_or_product_is_named() -> None:
    draft = known_order()
    other = a_line(
        reseller=draft.reseller, number="C-2", title="Other", product=ProductFactory(sku="DEV-2", name="Gadget")
    )
    ContractGrantFactory(contract=other.contract, user=draft.user)
    shown = quote_of(draft).fingerprint

    PurchaseDraft.objects.update(
        contract=other.contract,
        product=other.product,
        account=AccountFactory(reseller=draft.reseller, name="Motel", reference="ACC-2"),
    )

    assert named(draft, shown) == [
        ("Contract", "C-1 Frame", "C-2 Other"),
        ("Account", "Hotel (ACC-1)", "Motel (ACC-2)"),
        ("Product", "Device (DEV-1)", "Gadget (DEV-2)"),
    ]


# Changes of the stock split


def test_change_of_what_comes_from_which_lot_is_named() -> None:
    draft = an_order(fulfilment=Fulfilment.STOCK)
    first = stock_for(draft, 2, use_by=date(2026, 12, 31))
    stock_for(draft, 3, use_by=date(2027, 5, 31))
    shown = quote_of(draft).fingerprint

    take_stock([Taking(first, 1)], actor=UserFactory(), reference="P-1")

    english = named(draft, shown)
    with override("tr"):
        turkish = named(draft, shown)
    assert english == [
        (
            "Source",
            "2 from stock to be used by 31 December 2026, 1 from stock to be used by 31 May 2027",
            "1 from stock to be used by 31 December 2026, 2 from stock to be used by 31 May 2027",
        )
    ]
    assert turkish == [
        (
            "Kaynak",
            "son kullanımı 31 Aralık 2026 olan stoktan 2, son kullanımı 31 Mayıs 2027 olan stoktan 1",
            "son kullanımı 31 Aralık 2026 olan stoktan 1, son kullanımı 31 Mayıs 2027 olan stoktan 2",
        )
    ]


def test_change_of_what_has_to_be_bought_new_is_named_with_its_price() -> None:
    draft = an_order(fulfilment=Fulfilment.STOCK_THEN_NEW)
    lot = stock_for(draft, 2, use_by=date(2026, 12, 31), term_months=6)
    shown = quote_of(draft).fingerprint

    take_stock([Taking(lot, 1)], actor=UserFactory(), reference="P-1")

    assert named(draft, shown) == [
        (
            "Source",
            "2 from stock to be used by 31 December 2026, 1 new",
            "1 from stock to be used by 31 December 2026, 2 new",
        ),
        ("Total", "100.00\xa0EUR", "200.00\xa0EUR"),
    ]


def test_change_to_new_licenses_is_named() -> None:
    draft = an_order(fulfilment=Fulfilment.STOCK)
    stock_for(draft, 3, use_by=date(2026, 12, 31), term_months=6, end_rule="month_end")
    shown = quote_of(draft).fingerprint

    PurchaseDraft.objects.update(fulfilment=Fulfilment.NEW)

    assert named(draft, shown) == [
        ("Source", "3 from stock to be used by 31 December 2026", "3 new"),
        ("License period", "24 November 2026 – 31 May 2027", "24 November 2026 – 23 November 2027"),
        ("Total", "0.00\xa0EUR", "300.00\xa0EUR"),
    ]


def test_several_periods_are_named_together() -> None:
    draft = an_order(fulfilment=Fulfilment.STOCK_THEN_NEW)
    stock_for(draft, 1, term_months=6)
    shown = quote_of(draft).fingerprint

    set_contract(term_months=24)(draft)

    assert named(draft, shown)[0] == (
        "License period",
        "24 November 2026 – 23 May 2027, 24 November 2026 – 23 November 2027",
        "24 November 2026 – 23 May 2027, 24 November 2026 – 23 November 2028",
    )
