"""Workbooks, as openpyxl reads them back."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from zipfile import ZipFile

import openpyxl
import pytest

from listing.tables import Cell, Column, Table
from listing.workbooks import workbook


def table(*rows: list[Cell], title: str = "Things", headings: tuple[str, ...] = ("Name", "Number")) -> Table:
    return Table(title, [Column(heading, 10) for heading in headings], [[row] for row in rows])


def read(*tables: Table) -> openpyxl.Workbook:
    return openpyxl.load_workbook(BytesIO(b"".join(workbook(*tables))))


def values(book: openpyxl.Workbook, title: str = "Things") -> list[list[object]]:
    return [list(row) for row in book[title].iter_rows(values_only=True)]


def test_cells_have_the_types_of_what_they_hold() -> None:
    sheet = read(table(["Ege", 12], [date(2026, 11, 24), Decimal("1234.50")], [None, -5]))["Things"]

    assert [cell.value for cell in sheet["A"]] == ["Name", "Ege", datetime(2026, 11, 24), None]  # noqa: DTZ001 - spreadsheets know no zones  # a day
    assert [cell.value for cell in sheet["B"]] == ["Number", 12, 1234.5, -5]
    assert [cell.data_type for cell in sheet["A"][1:3]] == ["s", "d"]
    assert [cell.data_type for cell in sheet["B"][1:]] == ["n", "n", "n"]
    assert sheet["A3"].number_format == r"yyyy\-mm\-dd"


def test_nothing_and_empty_text_are_empty_cells() -> None:
    sheet = read(table(["", None], ["", 0]))["Things"]

    assert [(cell.value, cell.data_type) for cell in sheet["A"][1:]] == [(None, "n"), (None, "n")]
    assert [cell.value for cell in sheet["B"][1:]] == [None, 0]


def test_days_that_spreadsheets_count_differently_are_text() -> None:
    book = read(table([date(1900, 2, 28), 1], [date(1900, 3, 1), 1], [date(1, 1, 1), 1]))

    assert [row[0] for row in values(book)[1:]] == ["1900-02-28", datetime(1900, 3, 1), "0001-01-01"]  # noqa: DTZ001 - spreadsheets know no zones


def test_the_header_is_bold_stays_in_sight_and_filters() -> None:
    sheet = read(table(["Ege", 1], ["Ada", 2]))["Things"]

    assert (sheet.freeze_panes, sheet.sheet_view.pane.state) == ("A2", "frozen")
    assert sheet["A1"].font.b
    assert not sheet["A2"].font.b
    assert sheet.auto_filter.ref == "A1:B3"
    assert sheet.column_dimensions["A"].width == 10


@pytest.mark.parametrize("text", ["=1+1", "+90 212", "-1", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(A1)"])
def test_text_that_could_become_a_formula_is_text_and_stays_so_when_edited(text: str) -> None:
    cell = read(table([text, 1]))["Things"]["A2"]

    assert (cell.value, cell.data_type, cell.quotePrefix) == (text, "s", True)


@pytest.mark.parametrize("text", ["İstanbul Şişli Çığ", 'a & b < c > d "e"', " spaces ", "two\nlines", "😀", "1-2"])
def test_text_arrives_as_it_is(text: str) -> None:
    cell = read(table([text, 1], headings=(text, "Number")))["Things"]["A2"]

    assert (cell.value, cell.quotePrefix) == (text, False)


def test_signs_that_no_xml_can_hold_are_replaced() -> None:
    assert values(read(table(["a\x0b\ud800\uffff\0b", 1])))[1][0] == "a����b"


def test_what_looks_like_an_escape_is_escaped() -> None:
    file = b"".join(workbook(table(["_x0041_ _x_", 1])))

    assert b">_x005F_x0041_ _x_<" in ZipFile(BytesIO(file)).read("xl/worksheets/sheet1.xml")


def test_each_table_has_a_sheet() -> None:
    book = read(
        table(["Ege", 1]), table(["State", "Active"], title="About", headings=("What", "Words")), table(title="None")
    )

    assert book.sheetnames == ["Things", "About", "None"]
    assert values(book, "About") == [["What", "Words"], ["State", "Active"]]
    assert values(book, "None") == [["Name", "Number"]]


@pytest.mark.parametrize("batch", [1, 2, 7, 100])
@pytest.mark.parametrize(("rows", "sheets"), [(3, [3]), (4, [3, 1]), (6, [3, 3]), (7, [3, 3, 1])])
def test_what_does_not_fit_a_sheet_goes_on_in_another(
    monkeypatch: pytest.MonkeyPatch, batch: int, rows: int, sheets: list[int]
) -> None:
    monkeypatch.setattr("listing.workbooks.MOST_ROWS", 4)
    numbers = list(range(rows))
    batches: list[list[list[Cell]]] = [
        [["Ege", number] for number in numbers[at : at + batch]] for at in range(0, rows, batch)
    ]

    book = read(Table("Things", [Column("Name", 10), Column("Number", 10)], batches), table(title="About"))

    titles = ["Things", "Things 2", "Things 3"][: len(sheets)]
    assert book.sheetnames == [*titles, "About"]
    assert [book[title].max_row - 1 for title in titles] == sheets
    assert [row[1] for title in titles for row in values(book, title)[1:]] == numbers


def test_a_sheet_ends_before_it_is_too_large_for_a_zip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("listing.workbooks._MOST_BYTES", 700)

    rows: list[list[Cell]] = [["Ege", number] for number in range(4)]

    book = read(table(*rows))

    assert len(book.sheetnames) > 1
    assert [row[1] for title in book.sheetnames for row in values(book, title)[1:]] == [0, 1, 2, 3]


def test_rows_are_sent_while_later_ones_are_unread() -> None:
    read_so_far = 0

    def batches() -> Iterator[list[list[Cell]]]:
        nonlocal read_so_far
        for number in range(50):
            read_so_far += 1
            yield [[f"Account {number * index}", index] for index in range(500)]

    file = workbook(Table("Things", [Column("Name", 10), Column("Number", 10)], batches()))
    sent = len(next(file)) + len(next(file)) + len(next(file))

    assert sent > 0
    assert read_so_far == 3


def test_the_zip_is_whole_and_needs_no_extension() -> None:
    with ZipFile(BytesIO(b"".join(workbook(table(["Ege", 1]))))) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == "_rels/.rels"
        assert {info.extract_version for info in archive.infolist()} == {20}
