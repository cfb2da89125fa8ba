"""Who buys the bulk licenses: one large reseller and many small ones, with accounts and contracts."""

import itertools
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.auth.hashers import make_password

from accounts.models import Account, Reseller, User
from contracts.models import Contract, ContractGrant, ContractProduct, EndRule
from products.models import Product
from purchases.demo.people import give_demo_password, set_up_reseller, set_up_user
from purchases.services.terms import contract_terms

SMALL_SHOPS = 39
_PRODUCTS_OF_A_CONTRACT = 5

_PRODUCTS = {
    "DEV-STD": "Standard device",
    "DEV-MAX": "Video-wall device",
    "KSK-01": "Kiosk device",
    "SGN-32": "Signage screen 32″",
    "SGN-55": "Signage screen 55″",
    "SGN-86": "Signage screen 86″",
    "MNU-01": "Menu board",
    "QUE-01": "Queue display",
    "ADD-CAM": "Audience counting",
    "ADD-WTH": "Weather feed",
    "ADD-POS": "Till connection",
    "ADD-TTS": "Spoken announcements",
}
"""What is bought in bulk: a dozen products that fit every account. The first two are the demo's own."""

_WAYS = [
    (12, EndRule.ANNIVERSARY, "EUR"),
    (12, EndRule.MONTH_END, "USD"),
    (24, EndRule.MONTH_END, "EUR"),
    (36, EndRule.ANNIVERSARY, "TRY"),
    (12, EndRule.ANNIVERSARY, "USD"),
    (24, EndRule.CONTRACT_END, "EUR"),
]
"""Term in months, end rule and currency of the contracts, in turn."""

_TOWNS = ["Adana", "Bursa", "Çanakkale", "Denizli", "Eskişehir", "Iğdır", "İzmir", "Muğla", "Şanlıurfa", "Trabzon"]
_TRADES = ["Ekran Sistemleri", "Displays", "Görsel Çözümler", "Signage"]
_TIME_ZONES = ["Europe/Istanbul", "Europe/Berlin", "Asia/Dubai", "America/New_York"]
_ACCOUNT_NAMES = [
    " ".join(words)
    for words in itertools.product(
        ["Akdeniz", "Boğaz", "Çamlıca", "Doğuş", "Ege", "Fırat", "Güneş", "Işık", "İnci", "Öncü", "Şafak", "Ümit"],
        ["Lojistik", "Market", "Otelleri", "Hospitals", "Okulları", "Retail", "Turizm", "Gıda", "Eczaneleri"],
        ["Kuzey", "Güney", "Doğu", "Batı", "Merkez"],
        ["A.Ş.", "Ltd. Şti.", "Şirketi", "Grup"],
    )
]


@dataclass(frozen=True)
class Offer:
    """A product under a contract."""

    contract: Contract
    terms: dict[str, Any]
    product_id: int
    unit_price: Decimal


@dataclass(frozen=True)
class Shop:
    """A reseller and what its purchases are made of.

    The buyer signs in nowhere and places bulk purchases only: by that they are told from people's.
    """

    buyer: User
    account_ids: list[int]
    offers: list[Offer]


def set_up_products() -> list[Product]:
    """The dozen products."""
    return [
        Product.objects.get_or_create(
            sku=sku,
            defaults={
                "name": name,
                "kind": Product.Kind.ADDON if sku.startswith("ADD-") else Product.Kind.DEVICE,
            },
        )[0]
        for sku, name in _PRODUCTS.items()
    ]


def set_up_large_shop(products: list[Product]) -> Shop:
    """The reseller with half of the bulk licenses. `large@example.com` can look at it."""
    reseller = set_up_reseller("large", "Büyük Ekran Dağıtım", language=Reseller.Language.ENGLISH)
    visitor = set_up_user("large@example.com", "Işıl Güneş", reseller=reseller)
    give_demo_password([visitor])
    buyer = _set_up_buyer(reseller)
    for position in range(6):
        _set_up_contract(0, position, reseller, products, buyers=[buyer, visitor])
    return Shop(buyer, _set_up_accounts(0, reseller, quantity=2_000), _offers_of(reseller))


def set_up_small_shop(number: int, products: list[Product]) -> Shop:
    """One of the many resellers that share the other half, by its number from 1 on."""
    reseller = set_up_reseller(
        f"reseller-{number:02}",
        f"{_TOWNS[number % len(_TOWNS)]} {_TRADES[number // len(_TOWNS) % len(_TRADES)]}",
        language=Reseller.Language.values[number % 2],
        time_zone=_TIME_ZONES[number % len(_TIME_ZONES)],
    )
    buyer = _set_up_buyer(reseller)
    for position in range(2):
        _set_up_contract(number, position, reseller, products, buyers=[buyer])
    return Shop(buyer, _set_up_accounts(number, reseller, quantity=50), _offers_of(reseller))


def _set_up_buyer(reseller: Reseller) -> User:
    return User.objects.get_or_create(
        email=f"orders@{reseller.slug}.example.com",
        defaults={"full_name": "Sipariş", "reseller": reseller, "password": make_password(None)},
    )[0]


def _set_up_contract(
    number: int, position: int, reseller: Reseller, products: list[Product], *, buyers: list[User]
) -> None:
    """The contract at the position among those of the reseller, which has the number."""
    this_year = reseller.today().year
    term_months, end_rule, currency = _WAYS[(number + position) % len(_WAYS)]
    contract, _ = Contract.objects.update_or_create(
        number=f"C-R{number:02}-{position + 1:02}",
        defaults={
            "reseller": reseller,
            "title": f"{currency}, {term_months} months",
            "status": Contract.Status.ACTIVE,
            "starts_on": date(this_year - 4, 1, 1),
            "ends_on": date(this_year + 1, 12, 31) if end_rule == EndRule.CONTRACT_END else None,
            "currency": currency,
            "term_months": term_months,
            "end_rule": end_rule,
        },
    )
    for place in range(_PRODUCTS_OF_A_CONTRACT):
        ContractProduct.objects.get_or_create(
            contract=contract,
            product=products[(2 * position + place) % len(products)],
            defaults={"unit_price": Decimal("49.50") + 15 * place},
        )
    for buyer in buyers:
        ContractGrant.objects.get_or_create(contract=contract, user=buyer)


def _offers_of(reseller: Reseller) -> list[Offer]:
    ours = ContractProduct.objects.filter(contract__reseller=reseller, contract__number__startswith="C-R")
    return [
        Offer(line.contract, contract_terms(line.contract), line.product_id, line.unit_price)
        for line in ours.select_related("contract__reseller").order_by("contract__number", "product__sku")
    ]


def _set_up_accounts(number: int, reseller: Reseller, *, quantity: int) -> list[int]:
    prefix = f"R{number:02}-"
    ours = Account.objects.filter(reseller=reseller, reference__startswith=prefix)
    existing = set(ours.values_list("reference", flat=True))
    Account.objects.bulk_create(
        Account(
            reseller=reseller,
            reference=reference,
            name=_ACCOUNT_NAMES[(number * 50 + position) % len(_ACCOUNT_NAMES)],
        )
        for position in range(1, quantity + 1)
        if (reference := f"{prefix}{position:04}") not in existing
    )
    return list(ours.order_by("reference").values_list("pk", flat=True))
