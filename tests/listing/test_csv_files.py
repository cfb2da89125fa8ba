"""CSV files, as Python's own reader reads them back."""

import csv
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest

from listing.csv_files import csv_file
from listing.tables import Cell, Column, Table


def table(*rows: list[Cell], headings: tuple[str, ...] = ("Name", "Number")) -> Table:
    return Table("Things", [Column(heading, 10) for heading in headings], [[row] for row in rows])


def read(file: bytes) -> list[list[str]]:
    return list(csv.reader(StringIO(file.decode("utf-8-sig"), newline="")))


def test_a_file_begins_with_a_byte_order_mark_and_ends_its_lines_as_the_standard_says() -> None:
    file = b"".join(csv_file(table(["Ege", 1], ["Ada", 2])))

    assert file == b"\xef\xbb\xbfName,Number\r\nEge,1\r\nAda,2\r\n"


def test_what_would_break_a_line_is_quoted() -> None:
    rows: list[list[Cell]] = [['He said "so"', "a,b"], ["two\nlines", "two\r\nlines"], ["", None]]

    file = b"".join(csv_file(table(*rows)))

    assert b'"He said ""so""","a,b"\r\n' in file
    assert read(file)[1:] == [['He said "so"', "a,b"], ["two\nlines", "two\r\nlines"], ["", ""]]


def test_days_are_iso_dates_and_numbers_stay_numbers() -> None:
    file = b"".join(csv_file(table([date(2026, 11, 24), -5], [Decimal("1234.50"), 0])))

    assert read(file)[1:] == [["2026-11-24", "-5"], ["1234.50", "0"]]


def test_turkish_letters_arrive() -> None:
    file = b"".join(csv_file(table(["İstanbul Şişli Çığ ığüöş", 1])))

    assert read(file)[1][0] == "İstanbul Şişli Çığ ığüöş"


@pytest.mark.parametrize("text", ["=1+1", "+90 212", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_could_become_a_formula_gets_an_apostrophe(text: str) -> None:
    file = b"".join(csv_file(table([text, 1], headings=(text, "Number"))))

    assert [row[0] for row in read(file)] == [f"'{text}", f"'{text}"]


@pytest.mark.parametrize("text", ["a=1", " =1", "1-2"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert read(b"".join(csv_file(table([text, 1]))))[1][0] == text


def test_a_batch_is_sent_before_the_next_is_read() -> None:
    read_so_far = []

    def batches() -> Iterator[list[list[Any]]]:
        for number in range(3):
            read_so_far.append(number)
            yield [["Ege", number]]

    file = csv_file(Table("Things", [Column("Name", 10), Column("Number", 10)], batches()))

    next(file)
    assert read_so_far == []
    assert next(file) == b"Ege,0\r\n"
    assert read_so_far == [0]
