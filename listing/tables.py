"""Whole lists as tables of cells, for files that people take away."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""Text that begins with one of these can become a formula in a spreadsheet (OWASP, CSV injection)."""

type Cell = str | int | Decimal | date | None
"""What stands in one place: text, a number, a day, or nothing."""

type Cells = Sequence[Cell]


@dataclass(frozen=True)
class Column:
    """A column of a table. Its width, in characters, is for files that have widths."""

    heading: str
    width: int


@dataclass(frozen=True)
class Table:
    """What a file holds. The rows come in batches, none of them empty, and are gone through once: a million fit."""

    title: str
    columns: Sequence[Column]
    batches: Iterable[Sequence[Cells]]

    @property
    def headings(self) -> list[str]:
        return [column.heading for column in self.columns]
