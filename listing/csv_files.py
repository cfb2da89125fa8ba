"""Tables as CSV (RFC 4180), in UTF-8 with a byte order mark, by which Excel knows the encoding."""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO

from listing.marks import with_mark
from listing.tables import Cell, Cells, Table

CONTENT_TYPE = "text/csv; charset=utf-8"

_BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


def csv_file(table: Table) -> Iterator[bytes]:
    """The bytes of the file, a batch of rows at a time. Days are ISO 8601."""
    yield _BYTE_ORDER_MARK.encode() + _lines([table.headings])
    for batch in table.batches:
        yield _lines(batch)


def _lines(rows: Iterable[Cells]) -> bytes:
    text = StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(map(_harmless, row) for row in rows)
    return text.getvalue().encode()


def _harmless(cell: Cell) -> Cell:
    """The cell with an apostrophe before text that a spreadsheet would take for a formula."""
    return with_mark(cell) if isinstance(cell, str) else cell
