"""Tables that people send in as files.

Cells are text, whatever the file is: days as ISO 8601, numbers with a point, truth as "true" or "false". Text that
begins with "=" is a formula, or an error of one. Text that only looks like a formula has an apostrophe before it, as in
our own CSV files; `listing.marks.without_mark` takes it away.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import StringIO

from django.utils.translation import gettext as _

from listing.unreadable import UnreadableFile, protected_workbook, too_many_columns
from listing.workbook_reader import rows_of_workbook
from text.amounts import count_text

MOST_BYTES = 5 * 2**20
MOST_COLUMNS = 60

_ZIP = b"PK\x03\x04"
_OLD_OR_PROTECTED = b"\xd0\xcf\x11\xe0"  # a compound file: Excel before 2007, or any Excel with a password
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class UploadedRow:
    """A row under the headings, and the line of the file on which it begins."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class UploadedTable:
    """The first sheet of what was sent in. Rows without any text are left out."""

    headings: list[str]
    rows: list[UploadedRow]


def read_table(content: bytes, *, name: str, most_rows: int) -> UploadedTable:
    """Return what is in the file. Raises UnreadableFile with a sentence that tells what to do."""
    if len(content) > MOST_BYTES:
        raise UnreadableFile(
            _("The file has more than %(limit)s MB. Send it in parts.") % {"limit": MOST_BYTES // 2**20}
        )
    if not content.strip():
        raise UnreadableFile(_("The file is empty. The first line must have the headings."))
    lines = (row for row in _rows_of(content, name) if any(cell.strip() for cell in row.cells))
    headings = next(lines, None)
    if headings is None:
        raise UnreadableFile(_("The file is empty. The first line must have the headings."))
    rows: list[UploadedRow] = []
    for row in lines:
        if len(rows) == most_rows:
            raise UnreadableFile(
                _("The file has more than %(limit)s rows. Send it in parts.") % {"limit": count_text(most_rows)}
            )
        rows.append(row)
    return UploadedTable(_trimmed(headings.cells), rows)


def _rows_of(content: bytes, name: str) -> Iterator[UploadedRow]:
    if content.startswith(_ZIP):
        rows: Iterable[tuple[int, list[str]]] = rows_of_workbook(content, most_columns=MOST_COLUMNS)
    elif content.startswith(_OLD_OR_PROTECTED):
        raise protected_workbook()
    elif name.lower().endswith((".xlsx", ".xlsm", ".xls", ".ods")):
        raise UnreadableFile(
            _("This is no Excel workbook, though its name says so. Save it anew as .xlsx, or as CSV in UTF-8.")
        )
    else:
        rows = _rows_of_csv(_decoded(content))
    for line, cells in rows:
        yield UploadedRow(line, cells)


def _decoded(content: bytes) -> str:
    if content.startswith(_UTF_16) or b"\x00" in content:
        raise UnreadableFile(
            _("The file is in UTF-16, or is no text at all. Save it as “CSV UTF-8”, or as an Excel workbook (.xlsx).")
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(
            _(
                "The file is not in UTF-8: line %(line)s has a letter in another encoding, such as Windows-1254. "
                "Save it as “CSV UTF-8”, or as an Excel workbook (.xlsx)."
            )
            % {"line": count_text(line)}
        ) from error


def _rows_of_csv(text: str) -> Iterator[tuple[int, list[str]]]:
    """The lines of the file. Where spreadsheets know the decimal comma, they put semicolons between cells."""
    first_line = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = next((sign for sign in _DELIMITERS if sign in first_line), ",")
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begun_on = 1
    try:
        for cells in reader:
            if len(cells) > MOST_COLUMNS:
                raise too_many_columns(begun_on, MOST_COLUMNS)
            yield begun_on, cells
            begun_on = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFile(
            _(
                "Line %(line)s cannot be read as CSV. Look for a quotation mark that is never closed, "
                "or save the file as an Excel workbook (.xlsx)."
            )
            % {"line": count_text(begun_on)}
        ) from error


def _trimmed(headings: list[str]) -> list[str]:
    """The headings without space around them, and without empty ones at the end."""
    trimmed = [heading.strip() for heading in headings]
    while not trimmed[-1]:
        trimmed.pop()
    return trimmed
