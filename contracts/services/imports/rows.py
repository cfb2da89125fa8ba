"""The rows of a file as they are gone through: what stands under a heading, and what is wrong with it."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from contracts.services.imports.effects import Change, Effect, Problem
from contracts.services.imports.values import read_line, text_of
from listing.marks import with_mark
from text.amounts import count_text

_AT_ONCE = 5_000

type StoredRow = tuple[int, list[str]]


class Row:
    """One row of the file, and its effect as far as that is known."""

    def __init__(self, columns: Sequence[str], stored: StoredRow) -> None:
        line, cells = stored
        self._columns = columns
        self._cells = dict(zip(columns, [*cells, *[""] * (len(columns) - len(cells))], strict=False))
        self.effect = Effect(line, "")
        if any(cell.strip() for cell in cells[len(columns) :]):
            self.refuse("", _("The row has more cells than there are headings. Put text with a comma in quotes."))

    def has(self, column: str) -> bool:
        return column in self._cells

    def is_empty(self, column: str) -> bool:
        return not self._cells.get(column, "").strip()

    def read[Value](self, column: str, reader: Callable[[str], Value]) -> Value | None:
        """The value under the heading. None for a cell that is empty, missing, or refused here."""
        if self.is_empty(column):
            return None
        try:
            return reader(self._cells[column])
        except ValidationError as refusal:
            self.refuse(column, refusal)
            return None

    def line_of(self, column: str) -> str:
        return self.read(column, read_line) or ""

    def refuse(self, column: str, why: ValidationError | str) -> None:
        for reason in [why] if isinstance(why, str) else why.messages:
            place = letter_of(self._columns.index(column)) if column in self._cells else ""
            problem = Problem(place, column, str(reason))
            if problem not in self.effect.problems:
                self.effect.problems.append(problem)

    def check(self, column: str, check: Callable[..., Any], *facts: Any) -> bool:
        """Put at the column what the check refuses; whether it refused nothing."""
        try:
            check(*facts)
        except ValidationError as refusal:
            self.refuse(column, refusal)
            return False
        return True

    def says(self, column: str, value: Any) -> bool:
        """Whether the cell is just what a file that we make has for the value."""
        text = text_of(value)
        return self._cells[column] in (text, with_mark(text))

    def change(self, column: str, old: Any, new: Any) -> None:
        self.effect.changes.append(Change(column, text_of(old), text_of(new)))


def refuse_doubles(rows: Iterable[tuple[Row, Hashable]], *, column: str) -> None:
    """Refuse each row whose key another row has too, and say where that is."""
    lines: dict[Hashable, list[int]] = {}
    keyed = list(rows)
    for row, key in keyed:
        lines.setdefault(key, []).append(row.effect.line)
    for row, key in keyed:
        others = [line for line in lines[key] if line != row.effect.line]
        if others:
            row.refuse(
                column,
                _("Line %(line)s is about the same. Keep one of the two.") % {"line": count_text(others[0])},
            )


@dataclass(frozen=True)
class Headings:
    """What a file's columns may be called, and which of them it must have."""

    known: Sequence[str]
    required: Sequence[str]

    def problems(self, columns: Sequence[str]) -> list[Problem]:
        """What is wrong with the columns of a file."""
        missing = _("The file has no such column. Add it.")
        problems = [Problem("", column, missing) for column in self.required if column not in columns]
        times = Counter(columns)
        for index, column in enumerate(columns):
            if reason := self._reason_against(column, times[column]):
                problems.append(Problem(letter_of(index), column, reason))
        return problems

    def _reason_against(self, column: str, times: int) -> str | None:
        if not column:
            return _("The column has no heading. Give it one, or take the column out.")
        if column not in self.known:
            return _("There is no such column. Correct the heading, or take the column out. Known are: %(known)s.") % {
                "known": ", ".join(self.known)
            }
        return _("More than one column is called this. Take the others out.") if times > 1 else None

    def left_out(self, columns: Sequence[str]) -> list[str]:
        return [column for column in self.known if column not in columns]


def letter_of(index: int) -> str:
    """The column's name in a spreadsheet: A, B, …, Z, AA, …"""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def fill(record: Model, row: Row, readers: Mapping[str, Callable[[str], Any]]) -> None:
    """Put what the row says into the record's fields, and what that changes into the row's effect.

    A new record takes the default of a field whose cell is empty. A stored one keeps what has no column.
    """
    is_new = record.pk is None
    row.effect.is_new = is_new
    for column, reader in readers.items():
        field: Any = record._meta.get_field(column)
        old = None if is_new else getattr(record, column)
        if not row.has(column) or (not is_new and row.says(column, old)):
            continue
        if row.is_empty(column):
            if is_new:
                continue
            if not field.blank:
                row.refuse(column, needed())
                continue
            new = None if field.null else ""
        else:
            new = row.read(column, reader)
            if new is None:
                continue
        if new != old and row.check(column, field.clean, new, record):
            row.change(column, old, new)
            setattr(record, column, new)


def refuse_missing(record: Model, row: Row, columns: Iterable[str]) -> None:
    """Refuse a new record that has no value where it needs one."""
    for column in columns:
        if getattr(record, column) in (None, "") and row.is_empty(column):
            row.refuse(column, needed())


def needed() -> str:
    return _("This is needed.")


def found[Record: Model](
    queryset: QuerySet[Record], field: str, values: Iterable[str] | Iterable[int]
) -> Iterator[Record]:
    """The rows whose field has one of the values, however many these are."""
    wanted = sorted(values)
    for start in range(0, len(wanted), _AT_ONCE):
        yield from queryset.filter(**{f"{field}__in": wanted[start : start + _AT_ONCE]})
