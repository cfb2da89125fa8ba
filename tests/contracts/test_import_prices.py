"""Price lists that are imported: what each row does, and what it must not."""

from decimal import Decimal

import pytest
from django.utils import timezone

from contracts.models import Contract, ContractProduct
from contracts.services.imports.effects import Kind
from contracts.services.imports.import_rows import import_rows, preview
from tests.contracts.imports import PRICES, changes, dry_run, effect, imported, problems, uploaded, words
from tests.factories import ContractFactory, ContractProductFactory, OperatorFactory, ProductFactory

pytestmark = pytest.mark.django_db

HEAD = "contract,sku,unit_price,maximum_quantity,is_active\n"


@pytest.fixture
def line() -> ContractProduct:
    return ContractProductFactory(
        contract=ContractFactory(number="C-1"), product=ProductFactory(sku="DEV"), maximum_quantity=50
    )


def stored(line: ContractProduct) -> tuple[Decimal, int | None, bool]:
    line.refresh_from_db()
    return line.unit_price, line.maximum_quantity, line.is_active


def test_a_price_changes_from_old_to_new(line: ContractProduct) -> None:
    imported(HEAD + "C-1,DEV,120.5,,false\n", PRICES)

    assert stored(line) == (Decimal("120.50"), None, False)


def test_the_dry_run_shows_old_and_new_and_writes_nothing(line: ContractProduct) -> None:
    row = effect(HEAD + "C-1,DEV,120.5,,true\n", PRICES)

    assert (row.kind, row.line, row.about) == (Kind.CHANGED, 2, "C-1 · DEV")
    assert changes(row) == [("unit_price", "100.00", "120.50"), ("maximum_quantity", "50", "")]
    assert stored(line) == (Decimal("100.00"), 50, True)


def test_a_product_that_the_contract_lacks_is_new(line: ContractProduct) -> None:
    ProductFactory(sku="NEW")

    row = effect(HEAD + "C-1,NEW,7,,\n", PRICES)
    imported(HEAD + "C-1,NEW,7,,\n", PRICES)

    assert (row.kind, changes(row)) == (Kind.NEW, [("unit_price", "", "7.00")])
    new = ContractProduct.objects.get(product__sku="NEW")
    assert (new.contract, new.maximum_quantity, new.is_active) == (line.contract, None, True)
    assert new.unit_price == 7


@pytest.mark.parametrize("price", ["100", "100.0", "100.00", " 100.00 "])
def test_the_same_price_is_unchanged_however_it_is_written(line: ContractProduct, price: str) -> None:
    assert effect(HEAD + f"C-1,DEV,{price},50,TRUE\n", PRICES).kind == Kind.UNCHANGED


def test_what_is_not_in_the_file_stays(line: ContractProduct) -> None:
    shown = dry_run("sku,contract,is_active\nDEV,C-1,no\n", PRICES)
    imported("sku,contract,is_active\nDEV,C-1,no\n", PRICES)

    assert "unit_price, currency, maximum_quantity" in " ".join(shown.notes)
    assert stored(line) == (Decimal("100.00"), 50, False)


@pytest.mark.parametrize(
    "price",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e9",
        "1,234.50",
        "1.234,50",
        "120,50",
        "1 000",
        "٣",
        "½",
        "0x10",
        "+5",
        ".5",
        "5.",
    ],
)
def test_an_amount_that_could_mean_something_else_is_refused(line: ContractProduct, price: str) -> None:
    row = effect(HEAD + f'C-1,DEV,"{price}",50,true\n', PRICES)

    assert problems(row) == [("unit_price", "C")]
    assert "1234.50" in words(row)


@pytest.mark.parametrize("price", ["-1", "1.005", "10000000000.00", "=1+1"])
def test_an_amount_that_no_price_can_be_is_refused(line: ContractProduct, price: str) -> None:
    row = effect(HEAD + f"C-1,DEV,{price},50,true\n", PRICES)

    assert problems(row) == [("unit_price", "C")]


@pytest.mark.parametrize("quantity", ["0", "-1", "10001", "1.5", "1e3", "NaN", "9999999999999999"])
def test_a_maximum_that_no_purchase_can_have_is_refused(line: ContractProduct, quantity: str) -> None:
    row = effect(HEAD + f"C-1,DEV,100,{quantity},true\n", PRICES)

    assert {column for column, _place in problems(row)} == {"maximum_quantity"}


def test_an_answer_that_is_neither_yes_nor_no_is_refused(line: ContractProduct) -> None:
    assert problems(effect(HEAD + "C-1,DEV,100,50,perhaps\n", PRICES)) == [("is_active", "E")]


@pytest.mark.parametrize(("written", "is_active"), [("DOĞRU", True), ("YANLIŞ", False), ("1", True), ("No", False)])
def test_spreadsheets_say_yes_and_no_in_their_language(line: ContractProduct, written: str, is_active: bool) -> None:
    imported(HEAD + f"C-1,DEV,99,50,{written}\n", PRICES)

    assert stored(line) == (Decimal("99.00"), 50, is_active)


@pytest.mark.parametrize(
    ("row", "column"),
    [("C-9,DEV,1,,", "contract"), ("C-1,XXX,1,,", "sku"), (",DEV,1,,", "contract"), ("C-1,,1,,", "sku")],
)
def test_a_contract_or_product_that_is_not_there_is_refused(line: ContractProduct, row: str, column: str) -> None:
    assert [named for named, _place in problems(effect(HEAD + row, PRICES))] == [column]


def test_a_new_line_needs_a_price(line: ContractProduct) -> None:
    ProductFactory(sku="NEW")

    assert problems(effect(HEAD + "C-1,NEW,,,\n", PRICES)) == [("unit_price", "C")]


def test_a_stored_price_cannot_be_emptied(line: ContractProduct) -> None:
    assert problems(effect(HEAD + "C-1,DEV,,,\n", PRICES)) == [("unit_price", "C"), ("is_active", "E")]


def test_a_product_that_stands_twice_is_refused_both_times(line: ContractProduct) -> None:
    first, second = dry_run(HEAD + "C-1,DEV,1,,true\nC-1,DEV,2,,true\n", PRICES).effects

    assert problems(first) == problems(second) == [("sku", "B")]
    assert "3" in words(first)
    assert "2" in words(second)


def test_prices_in_another_currency_are_refused(line: ContractProduct) -> None:
    row = effect("contract,sku,unit_price,currency\nC-1,DEV,1,USD\n", PRICES)

    assert problems(row) == [("currency", "D")]


def test_a_price_finer_than_the_currency_is_refused() -> None:
    ContractProductFactory(contract=ContractFactory(number="C-1", currency="JPY"), product=ProductFactory(sku="DEV"))

    assert problems(effect(HEAD + "C-1,DEV,1.50,,true\n", PRICES)) == [("unit_price", "C")]


def test_a_maximum_below_the_contracts_minimum_is_refused(line: ContractProduct) -> None:
    Contract.objects.filter(pk=line.contract_id).update(minimum_quantity=10)

    assert problems(effect(HEAD + "C-1,DEV,100,9,true\n", PRICES)) == [("maximum_quantity", "D")]


def test_a_closed_contract_changes_no_prices(line: ContractProduct) -> None:
    Contract.objects.filter(pk=line.contract_id).update(status=Contract.Status.CLOSED)

    assert effect(HEAD + "C-1,DEV,100,50,true\n", PRICES).kind == Kind.UNCHANGED
    assert problems(effect(HEAD + "C-1,DEV,101,50,true\n", PRICES)) == [("contract", "A")]


def test_cells_beyond_the_headings_are_refused(line: ContractProduct) -> None:
    assert problems(effect(HEAD + "C-1,DEV,1,234.50,,true\n", PRICES))[0] == ("", "")


@pytest.mark.parametrize(
    ("headings", "column"),
    [
        ("contract,unit_price", "sku"),
        ("contract,sku,price", "price"),
        ("contract,sku,sku", "sku"),
        ("contract,,sku", ""),
    ],
)
def test_wrong_headings_are_refused_before_any_row(line: ContractProduct, headings: str, column: str) -> None:
    shown = dry_run(f"{headings}\nC-1,DEV,1\n", PRICES)

    assert not shown.is_possible
    assert shown.effects == []
    assert {problem.column for problem in shown.problems} == {column}


def test_headings_may_be_written_in_capitals(line: ContractProduct) -> None:
    assert effect("Contract, SKU ,UNIT_PRICE\nC-1,DEV,1\n", PRICES).kind == Kind.CHANGED


def test_the_history_says_who_imported_what_and_why(line: ContractProduct) -> None:
    ProductFactory(sku="NEW")
    operator = OperatorFactory()

    imported(HEAD + "C-1,DEV,1,50,true\nC-1,NEW,2,,\n", PRICES, by=operator, reason="New year")

    versions = ContractProduct.history.filter(history_change_reason="New year").order_by("unit_price")
    assert [(version.history_type, version.history_user_id, version.unit_price) for version in versions] == [
        ("~", operator.pk, 1),
        ("+", operator.pk, 2),
    ]


def test_what_was_imported_is_not_imported_again(line: ContractProduct) -> None:
    upload = uploaded(HEAD + "C-1,DEV,120,50,true\n", PRICES)
    shown = preview(upload, at=timezone.now()).fingerprint
    first = import_rows(upload, fingerprint=shown, by=upload.uploaded_by, reason="Because", at=timezone.now())
    ContractProduct.objects.filter(pk=line.pk).update(unit_price=5)

    second = import_rows(upload, fingerprint=shown, by=upload.uploaded_by, reason="Because", at=timezone.now())

    assert (second.pk, second.imported_at) == (first.pk, first.imported_at)
    assert stored(line) == (Decimal("5.00"), 50, True)
