"""What a lot's movements add up to."""

from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from stock.models import StockLotQuerySet, StockMovement


@dataclass(frozen=True)
class Sums:
    """The sum of a lot's movements for each reason, signed as they are."""

    received: int
    allocated: int
    returned: int
    expired: int
    corrected: int

    @property
    def balance(self) -> int:
        """How many licenses remain by the movements."""
        return sum(asdict(self).values())

    @property
    def out(self) -> int:
        """How many are with accounts: given to them and not returned."""
        return -self.allocated - self.returned

    @property
    def written_off(self) -> int:
        """How many have lapsed or were corrected away, and were not corrected back."""
        return -self.expired - self.corrected


def with_sums(lots: StockLotQuerySet) -> StockLotQuerySet:
    """Annotate the lots with what `sums_of` tells."""
    of_lot = StockMovement.objects.filter(lot=OuterRef("pk")).order_by().values("lot").annotate(sum=Sum("change"))
    return lots.annotate(
        **{
            f"sum_{reason}": Coalesce(Subquery(of_lot.filter(reason=reason).values("sum")), 0)
            for reason in StockMovement.Reason.values
        }
    )


def sums_of(lot: Any) -> Sums:
    """What the movements of the lot add up to, which was read through `with_sums`."""
    return Sums(**{reason: getattr(lot, f"sum_{reason}") for reason in StockMovement.Reason.values})
