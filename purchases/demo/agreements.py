"""The demo's contracts: their terms, products, grants and exclusive accounts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import Account, Reseller, User
from contracts.models import Contract, ContractGrant, ContractProduct, EndRule
from products.models import Product

GRANTS = {
    "buyer@example.com": ["C-1001", "C-1003", "C-1004", "C-1005", "C-1006"],
    "viewer@example.com": [],
    "other@example.com": ["C-2001"],
}
"""Who may create licenses under which contracts."""


@dataclass(frozen=True)
class Price:
    """What one license of a product costs under a contract, and the most of one purchase."""

    sku: str
    unit_price: Decimal
    maximum_quantity: int | None = None


def set_up_contracts(
    resellers: dict[str, Reseller], products: dict[str, Product], accounts: dict[str, Account]
) -> dict[str, Contract]:
    """The contracts by number, dated as seen from the reseller's today."""
    bosphorus, anadolu = resellers["bosphorus-displays"], resellers["anadolu-screens"]
    today = bosphorus.today()
    contracts = [
        _contract(
            "C-1001",
            bosphorus,
            title="Framework agreement",
            end_rule=EndRule.MONTH_END,
            conditions="Each license covers one device. Licenses cannot be moved to another account.",
        ),
        _contract(
            "C-1002",
            bosphorus,
            title="Public sector",
            conditions="For municipalities and schools only. Proof of status is kept by the reseller.",
        ),
        _contract(
            "C-1003",
            bosphorus,
            title="Launch offer",
            ends_on=today.replace(day=1) - timedelta(days=1),
            conditions="Introductory prices for the first years. Licenses bought before the end run their full term.",
        ),
        _contract(
            "C-1004",
            bosphorus,
            title="Airport rollout",
            status=Contract.Status.SUSPENDED,
            billing=Contract.Billing.MONTHLY,
            conditions="Deliveries follow the building schedule. Invoices are sent at the end of each month.",
        ),
        _contract(
            "C-1005",
            bosphorus,
            title="Hotel chains",
            currency="USD",
            term_months=24,
            billing=Contract.Billing.ANNUAL,
            minimum_quantity=5,
            requires_po_number=True,
            conditions="Every order names the hotel's PO number. The second year is invoiced on the anniversary.",
        ),
        _contract(
            "C-1006",
            bosphorus,
            title="Çınar Hastaneleri video walls",
            ends_on=date(today.year + 1, 12, 31),
            end_rule=EndRule.CONTRACT_END,
            conditions="Only for Çınar Hastaneleri. All licenses end with the contract, whenever they were bought.",
        ),
        _contract(
            "C-2001",
            anadolu,
            title="Çerçeve sözleşmesi",
            currency="TRY",
            term_months=24,
            conditions="Her lisans bir cihaz içindir. Lisanslar başka bir hesaba taşınamaz.",
        ),
    ]
    by_number = {contract.number: contract for contract in contracts}
    for number, contract in by_number.items():
        contract.exclusive_accounts.set([accounts["ACC-03"]] if number == "C-1006" else [])
        _set_prices(contract, products, _PRICES[number])
    return by_number


_PRICES = {
    "C-1001": [
        Price("DEV-STD", Decimal("120.00")),
        Price("DEV-PRO", Decimal("180.00")),
        Price("DEV-OLD", Decimal("60.00")),
    ],
    "C-1002": [Price("DEV-STD", Decimal("95.00"))],
    "C-1003": [Price("DEV-STD", Decimal("90.00"))],
    "C-1004": [Price("DEV-STD", Decimal("110.00")), Price("DEV-MAX", Decimal("270.00"))],
    "C-1005": [Price("DEV-STD", Decimal("99.50"), maximum_quantity=500)],
    "C-1006": [Price("DEV-MAX", Decimal("250.00"))],
    "C-2001": [Price("DEV-STD", Decimal("5400.00")), Price("DEV-PRO", Decimal("8100.00"))],
}


def _contract(number: str, reseller: Reseller, **terms: Any) -> Contract:
    """The contract with these terms; for the rest, the plainest ones."""
    plain = {
        "status": Contract.Status.ACTIVE,
        "starts_on": date(reseller.today().year - 3, 1, 1),
        "ends_on": None,
        "currency": "EUR",
        "term_months": 12,
        "end_rule": EndRule.ANNIVERSARY,
        "billing": Contract.Billing.UPFRONT,
        "minimum_quantity": 1,
        "requires_po_number": False,
        "stock_life_months": 12,
    }
    return Contract.objects.update_or_create(number=number, defaults={"reseller": reseller, **plain, **terms})[0]


def _set_prices(contract: Contract, products: dict[str, Product], prices: Iterable[Price]) -> None:
    for price in prices:
        ContractProduct.objects.update_or_create(
            contract=contract,
            product=products[price.sku],
            defaults={
                "unit_price": price.unit_price,
                "maximum_quantity": price.maximum_quantity,
                "is_active": True,
            },
        )


def set_up_grants(contracts: dict[str, Contract], users: dict[str, User]) -> None:
    """Give each of the demo's users the grants it shall have, and no others."""
    for email, numbers in GRANTS.items():
        user = users[email]
        granted = [contracts[number] for number in numbers]
        user.grants.exclude(contract__in=granted).delete()
        for contract in granted:
            ContractGrant.objects.update_or_create(contract=contract, user=user, defaults={"can_create_licenses": True})
