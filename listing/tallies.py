"""How many there are, without counting a million."""

from dataclasses import dataclass
from typing import Any

from django.db.models import F, IntegerField, QuerySet, Subquery
from django.utils.translation import gettext as _

from text.amounts import count_text

COUNTED = 10_000
"""Up to so many are counted one by one."""


@dataclass(frozen=True)
class Tally:
    """How many rows were counted; there may be more of them than `COUNTED`."""

    counted: int

    @property
    def is_exact(self) -> bool:
        return self.counted <= COUNTED

    @property
    def number(self) -> int:
        """How many there are, or the most that were counted: for the plural of a sentence."""
        return min(self.counted, COUNTED)

    @property
    def text(self) -> str:
        """1,284 or 10,000+"""
        shown = count_text(self.number)
        return shown if self.is_exact else _("%(number)s+") % {"number": shown}


def tally(rows: "QuerySet[Any, Any]") -> Tally:
    """Count the rows in a statement of its own. Their order should be that of an index, see `CountUpTo`."""
    return Tally(rows[: COUNTED + 1].count())


class CountUpTo(Subquery):
    """The number of rows of a queryset, as far as a `Tally` wants to know it, within another statement.

    The rows should be in the order of an index. A database that may count whichever it likes reads the table from
    its beginning, and where that belongs to other resellers, nearly all of it.
    """

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    empty_result_set_value = 0

    def __init__(self, rows: "QuerySet[Any, Any]") -> None:
        super().__init__(rows.values("pk")[: COUNTED + 1], output_field=IntegerField())


class CountDistinctUpTo(Subquery):
    """The number of different values of a column among the first rows of a queryset."""

    template = "(SELECT COUNT(DISTINCT counted_value) FROM (%(subquery)s) counted)"
    empty_result_set_value = 0

    def __init__(self, rows: "QuerySet[Any, Any]", column: str) -> None:
        values = rows.values(counted_value=F(column))
        super().__init__(values[: COUNTED + 1], output_field=IntegerField())
