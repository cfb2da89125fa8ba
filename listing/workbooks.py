"""Tables as workbooks for spreadsheets (Office Open XML, ECMA-376), made while they are sent.

A workbook is a zip of XML parts. Each part is compressed and handed on as it grows, so that neither memory nor disk
holds the whole. What needs the number of sheets is written last.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from io import RawIOBase
from string import ascii_uppercase
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from listing.tables import FORMULA_SIGNS, Cell, Cells, Table

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

MOST_ROWS = 1_048_576
"""The most rows of a sheet that a spreadsheet shows, the header among them. What is left goes on in another sheet."""

_MOST_BYTES = 2**30  # of a sheet: beyond 2 GiB the zip would need an extension that Excel complains about
_DAY_ZERO = date(1899, 12, 30)
_FIRST_DAY = date(1900, 3, 1)  # before it, spreadsheets disagree: some know a 29 February 1900

_STYLE_OF_DAYS, _STYLE_OF_HEADINGS, _STYLE_OF_QUOTED = 1, 2, 3

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_KINDS = "application/vnd.openxmlformats-officedocument.spreadsheetml"

_ROOT_RELATIONS = (
    f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
_STYLES = (
    f'{_XML}<styleSheet xmlns="{_SHEETS}">'
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    "<borders><border><left/><right/><top/><bottom/><diagonal/></border></borders>"
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)

# What stands for itself nowhere in XML, what looks like an escape of ECMA-376 (22.9.2.19), and what no XML can hold.
_SPECIAL = re.compile('[&<>"\r]|_(?=x[0-9A-Fa-f]{4}_)|[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')
_WRITTEN = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "_": "_x005F_"}
_UNWRITABLE = "\N{REPLACEMENT CHARACTER}"


class _Outbox(RawIOBase):
    """Takes what the zip writes and gives it on. It can't go back, and the zip knows how to do without."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def emptied(self) -> bytes:
        """What has come in since the last time."""
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def workbook(*tables: Table) -> Iterator[bytes]:
    """The bytes of the file, a batch of rows at a time: a sheet for each table, or more where it is longer than one.

    Tables have at most 26 columns, and titles that a sheet may have, of at most 26 characters.
    """
    outbox = _Outbox()
    titles: list[str] = []
    with ZipFile(outbox, "w", ZIP_DEFLATED) as archive:
        archive.writestr("_rels/.rels", _ROOT_RELATIONS)
        for table in tables:
            for _batch in _write_sheets(archive, table, titles):
                yield outbox.emptied()
        archive.writestr("xl/styles.xml", _STYLES)
        archive.writestr("xl/workbook.xml", _workbook_part(titles))
        archive.writestr("xl/_rels/workbook.xml.rels", _relations_part(len(titles)))
        archive.writestr("[Content_Types].xml", _content_types_part(len(titles)))
    yield outbox.emptied()


def _write_sheets(archive: ZipFile, table: Table, titles: list[str]) -> Iterator[None]:
    """Write the table and add the titles of its sheets. Yields whenever a batch is written."""
    batches = iter(table.batches)
    rows: Sequence[Cells] = next(batches, ())
    sheets = 0
    while rows or not sheets:
        sheets += 1
        titles.append(table.title if sheets == 1 else f"{table.title} {sheets}")
        with archive.open(f"xl/worksheets/sheet{len(titles)}.xml", "w") as sheet:
            size = sheet.write(_beginning_of(table))
            last_row = 1
            while rows and last_row < MOST_ROWS and size < _MOST_BYTES:
                fitting = rows[: MOST_ROWS - last_row]
                size += sheet.write(_rows(fitting, first=last_row + 1))
                last_row += len(fitting)
                rows = rows[len(fitting) :]
                yield
                rows = rows or next(batches, ())
            sheet.write(_end_of(table, last_row))


def _beginning_of(table: Table) -> bytes:
    """The part of a sheet before its rows, and its header, which stays in sight."""
    widths = "".join(
        f'<col min="{number}" max="{number}" width="{column.width}" customWidth="1"/>'
        for number, column in enumerate(table.columns, start=1)
    )
    headings = "".join(
        f'<c r="{letter}1" s="{_STYLE_OF_HEADINGS}" t="inlineStr"><is><t>{_text(heading)}</t></is></c>'
        for letter, heading in zip(ascii_uppercase, table.headings, strict=False)
    )
    return (
        f'{_XML}<worksheet xmlns="{_SHEETS}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f'<cols>{widths}</cols><sheetData><row r="1">{headings}</row>'
    ).encode()


def _end_of(table: Table, last_row: int) -> bytes:
    last_column = ascii_uppercase[len(table.columns) - 1]
    return f'</sheetData><autoFilter ref="A1:{last_column}{last_row}"/></worksheet>'.encode()


def _rows(rows: Sequence[Cells], *, first: int) -> bytes:
    return "".join(
        f'<row r="{number}">{_cells(cells, number)}</row>' for number, cells in enumerate(rows, start=first)
    ).encode()


def _cells(cells: Cells, row: int) -> str:
    return "".join(
        _cell(f"{letter}{row}", cell)
        for letter, cell in zip(ascii_uppercase, cells, strict=False)
        if cell not in (None, "")
    )


def _cell(place: str, cell: Cell) -> str:
    if isinstance(cell, date):
        if cell >= _FIRST_DAY:
            return f'<c r="{place}" s="{_STYLE_OF_DAYS}"><v>{(cell - _DAY_ZERO).days}</v></c>'
        cell = cell.isoformat()
    if isinstance(cell, str):
        # The style keeps it text also when somebody edits it.
        style = f' s="{_STYLE_OF_QUOTED}"' if cell.startswith(FORMULA_SIGNS) else ""
        return f'<c r="{place}"{style} t="inlineStr"><is><t xml:space="preserve">{_text(cell)}</t></is></c>'
    return f'<c r="{place}"><v>{cell}</v></c>'


def _text(text: str) -> str:
    return _SPECIAL.sub(lambda found: _WRITTEN.get(found[0], _UNWRITABLE), text)


def _workbook_part(titles: Sequence[str]) -> str:
    sheets = "".join(
        f'<sheet name="{_text(title)}" sheetId="{number}" r:id="rId{number}"/>'
        for number, title in enumerate(titles, start=1)
    )
    return f'{_XML}<workbook xmlns="{_SHEETS}" xmlns:r="{_DOCUMENT}"><sheets>{sheets}</sheets></workbook>'


def _relations_part(sheets: int) -> str:
    relations = "".join(
        f'<Relationship Id="rId{number}" Type="{_DOCUMENT}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in range(1, sheets + 1)
    )
    styles = f'<Relationship Id="rId{sheets + 1}" Type="{_DOCUMENT}/styles" Target="styles.xml"/>'
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{relations}{styles}</Relationships>'


def _content_types_part(sheets: int) -> str:
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{_KINDS}.worksheet+xml"/>'
        for number in range(1, sheets + 1)
    )
    return (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_KINDS}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_KINDS}.styles+xml"/>{overrides}</Types>'
    )
