"""Stock that lapses soon, and for whom it could be used."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from django.db.models import BigIntegerField, Sum, Value

from accounts.models import User
from contracts.services.serving import accounts_served_by
from purchases.models import License
from stock.models import StockLot
from stock.wording import SOON

LOTS_ANNOUNCED = 5
ACCOUNTS_NAMED = 3

_ENDS_READ = 200
"""Among so many ends of licenses, the soonest ones, accounts are looked for."""


@dataclass(frozen=True)
class Candidate:
    """An account whose licenses of a product end soon, and when the first of them do."""

    account_id: int
    name: str
    ends_on: date


@dataclass(frozen=True)
class LapsingLot:
    """A lot whose last day is near, and the accounts that could use it, the soonest in need first."""

    lot: StockLot
    candidates: Sequence[Candidate]


def lapsing_lots(user: User, *, on: date) -> list[LapsingLot]:
    """The lots of the user's reseller that lapse within 60 days, the soonest first."""
    lapsing = StockLot.objects.visible_to(user).in_stock(on=on).filter(use_by__lte=on + SOON)
    lots = list(lapsing.select_related("contract", "product").in_order_of_use()[:LOTS_ANNOUNCED])
    if not lots:
        return []
    ends = _first_ends(user, lots, on=on)
    served = _served(lots, {account for accounts in ends.values() for account in accounts}, on=on)
    return [LapsingLot(lot, _candidates(ends[lot.product_id], served[lot.pk])) for lot in lots]


def lapsing_quantity(user: User, *, on: date) -> int:
    """How many licenses in the stock of the user's reseller lapse within 60 days."""
    lapsing = StockLot.objects.visible_to(user).in_stock(on=on).filter(use_by__lte=on + SOON)
    return int(lapsing.aggregate(quantity=Sum("remaining", default=0))["quantity"])


def _first_ends(user: User, lots: Sequence[StockLot], *, on: date) -> dict[int, dict[int, date]]:
    """By product and account, the first end of the licenses that end soonest, in this order."""
    products = {lot.product_id for lot in lots}
    licenses = License.objects.visible_to(user).valid().filter(product__in=products, ends_on__gte=on)
    soonest = licenses.order_by("ends_on", "account").values_list("product", "account", "ends_on").distinct()
    first: dict[int, dict[int, date]] = defaultdict(dict)
    for product, account, ends_on in soonest[:_ENDS_READ]:
        first[product].setdefault(account, ends_on)
    return first


def _served(lots: Sequence[StockLot], accounts: Collection[int], *, on: date) -> dict[int, dict[int, str]]:
    """By lot, the names of those of the accounts that could be given its licenses; in one statement."""
    per_lot = [
        accounts_served_by(lot.contract, on=on, package=lot.product.package_id)
        .filter(pk__in=accounts)
        .order_by()
        .values_list(Value(lot.pk, output_field=BigIntegerField()), "pk", "name")
        for lot in lots
    ]
    served: dict[int, dict[int, str]] = defaultdict(dict)
    for lot, account, name in per_lot[0].union(*per_lot[1:], all=True):
        served[lot][account] = name
    return served


def _candidates(ends: Mapping[int, date], served: Mapping[int, str]) -> list[Candidate]:
    fitting = (Candidate(key, served[key], ends_on) for key, ends_on in ends.items() if key in served)
    return list(islice(fitting, ACCOUNTS_NAMED))
