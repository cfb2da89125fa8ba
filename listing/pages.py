"""Keyset pages: each begins where its neighbor ends, so that new rows neither repeat nor hide others."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import reduce
from typing import Any, Self

from django.db.models import F, Q, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.db.models.fields.tuple_lookups import (
    TupleGreaterThan,
    TupleGreaterThanOrEqual,
    TupleLessThan,
    TupleLessThanOrEqual,
)
from django.http import QueryDict

from text.keys import key_written

QUERY_LIMIT = 300
"""The most characters of a search; no name is longer."""

_DIVIDER = "~"  # one of the few signs that stand in an address as they are
_INSTANT = "%Y%m%dT%H%M%S%f"


def query_asked(parameters: QueryDict) -> str:
    """What is searched for, as it was typed."""
    return parameters.get("q", "").replace("\0", "").strip()[:QUERY_LIMIT]


@dataclass(frozen=True)
class At:
    """Which page of a list is asked for: after, before, or from the row at a place; else the first."""

    after: str = ""
    before: str = ""
    start: str = ""

    @classmethod
    def asked(cls, parameters: QueryDict, *, prefix: str = "") -> Self:
        """As an address says it; the prefix tells two lists of one page apart."""
        after, before, start = (parameters.get(f"{prefix}{name}", "") for name in ("after", "before", "from"))
        return cls(after=after, before=before, start=start)


@dataclass(frozen=True)
class Page[Row]:
    """The rows of one page, and the places of its first and last row where pages lie before and after it."""

    rows: list[Row]
    previous: str
    next: str

    def map[Other](self, make: Callable[[Row], Other]) -> "Page[Other]":
        """The same page of other rows."""
        return Page([make(row) for row in self.rows], previous=self.previous, next=self.next)


class Order:
    """The columns that order a list, all rising or all falling. Together they tell every row from the others.

    One index should hold what the list is narrowed by, then these columns. Where the first is a related record's,
    an index of that record should begin with it, and the next columns tell the record from the others.
    """

    def __init__(self, columns: Mapping[str, type[Any]], *, falling: bool = False) -> None:
        self.columns = columns
        self.falling = falling

    def place_of(self, row: Any) -> str:
        """Where the row stands, as text for an address."""
        return _DIVIDER.join(_written(value) for value in self._values(row))

    def read(self, place: str) -> tuple[Any, ...] | None:
        """The columns' values of a place; None for what is none."""
        parts = place.split(_DIVIDER)
        if not place or len(parts) != len(self.columns):
            return None
        with suppress(ValueError, OverflowError):
            return tuple(_READERS[kind](part) for kind, part in zip(self.columns.values(), parts, strict=True))
        return None

    def before(self, row: Any) -> Any:
        """The condition that rows stand before this one."""
        backwards = Order(self.columns, falling=not self.falling)
        return backwards._beyond(self._values(row))

    def page[Row](self, rows: "QuerySet[Any, Row]", *, size: int, at: At) -> Page[Row]:
        """The page of the rows that is asked for; the first one where that lies nowhere."""
        return (
            self._page_before(rows, size, self.read(at.before))
            or self._page_after(rows, size, self.read(at.after), self._beyond)
            or self._page_after(rows, size, self.read(at.start), self._from)
            or self._first_page(rows, size)
        )

    def batches[Row](self, rows: "QuerySet[Any, Row]", *, size: int) -> Iterator[list[Row]]:
        """All rows, in batches that each cost what the first costs. A row that moves meanwhile may be missed."""
        batch = self._first(rows, size)
        while batch:
            yield batch
            if len(batch) < size:
                return
            batch = self._first(rows.filter(self._beyond(self._values(batch[-1]))), size)

    def _page_before[Row](
        self, rows: "QuerySet[Any, Row]", size: int, place: tuple[Any, ...] | None
    ) -> Page[Row] | None:
        if place is None:
            return None
        backwards = Order(self.columns, falling=not self.falling)
        found = backwards._first(rows.filter(backwards._beyond(place)), size + 1)
        shown = found[:size][::-1]
        if not shown:
            return None
        has_more = len(found) > size
        return Page(shown, previous=self.place_of(shown[0]) if has_more else "", next=self.place_of(shown[-1]))

    def _page_after[Row](
        self,
        rows: "QuerySet[Any, Row]",
        size: int,
        place: tuple[Any, ...] | None,
        comparison: Callable[[tuple[Any, ...]], Any],
    ) -> Page[Row] | None:
        if place is None:
            return None
        page = self._first_page(rows.filter(comparison(place)), size)
        return Page(page.rows, previous=self.place_of(page.rows[0]), next=page.next) if page.rows else None

    def _first_page[Row](self, rows: "QuerySet[Any, Row]", size: int) -> Page[Row]:
        found = self._first(rows, size + 1)
        has_more = len(found) > size
        return Page(found[:size], previous="", next=self.place_of(found[size - 1]) if has_more else "")

    def _first[Row](self, rows: "QuerySet[Any, Row]", number: int) -> list[Row]:
        sign = "-" if self.falling else ""
        return list(rows.order_by(*(f"{sign}{column}" for column in self.columns))[:number])

    def _beyond(self, place: tuple[Any, ...]) -> Any:
        comparison = TupleLessThan if self.falling else TupleGreaterThan
        return self._begun(comparison(self._row, place), place)

    def _from(self, place: tuple[Any, ...]) -> Any:
        comparison = TupleLessThanOrEqual if self.falling else TupleGreaterThanOrEqual
        return self._begun(comparison(self._row, place), place)

    def _begun(self, comparison: Any, place: tuple[Any, ...]) -> Any:
        """The comparison, said so that the database can begin there in the index of a related record, too."""
        first = next(iter(self.columns))
        if LOOKUP_SEP not in first:
            return comparison
        return Q(comparison) & Q(**{f"{first}__{'lte' if self.falling else 'gte'}": place[0]})

    def _values(self, row: Any) -> tuple[Any, ...]:
        return tuple(
            row[column] if isinstance(row, dict) else reduce(getattr, column.split(LOOKUP_SEP), row)
            for column in self.columns
        )

    @property
    def _row(self) -> tuple[F, ...]:
        return tuple(F(column) for column in self.columns)


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime(_INSTANT)
    if isinstance(value, str):
        return urlsafe_b64encode(value.encode()).decode().rstrip("=")
    return value.isoformat() if isinstance(value, date) else str(value)


def _read_text(part: str) -> str:
    text = urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()
    if "\0" in text:
        raise ValueError(part)
    return text


def _read_key(part: str) -> int:
    if (key := key_written(part)) is None:
        raise ValueError(part)
    return key


def _read_instant(part: str) -> datetime:
    return datetime.strptime(part, _INSTANT).replace(tzinfo=UTC)


_READERS: dict[type[Any], Callable[[str], Any]] = {
    str: _read_text,
    int: _read_key,
    date: date.fromisoformat,
    datetime: _read_instant,
}
