"""What an operator looks at first: what ends, what is missing, what lapses, what was sold today."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery, Sum
from django.utils import timezone

from accounts.models import Reseller
from contracts.models import Contract
from purchases.models import Purchase
from stock.models import StockLot

DAYS_AHEAD = 60
FIRST = 5


@dataclass(frozen=True)
class Glance:
    """How many there are, and the first of them."""

    count: int
    first: list[Any]


def ending_contracts(*, on: date) -> Glance:
    """Contracts that are in use and end within the days ahead, the soonest first."""
    ending = Contract.objects.filter(
        status__in=[Contract.Status.ACTIVE, Contract.Status.SUSPENDED],
        ends_on__range=(on, on + timedelta(days=DAYS_AHEAD)),
    )
    return _glance(ending.select_related("reseller").order_by("ends_on", "number"))


def resellers_without_contract(*, on: date) -> Glance:
    """Active resellers who can buy nothing, by name."""
    return _glance(without_active_contract(Reseller.objects.filter(is_active=True), on=on).order_by("name", "pk"))


def without_active_contract(resellers: QuerySet[Reseller], *, on: date) -> QuerySet[Reseller]:
    """Those of the resellers under none of whose contracts anything can be bought on the day (rule 1)."""
    return resellers.filter(~Exists(Contract.objects.filter(reseller=OuterRef("pk")).active(on=on)))


def lapsing_lots(*, on: date) -> Glance:
    """Lots with something left whose last day comes within the days ahead, the soonest first."""
    lapsing = StockLot.objects.filter(remaining__gt=0, use_by__range=(on, on + timedelta(days=DAYS_AHEAD)))
    return _glance(lapsing.select_related("reseller", "contract", "product").order_by("use_by", "pk"))


def purchases_since(instant: datetime) -> Glance:
    """Purchases since the instant, the newest first.

    The database counts reseller by reseller along the index that their lists use; none begins with the instant. The
    newest are found from the end: those that were written last.
    """
    of_reseller = Purchase.objects.filter(reseller=OuterRef("pk"), placed_at__gte=instant).order_by()
    counted = Subquery(of_reseller.values("reseller").annotate(count=Count("pk")).values("count"))
    count = Reseller.objects.annotate(bought=counted).aggregate(count=Sum("bought", default=0))["count"]
    latest = Purchase.objects.select_related("reseller", "contract", "account", "product").order_by("-pk")[:FIRST]
    return Glance(count, [purchase for purchase in latest if purchase.placed_at >= instant])


def start_of(day: date) -> datetime:
    """The first instant of the day, in the time zone that pages are shown in."""
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))


def _glance(rows: QuerySet[Any]) -> Glance:
    return Glance(rows.order_by().count(), list(rows[:FIRST]))
