"""Whether lots agree with their movements: what each says is gathered, and compared."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import QuerySet, Sum, Value
from django.utils.translation import gettext as _

from stock.models import StockLotQuerySet, StockMovement
from stock.services.sums import Sums
from text.amounts import count_text

_CHUNK = 10_000
"""How many rows are fetched at once."""


def statements_of_stock(lots: StockLotQuerySet) -> list[QuerySet[Any, Any]]:
    """Queries for (lot, name, number): what the lots say of themselves, and their movements' sum by reason."""
    lots = lots.order_by()
    movements = StockMovement.objects.filter(lot__in=lots.values("pk")).order_by()
    return [
        lots.values_list("pk", Value("quantity"), "quantity"),
        lots.values_list("pk", Value("remaining"), "remaining"),
        movements.values_list("lot", "reason").annotate(Sum("change")),
    ]


def gather(statements: Sequence[QuerySet[Any, Any]]) -> Iterator[tuple[int, Counter[str]]]:
    """What is stated of each lot, by primary key; what nobody states is 0.

    It is one query over whole tables, so it is quick, and all it tells was true at the same moment, whatever is
    bought meanwhile.
    """
    first, *others = statements
    rows = first.union(*others, all=True).order_by("pk").iterator(_CHUNK)
    for lot, stated in groupby(rows, key=itemgetter(0)):
        yield lot, Counter({name: number for _lot, name, number in stated})


def sums_stated(stated: Counter[str]) -> Sums:
    """The sums of a lot's movements among what is stated of it."""
    return Sums(**{reason: stated[reason] for reason in StockMovement.Reason.values})


def differences_from_movements(stated: Counter[str]) -> list[str]:
    """Where a lot and its movements disagree, a sentence each."""
    sums = sums_stated(stated)
    differences = []
    if stated["quantity"] != sums.received:
        differences.append(
            _("By the lot, %(quantity)s came in; by its movements, %(received)s.")
            % {"quantity": count_text(stated["quantity"]), "received": count_text(sums.received)}
        )
    if stated["remaining"] != sums.balance:
        differences.append(
            _("The lot holds %(remaining)s; by its movements, it should hold %(balance)s.")
            % {"remaining": count_text(stated["remaining"]), "balance": count_text(sums.balance)}
        )
    return differences
