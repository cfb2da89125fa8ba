"""Stock that is taken: licenses that leave their lots."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction

from accounts.models import User
from stock.models import StockLot, StockMovement
from stock.services import movements


class StockNotLeft(Exception):
    """A lot no longer holds what shall be taken from it; nothing was taken."""


@dataclass(frozen=True)
class Taking:
    """So many licenses out of one lot."""

    lot: StockLot
    quantity: int


def plan_takings(lots: Sequence[StockLot], *, quantity: int) -> list[Taking]:
    """Say how many to take from which of the lots, in their order, to reach the quantity or come nearest to it."""
    takings = []
    missing = quantity
    for lot in lots:
        taken = min(lot.remaining, missing)
        if taken > 0:
            takings.append(Taking(lot, taken))
            missing -= taken
    return takings


def take_stock(takings: Sequence[Taking], *, actor: User, reference: str) -> None:
    """Take from the lots, all or nothing, and write one movement each.

    Raises StockNotLeft if a lot holds less by now; nothing was taken then.
    """
    if not takings:
        return
    with transaction.atomic(savepoint=False):
        wanted = quantity_per_lot(takings)
        held = StockLot.objects.filter(pk__in=wanted).locked()
        is_left = all(lot.remaining >= wanted[lot.pk] for lot in held)
        if is_left:
            changes = {pk: -quantity for pk, quantity in wanted.items()}
            movements.write(changes, reason=StockMovement.Reason.ALLOCATED, actor=actor, reference=reference)
    if not is_left:
        raise StockNotLeft  # out here, where it does not spoil the transaction of a caller who goes on


def quantity_per_lot(takings: Iterable[Taking]) -> Counter[int]:
    """How many licenses the takings name of each lot, by its primary key."""
    per_lot: Counter[int] = Counter()
    for taking in takings:
        per_lot[taking.lot.pk] += taking.quantity
    return per_lot
