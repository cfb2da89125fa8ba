"""What lies in stock, and how it came and went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

from django.db.models import Count, F, Min, Sum

from accounts.models import User
from contracts.models import Contract
from listing.pages import At, Order, Page
from products.models import Product
from stock.models import StockLot, StockLotQuerySet, StockMovement

LOTS_SHOWN = 25
MOVEMENTS_SHOWN = 50
PRODUCTS_SHOWN = 50

LOTS = Order({"use_by": date, "pk": int})
"""The soonest to be used first."""

LOTS_THAT_ARE_OVER = Order({"use_by": date, "pk": int}, falling=True)

MOVEMENTS = Order({"pk": int})
"""As they were written, each under the lock of its lot: the clock, which may be turned back, has no say in it."""


@dataclass(frozen=True)
class StockTotals:
    """How many licenses lie in how many lots."""

    licenses: int
    lots: int


def totals_of(user: User, *, on: date) -> StockTotals:
    """What the user's reseller can take from stock on the day."""
    lots = StockLot.objects.visible_to(user).in_stock(on=on)
    return StockTotals(**lots.aggregate(licenses=Sum("remaining", default=0), lots=Count("pk")))


@dataclass(frozen=True)
class StockOfProduct:
    """How many licenses of a product lie in stock under a contract, and the first day on which some lapse."""

    product_id: int
    sku: str
    name: str
    contract_id: int
    contract_number: str
    remaining: int
    use_by: date


def stock_by_product(user: User, *, on: date) -> list[StockOfProduct]:
    """What the user's reseller can take from stock on the day, by product and contract, the soonest to lapse first."""
    rows = (
        StockLot.objects.visible_to(user)
        .in_stock(on=on)
        .values("product_id", "contract_id", sku=F("product__sku"), name=F("product__name"))
        .annotate(contract_number=F("contract__number"), sum=Sum("remaining"), first=Min("use_by"))
        .order_by("first", "name", "contract_number")[:PRODUCTS_SHOWN]
    )
    return [
        StockOfProduct(
            product_id=row["product_id"],
            sku=row["sku"],
            name=row["name"],
            contract_id=row["contract_id"],
            contract_number=row["contract_number"],
            remaining=row["sum"],
            use_by=row["first"],
        )
        for row in rows
    ]


@dataclass(frozen=True)
class StockFilter:
    """Of which lots a list is: of one product, one contract, both or all."""

    product: Product | None = None
    contract: Contract | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """What its address says."""
        named = {"product": self.product, "contract": self.contract}
        return {name: str(row.pk) for name, row in named.items() if row is not None}

    def lots(self, user: User) -> StockLotQuerySet:
        return StockLot.objects.visible_to(user).filter(**self.parameters)


def lots_in_stock(user: User, *, narrowed: StockFilter, on: date, at: At) -> Page[StockLot]:
    """A page of the lots that can be taken from on the day."""
    lots = narrowed.lots(user).in_stock(on=on)
    return LOTS.page(lots.select_related("contract", "product"), size=LOTS_SHOWN, at=at)


def lots_that_are_over(user: User, *, narrowed: StockFilter, on: date, at: At) -> Page[StockLot]:
    """A page of the lots that are used up or lapsed, the last first."""
    lots = narrowed.lots(user).over(on=on)
    return LOTS_THAT_ARE_OVER.page(lots.select_related("contract", "product"), size=LOTS_SHOWN, at=at)


@dataclass(frozen=True)
class Entry:
    """A movement, and what the lot held after it."""

    movement: StockMovement
    balance: int


def entries_of(lot: StockLot, *, at: At) -> Page[Entry]:
    """A page of the lot's movements from the first on, with the running balance."""
    page = MOVEMENTS.page(lot.movements.select_related("actor"), size=MOVEMENTS_SHOWN, at=at)
    balances = list(accumulate((row.change for row in page.rows), initial=_balance_before(lot, page.rows)))[1:]
    entries = [Entry(movement, balance) for movement, balance in zip(page.rows, balances, strict=True)]
    return Page(entries, previous=page.previous, next=page.next)


def _balance_before(lot: StockLot, movements: Sequence[StockMovement]) -> int:
    """What the lot held before the first of the movements."""
    if not movements:
        return 0
    earlier = lot.movements.filter(MOVEMENTS.before(movements[0]))
    total: int = earlier.aggregate(total=Sum("change", default=0))["total"]
    return total
