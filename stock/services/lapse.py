"""Stock that lapses: what is left of a lot after its last day."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from itertools import batched
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Reseller
from audit.models import Act
from audit.services import record
from stock.models import StockLot, StockLotQuerySet, StockMovement
from stock.services import movements

BATCH = 500
"""How many lots are held and written off in one transaction."""


@dataclass(frozen=True)
class Lapsed:
    """What was written off."""

    lots: int
    licenses: int


def lapse(*, at: datetime) -> Lapsed:
    """Write off what is left of lots whose last day is over where their reseller is at the instant.

    Each batch is a transaction of its own and looks again at its lots once it holds them. So a run can begin at
    any time, beside others, and after one that was broken off: every license is written off once.
    """
    overdue = overdue_lots(at=at)
    quantities: list[int] = []
    for pks in batched(list(overdue.order_by("pk").values_list("pk", flat=True)), BATCH):
        with transaction.atomic():
            left = {lot.pk: lot.remaining for lot in overdue.filter(pk__in=pks).locked()}
            changes = {pk: -remaining for pk, remaining in left.items()}
            movements.write(changes, reason=StockMovement.Reason.EXPIRED, actor=None, reference="")
            if left:
                record(Act.STOCK_LAPSED, by=None, detail=f"{len(left)} lots, {sum(left.values())} licenses")
        quantities += left.values()
    return Lapsed(lots=len(quantities), licenses=sum(quantities))


def overdue_lots(*, at: datetime) -> StockLotQuerySet:
    """The lots that hold licenses although their last day is over in their reseller's time zone at the instant."""
    zones_by_today: dict[date, list[str]] = defaultdict(list)
    for name in Reseller.objects.order_by().values_list("time_zone", flat=True).distinct():
        zones_by_today[timezone.localdate(at, ZoneInfo(name))].append(name)
    is_overdue = Q(pk__in=[])
    for today, zones in zones_by_today.items():
        is_overdue |= Q(use_by__lt=today, reseller__in=Reseller.objects.filter(time_zone__in=zones))
    return StockLot.objects.filter(is_overdue, remaining__gt=0)
