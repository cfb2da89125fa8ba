"""Files that people send in, as tables of text."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from listing.csv_files import csv_file
from listing.marks import without_mark
from listing.tables import Column, Table
from listing.unreadable import UnreadableFile
from listing.uploads import MOST_BYTES, UploadedTable, read_table
from listing.workbooks import workbook


def read(content: bytes, name: str = "list.csv", *, most_rows: int = 100) -> UploadedTable:
    return read_table(content, name=name, most_rows=most_rows)


def cells(content: bytes, name: str = "list.csv") -> list[list[str]]:
    return [row.cells for row in read(content, name).rows]


def refusal(content: bytes, name: str = "list.csv", *, most_rows: int = 100) -> str:
    with pytest.raises(UnreadableFile) as refused:
        read(content, name, most_rows=most_rows)
    return str(refused.value)


def saved(*rows: Iterable[Any]) -> bytes:
    """A workbook as somebody else's program saves it."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    return written(book)


def written(book: openpyxl.Workbook) -> bytes:
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def with_part(content: bytes, part: str, data: bytes, *, compression: int = ZIP_DEFLATED) -> bytes:
    """The workbook with another part in the place of its own."""
    file = BytesIO()
    with ZipFile(BytesIO(content)) as old, ZipFile(file, "w", compression) as new:
        for name in old.namelist():
            new.writestr(name, data if name == part else old.read(name))
    return file.getvalue()


def sheet_of(xml: str) -> bytes:
    start = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    data = f"{start}<sheetData>{xml}</sheetData></worksheet>".encode()
    return with_part(saved(["sku"]), "xl/worksheets/sheet1.xml", data)


def test_a_csv_file_is_read_with_the_lines_on_which_its_rows_begin() -> None:
    table = read(b'sku,name\r\nA,"one\r\ntwo"\r\n\r\nB,three\r\n')

    assert table.headings == ["sku", "name"]
    assert [(row.line, row.cells) for row in table.rows] == [(2, ["A", "one\r\ntwo"]), (5, ["B", "three"])]


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_utf_8_is_read_with_and_without_its_mark(start: bytes) -> None:
    table = read(start + "sku,ad\nA,İstanbul Şişli".encode())

    assert table.headings == ["sku", "ad"]
    assert table.rows[0].cells == ["A", "İstanbul Şişli"]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_semicolons_and_tabs_may_stand_between_cells(delimiter: str) -> None:
    text = "sku,name\nA,x".replace(",", delimiter)

    assert read(text.encode()).headings == ["sku", "name"]
    assert cells(text.encode()) == [["A", "x"]]


def test_empty_columns_at_the_end_have_no_heading() -> None:
    assert read(b"sku,name,,\nA,x,,\n").headings == ["sku", "name"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\r\n \r\n", "is empty"),
        (b",,\n,,\n", "is empty"),
        ("ad\nŞişli".encode("utf-16"), "UTF-16"),
        ("ad\nŞişli".encode("utf-16-le"), "UTF-16"),
        ("ad\nx\nŞişli".encode("cp1254"), "line 3"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "no text at all"),
        (b'sku\n"A', "Line 2 cannot be read"),
        (b'sku\n"A"x\n', "Line 2 cannot be read"),
        (b"sku\n" + b"x" * 200_000, "Line 2 cannot be read"),
        (b"sku" + b"," * 1_000_000, "more than 60 columns"),
        (b"sku\n" + b"," * 1_000_000, "Line 2 has more than 60 columns"),
        (b"sku\n" + b"A\n" * 101, "more than 100 rows"),
        (b"x" * (MOST_BYTES + 1), "more than 5 MB"),
    ],
)
def test_a_csv_file_that_cannot_be_read_is_refused_with_what_to_do(content: bytes, words: str) -> None:
    assert words in refusal(content)


def test_a_workbook_is_read_as_it_looks() -> None:
    table = read(
        saved(
            ["sku", "price", "day", "active"],
            ["A", 120.5, date(2026, 11, 24), True],
            [1001, 0.1 + 0.2, datetime(2026, 1, 1, 13, 30), False],  # noqa: DTZ001  # workbooks know no zones
            [None, None, None, None],
            ["B", Decimal("99.90"), None, None],
        ),
        "list.xlsx",
    )

    assert table.headings == ["sku", "price", "day", "active"]
    assert [(row.line, row.cells) for row in table.rows] == [
        (2, ["A", "120.5", "2026-11-24", "true"]),
        (3, ["1001", "0.3", "2026-01-01 13:30", "false"]),
        (5, ["B", "99.9"]),
    ]


def test_numbers_of_a_workbook_are_rounded_as_it_shows_them() -> None:
    content = sheet_of(
        '<row r="1"><c r="A1" t="inlineStr"><is><t>n</t></is></c></row>'
        '<row r="2"><c r="A2"><v>4.3499999999999996</v></c></row>'
        '<row r="3"><c r="A3"><v>1.2E+3</v></c></row>'
        '<row r="4"><c r="A4"><v>1E+300</v></c></row>'
        '<row r="5"><c r="A5"><v>1E+999999999</v></c></row>'
    )

    assert cells(content, "list.xlsx") == [["4.35"], ["1200"], ["1E+300"], ["Infinity"]]


def test_days_may_be_counted_from_1904() -> None:
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    book.active.append(["day"])
    book.active.append([date(2026, 11, 24)])

    assert cells(written(book), "list.xlsx") == [["2026-11-24"]]


@pytest.mark.parametrize("serial", ["0", "60", "2958466", "-1", "1E+15"])
@pytest.mark.filterwarnings("ignore:Cell A2 is marked as a date")
def test_a_number_that_is_no_day_is_not_read_as_one(serial: str) -> None:
    styled = saved(["day"], [date(2026, 11, 24)])
    with ZipFile(BytesIO(styled)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    assert b"<v>46350</v>" in sheet
    content = with_part(styled, "xl/worksheets/sheet1.xml", sheet.replace(b"<v>46350</v>", f"<v>{serial}</v>".encode()))

    assert "-" not in cells(content, "list.xlsx")[0][0][1:]


def test_formulas_and_their_errors_are_told_from_values() -> None:
    book = openpyxl.Workbook()
    book.active.append(["price"])
    book.active.append(["=1+1"])
    book.active.append(["#REF!"])

    assert cells(written(book), "list.xlsx") == [["=1+1"], ["=#REF!"]]


def test_text_that_looks_like_a_formula_is_told_from_one() -> None:
    content = sheet_of(
        '<row><c t="inlineStr"><is><t>sku</t></is></c></row>'
        '<row><c t="inlineStr"><is><t>=1+1</t></is></c></row>'
        "<row><c><f>1+1</f><v>2</v></c></row>"
    )

    assert cells(content, "list.xlsx") == [["'=1+1"], ["=1+1"]]


def test_a_shared_formula_is_not_worked_out_for_each_cell_that_shares_it() -> None:
    content = sheet_of(
        '<row r="1"><c r="A1" t="inlineStr"><is><t>sku</t></is></c></row>'
        '<row r="2"><c r="A2"><f t="shared" ref="A2:A3" si="0">B2+1</f><v>1</v></c></row>'
        '<row r="3"><c r="A3"><f t="shared" si="0"/><v>1</v></c></row>'
    )

    assert cells(content, "list.xlsx") == [["=B2+1"], ["="]]


def test_only_the_first_sheet_is_read() -> None:
    book = openpyxl.Workbook()
    book.active.append(["sku"])
    book.create_sheet("Notes").append(["something else"])

    assert read(written(book), "list.xlsx") == UploadedTable(["sku"], [])


def with_shared_text(text: str) -> bytes:
    """A workbook whose only cell names a text that cells share, as Excel writes them."""
    content = sheet_of('<row><c t="s"><v>0</v></c></row>')
    with ZipFile(BytesIO(content)) as archive:
        types = archive.read("[Content_Types].xml").decode()
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    override = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    file = BytesIO(with_part(content, "[Content_Types].xml", types.replace("</Types>", override).encode()))
    with ZipFile(file, "a") as archive:
        namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{namespace}"><si>{text}</si></sst>')
    return file.getvalue()


def test_shared_texts_are_read_without_their_readings() -> None:
    content = with_shared_text("<r><t>s</t></r><r><t>ku</t></r><rPh sb='0' eb='1'><t>reading</t></rPh>")

    assert read(content, "list.xlsx").headings == ["sku"]


def test_entities_are_refused_in_shared_texts_too() -> None:
    content = with_shared_text("<t>&a;</t>")
    with ZipFile(BytesIO(content)) as archive:
        strings = b'<!DOCTYPE x [<!ENTITY a "b">]>' + archive.read("xl/sharedStrings.xml")

    assert "damaged" in refusal(with_part(content, "xl/sharedStrings.xml", strings), "list.xlsx")


@pytest.mark.parametrize("escape", ["_x0000_", "_xD800_"])
def test_what_no_text_can_hold_is_marked(escape: str) -> None:
    content = sheet_of(f'<row r="1"><c r="A1" t="inlineStr"><is><t>a{escape}b</t></is></c></row>')

    assert read(content, "list.xlsx").headings == ["a\ufffdb"]


def _bomb() -> bytes:
    """Sixty million bytes in sixty thousand."""
    return with_part(saved(["sku"]), "xl/worksheets/sheet1.xml", b" " * 60_000_000)


def _with_entities(declaration: str) -> bytes:
    rows = '<sheetData><row><c t="str"><v>&a;</v></c></row></sheetData>'
    data = f"<!DOCTYPE x [{declaration}]><worksheet>{rows}</worksheet>".encode()
    return with_part(saved(["sku"]), "xl/worksheets/sheet1.xml", data)


def _locked() -> bytes:
    """A zip whose first part says that it is encrypted."""
    content = bytearray(saved(["sku"]))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def _cells(number: int, attributes: str = "") -> str:
    return f"<c{attributes}><v>1</v></c>" * number


BROKEN_WORKBOOKS: dict[str, tuple[Any, str]] = {
    "no zip": (lambda: b"PK\x03\x04" + b"x" * 1000, "damaged"),
    "cut off": (lambda: saved(["sku"])[:-100], "damaged"),
    "a zip of something else": (lambda: _zip_of("readme.txt", data=b"hello"), "damaged"),
    "text": (lambda: b"sku,price\nA,1\n", "no Excel workbook"),
    "with a password": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 512, "password"),
    "an encrypted zip": (_locked, "password"),
    "packed otherwise": (lambda: with_part(saved(["sku"]), "x", b"", compression=ZIP_BZIP2), "damaged"),
    "a zip bomb": (_bomb, "far more than a list"),
    "very many parts": (
        lambda: _zip_of(*[f"part{number}" for number in range(3000)], data=b""),
        "far more than a list",
    ),
    "entities": (lambda: _with_entities('<!ENTITY a "b">'), "damaged"),
    "external entities": (lambda: _with_entities('<!ENTITY a SYSTEM "file:///etc/hostname">'), "damaged"),
    "XML that ends too early": (lambda: with_part(saved(["x"]), "xl/worksheets/sheet1.xml", b"<worksheet>"), "damaged"),
    "no sheet": (lambda: with_part(saved(["sku"]), "xl/workbook.xml", b"<workbook/>"), "damaged"),
    "a million columns": (lambda: sheet_of(f"<row>{_cells(1_000_000)}</row>"), "far more than a list"),
    "a thousand columns": (lambda: sheet_of(f"<row>{_cells(1_000)}</row>"), "more than 60 columns"),
    "many styles": (lambda: with_part(saved(["sku"]), "xl/styles.xml", b"<xf/>" * 40_000), "far more than a list"),
    "no number": (lambda: sheet_of("<row><c><v>NaN</v></c></row>"), "damaged"),
    "a million empty cells": (lambda: sheet_of(f"<row>{'<c/>' * 1_000_000}</row>"), "far more than a list"),
    "the last column": (lambda: sheet_of(f"<row>{_cells(1, ' r="XFD1"')}</row>"), "more than 60 columns"),
    "too many rows": (lambda: sheet_of("<row><c><v>1</v></c></row>" * 102), "more than 100 rows"),
    "a text that is not there": (lambda: sheet_of('<row><c t="s"><v>7</v></c></row>'), "damaged"),
    "an empty sheet": (lambda: sheet_of(""), "is empty"),
}


def _zip_of(*names: str, data: bytes) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize("broken", BROKEN_WORKBOOKS)
def test_a_broken_workbook_is_refused_with_what_to_do(broken: str) -> None:
    make, words = BROKEN_WORKBOOKS[broken]

    assert words in refusal(make(), "list.xlsx")


@pytest.mark.parametrize("line", [1_048_576, 999_999_999_999])
def test_a_row_far_below_costs_nothing(line: int) -> None:
    content = sheet_of(f'<row r="1"><c r="A1"><v>1</v></c></row><row r="{line}"><c r="A9"><v>2</v></c></row>')

    assert [(row.line, row.cells) for row in read(content, "list.xlsx").rows] == [(line, ["2"])]


def test_workbooks_are_parsed_without_entities() -> None:
    assert openpyxl.DEFUSEDXML


text_of_cells = st.text(st.characters(min_codepoint=33, max_codepoint=0xFF, exclude_characters="\x7f"), min_size=1)


@given(text_of_cells | st.sampled_from(["=1+1", "'=1", "''+1", "-5", "'", "@x", "_x0041_"]))
def test_text_that_we_write_is_read_again_as_it_was(text: str) -> None:
    def table() -> Table:
        return Table("List", [Column("sku", 10), Column("name", 10)], [[("A", text)]])

    [[_sku, from_csv]] = cells(b"".join(csv_file(table())))
    [[_sku, from_workbook]] = cells(b"".join(workbook(table())), "list.xlsx")

    assert without_mark(from_csv) == text
    assert without_mark(from_workbook) == text
    assert not from_csv.startswith("=")
    assert not from_workbook.startswith("=")
