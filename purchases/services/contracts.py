"""What the page about a contract shows besides the contract itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, QuerySet, Window

from accounts.models import Account, User
from contracts.models import Contract, ContractProduct
from products.models import Product
from purchases.models import Purchase
from purchases.services.choices import lines_with_stock
from stock.models import StockLot

PRODUCTS_SHOWN = 50
LOTS_SHOWN = 20
PEOPLE_SHOWN = 50
ACCOUNTS_SHOWN = 20
PURCHASES_SHOWN = 10


@dataclass(frozen=True)
class Excerpt[Row]:
    """The first rows of some, and how many there are."""

    rows: Sequence[Row]
    total: int

    @property
    def is_all(self) -> bool:
        return len(self.rows) == self.total


def products_under(contract: Contract, *, on: date, query: str = "") -> Excerpt[ContractProduct]:
    """The contract's lines whose product matches the search, on sale or not, by name, each with `in_stock`."""
    lines = lines_with_stock(contract, on=on)
    if query:
        lines = lines.filter(product__in=Product.objects.matching(query))
    return _first(lines.order_by("product__name", "pk"), PRODUCTS_SHOWN)


def stock_under(contract: Contract, *, on: date) -> Excerpt[StockLot]:
    """The lots of the contract that licenses can be taken from on the day, in the order in which they are used."""
    lots = StockLot.objects.filter(contract=contract, remaining__gt=0, use_by__gte=on).select_related("product")
    return _first(lots.in_order_of_use(), LOTS_SHOWN)


def buyers_under(contract: Contract) -> Excerpt[User]:
    """The reseller's active users who may create licenses under the contract, by name."""
    granted = contract.grants.filter(can_create_licenses=True).values("user")
    buyers = User.objects.filter(reseller=contract.reseller_id, is_active=True, pk__in=granted)
    return _first(buyers.order_by("full_name", "email"), PEOPLE_SHOWN)


def accounts_named_by(contract: Contract) -> Excerpt[Account]:
    """The accounts that the contract serves and no others, by name; none if it is not exclusive (rule 4)."""
    return _first(contract.exclusive_accounts.order_by("search_text", "pk"), ACCOUNTS_SHOWN)


def latest_purchases_under(contract: Contract) -> list[Purchase]:
    """The last purchases under the contract, newest first."""
    purchases = contract.purchases.select_related("account", "contract", "product", "placed_by")
    return list(purchases.order_by("-placed_at", "-pk")[:PURCHASES_SHOWN])


def _first[Row: (Account, ContractProduct, StockLot, User)](rows: QuerySet[Row], number: int) -> Excerpt[Row]:
    shown: list[Any] = list(rows.annotate(total=Window(Count("pk")))[:number])
    return Excerpt(shown, shown[0].total if shown else 0)
