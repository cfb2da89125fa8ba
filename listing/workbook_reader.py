"""Workbooks of others (.xlsx), read as rows of text.

openpyxl reads them, and defusedxml refuses entities. What comes in may be made to do harm, so its size is looked at
first: what the zip declares before any of it is unpacked, then how many elements there are before they are read.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from openpyxl import load_workbook
from openpyxl.utils.escape import unescape
from openpyxl.worksheet._reader import FORMULA_TAG, ROW_TAG, WorkSheetParser
from openpyxl.xml.functions import iterparse

from listing import unreadable
from listing.marks import with_mark

_MOST_PARTS = 2_000
_MOST_UNPACKED = 32 * 2**20  # 5,000 rows of 60 columns, at a hundred bytes a cell
_MOST_ELEMENTS = 650_000  # the same rows, at two a cell
_MOST_ELEMENTS_BESIDE_ROWS = 30_000
_PARTS_OF_ROWS = re.compile(r"xl/(worksheets/[^/]+|sharedStrings)\.xml", re.IGNORECASE)
_ENCRYPTED = 0x1

_FIRST_DAY = datetime(1900, 3, 1)  # noqa: DTZ001  # before it, spreadsheets disagree; they know no zones
_DIGITS_OF_SPREADSHEETS = 15
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


def rows_of_workbook(content: bytes, *, most_columns: int) -> Iterator[tuple[int, list[str]]]:
    """The number and the cells of each row of the first sheet that has any text.

    Raises UnreadableFile.
    """
    try:
        with ZipFile(BytesIO(content)) as archive:
            _check_sizes(archive)
        yield from _Sheet(load_workbook(BytesIO(content), read_only=True, keep_links=False), most_columns).rows()
    except unreadable.UnreadableFile:
        raise
    except Exception as error:  # whatever a parser makes of a file that somebody broke
        raise unreadable.damaged_workbook() from error


def _check_sizes(archive: ZipFile) -> None:
    """Refuse what is protected, packed in unusual ways, or would grow too large or take too long to read."""
    parts = archive.infolist()
    if any(part.flag_bits & _ENCRYPTED for part in parts):
        raise unreadable.protected_workbook()
    if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _MOST_UNPACKED:
        raise unreadable.oversized_workbook()
    if any(part.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for part in parts):
        raise unreadable.damaged_workbook()
    of_rows = beside_rows = 0
    for part in parts:
        data = archive.read(part)
        elements = data.count(b"<") - data.count(b"</")
        if _PARTS_OF_ROWS.fullmatch(part.filename):
            of_rows += elements
        else:
            beside_rows += elements
    if of_rows > _MOST_ELEMENTS or beside_rows > _MOST_ELEMENTS_BESIDE_ROWS:
        raise unreadable.oversized_workbook()


class _Sheet(WorkSheetParser):  # type: ignore[misc]  # openpyxl has no types
    """openpyxl's reader of a sheet, which takes nothing but cells from the first one.

    `iter_rows` would fill every gap that the sheet declares, cut off columns unseen, read rules of formatting, and
    translate a shared formula for each cell that shares it: all of them work that a file can ask too much of.
    """

    def __init__(self, book: Any, most_columns: int) -> None:
        sheet = book.worksheets[0]
        days, durations = book._date_formats, book._timedelta_formats
        super().__init__(sheet._get_source(), sheet._shared_strings, False, book.epoch, days, durations)
        self._most_columns = most_columns

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        for _event, element in iterparse(self.source):
            if element.tag == ROW_TAG:
                line, cells = self.parse_row(element)
                texts = {cell["column"]: text for cell in cells if (text := _text(cell["value"], cell["data_type"]))}
                if (last := max(texts, default=0)) > self._most_columns:
                    raise unreadable.too_many_columns(line, self._most_columns)
                if texts:
                    yield line, [texts.get(column, "") for column in range(1, last + 1)]
                element.clear()

    def parse_formula(self, element: Any) -> str:
        return f"={element.findtext(FORMULA_TAG)}"


def _text(value: object, kind: str) -> str:
    """The value as an UploadedTable has it. Only a formula or an error begins with "="."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return _number_text(Decimal(str(value)))
        case datetime():
            return value.isoformat(" ", "minutes").removesuffix(" 00:00") if value >= _FIRST_DAY else "=#VALUE!"
        case str() if kind == "s":
            text = _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", unescape(value))
            return with_mark(text) if text.startswith(("'", "=")) else text
    return f"={value}" if kind == "e" else str(value)


def _number_text(number: Decimal) -> str:
    """The number as people write it, rounded as spreadsheets show it: 4.3499999999999996 is 4.35."""
    if not number.is_finite() or abs(number.adjusted()) > _DIGITS_OF_SPREADSHEETS:
        return str(number)
    return f"{Decimal(f'{number:.{_DIGITS_OF_SPREADSHEETS}g}').normalize():f}"
