"""What every act but receiving does: change lots and write a movement for each change."""

from collections.abc import Mapping

from django.db.models import Case, F, IntegerField, Value, When
from django.utils import timezone

from accounts.models import User
from stock.models import StockLot, StockMovement


def write(
    changes: Mapping[int, int], *, reason: StockMovement.Reason, actor: User | None, reference: str
) -> list[StockMovement]:
    """Change what remains of lots, given by primary key, and write one movement each.

    The caller's transaction holds the lots. So the movements are dated and numbered in the order in which the
    changes took place, whoever had to wait for whom.
    """
    now = timezone.now()
    per_lot = Case(*(When(pk=pk, then=Value(change)) for pk, change in changes.items()), output_field=IntegerField())
    StockLot.objects.filter(pk__in=changes).update(remaining=F("remaining") + per_lot)
    return StockMovement.objects.bulk_create(
        StockMovement(lot_id=pk, change=change, reason=reason, actor=actor, reference=reference, created_at=now)
        for pk, change in sorted(changes.items())
    )
