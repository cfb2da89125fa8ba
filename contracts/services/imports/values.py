"""What the cells of a file mean. Each reader takes a cell's text and raises ValidationError with what to write instead.

Days, numbers and truth are read in one way only. "1.234" or "03/04/2026" mean different things to different people,
and a price list is no place for guessing.
"""

import csv
import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from listing.marks import without_mark
from listing.tables import Cell
from text.cleaning import UnreadableText, clean_text
from text.folding import fold

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,12}")
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YES = {"true", "yes", "1", "dogru", "evet"}
_NO = {"false", "no", "0", "yanlis", "hayir"}
_NOTHING = Decimal("0.00")
_SHOWN = 40


def read_text(cell: str) -> str:
    """The plain text of a cell, which may have lines."""
    if cell.startswith("="):
        raise ValidationError(
            _("“%(text)s” is a formula. Write its result, or an apostrophe before it if it is meant as text.")
            % {"text": shortened(cell)}
        )
    try:
        return clean_text(without_mark(cell))
    except UnreadableText:
        raise ValidationError(
            _("This holds characters that cannot be shown. Type it anew instead of pasting it.")
        ) from None


def read_line(cell: str) -> str:
    """The plain text of a cell, on one line."""
    return " ".join(read_text(cell).split())


def read_day(cell: str) -> date:
    text = read_line(cell)
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        raise ValidationError(_("%(text)s is not in the calendar.") % {"text": text}) from None
    raise ValidationError(
        _("“%(text)s” is no day. Write year, month and day, like 2026-11-24.") % {"text": shortened(text)}
    )


def read_whole_number(cell: str) -> int:
    text = read_line(cell)
    if not _WHOLE_NUMBER.fullmatch(text):
        raise ValidationError(
            _("“%(text)s” is no whole number. Write digits only, like 1200.") % {"text": shortened(text)}
        )
    return int(text)


def read_amount(cell: str) -> Decimal:
    text = read_line(cell)
    if not _NUMBER.fullmatch(text):
        raise ValidationError(
            _("“%(text)s” is no amount. Write digits, with a point before the decimals, like 1234.50.")
            % {"text": shortened(text)}
        )
    return Decimal(text) + _NOTHING  # with two decimals, or as many as there are


def read_truth(cell: str) -> bool:
    folded = fold(read_line(cell))
    if folded not in _YES | _NO:
        raise ValidationError(_("Write true or false, not “%(text)s”.") % {"text": shortened(cell)})
    return folded in _YES


def read_list(cell: str) -> list[str]:
    """The texts between semicolons, without doubles. One that has a semicolon itself stands in quotation marks."""
    try:
        lines = list(csv.reader(StringIO(read_text(cell)), delimiter=";", skipinitialspace=True, strict=True))
    except csv.Error:
        raise ValidationError(
            _("This is no list. Put a semicolon between two names, and only whole names in quotation marks.")
        ) from None
    return list(dict.fromkeys(text for line in lines for each in line if (text := " ".join(each.split()))))


def list_written(texts: Sequence[str]) -> str:
    """The texts as `read_list` reads them."""
    return "; ".join(map(_quoted, texts))


def shortened(text: str) -> str:
    """As much of what somebody wrote as a sentence can repeat."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def cell_of(value: Any) -> Cell:
    """The value as a file has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, (str, int, Decimal, date)):
        return value
    raise TypeError(value)


def text_of(value: Any) -> str:
    """The value as the cell of a file reads."""
    cell = cell_of(value)
    return "" if cell is None else cell.isoformat() if isinstance(cell, date) else str(cell)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ';"\n') else text
