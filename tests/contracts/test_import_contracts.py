"""Contracts that are imported: what each row does, and what it must not."""

from datetime import date

import pytest
from django.db import connection
from django.db.models.signals import m2m_changed
from django.test.utils import CaptureQueriesContext

from contracts.models import Contract, Import
from contracts.services.imports import contracts as of_contracts
from contracts.services.imports.effects import Kind
from tests.contracts.imports import CONTRACTS, changes, dry_run, effect, imported, problems, words
from tests.factories import (
    AccountFactory,
    ContractFactory,
    ContractProductFactory,
    OperatorFactory,
    ProductFactory,
    ResellerFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def contract() -> Contract:
    return ContractFactory(
        number="C-1", title="Frame", reseller=ResellerFactory(slug="bosphorus"), starts_on=date(2026, 1, 1)
    )


def with_row(**cells: str) -> str:
    """A file with one row about C-1, and other cells where given."""
    row = {"number": "C-1", **cells}
    return ",".join(row) + "\n" + ",".join(f'"{cell}"' for cell in row.values()) + "\n"


def test_terms_change_from_old_to_new(contract: Contract) -> None:
    text = with_row(title="Framework", ends_on="2027-12-31", end_rule="contract_end", requires_po_number="true")

    row = effect(text, CONTRACTS)
    imported(text, CONTRACTS)

    assert row.kind == Kind.CHANGED
    assert changes(row) == [
        ("title", "Frame", "Framework"),
        ("ends_on", "", "2027-12-31"),
        ("end_rule", "anniversary", "contract_end"),
        ("requires_po_number", "false", "true"),
    ]
    contract.refresh_from_db()
    assert (contract.title, contract.ends_on, contract.requires_po_number) == ("Framework", date(2027, 12, 31), True)
    assert Contract.objects.matching("framework").get() == contract


def test_a_new_contract_comes_as_a_draft_whatever_the_file_says() -> None:
    reseller = ResellerFactory(slug="bosphorus")
    account = AccountFactory(reseller=reseller, reference="ACC-1")
    text = with_row(
        number="C-2", reseller="bosphorus", starts_on="2027-01-01", currency="EUR", status="active",
        exclusive_accounts="ACC-1",
    )  # fmt: skip

    row = effect(text, CONTRACTS)
    imported(text, CONTRACTS)

    assert row.kind == Kind.NEW
    assert "draft" in " ".join(row.notes)
    new = Contract.objects.get()
    assert (new.number, new.reseller, new.status, new.term_months) == ("C-2", reseller, "draft", 12)
    assert list(new.exclusive_accounts.all()) == [account]
    assert Contract.objects.matching("c-2").get() == new


def test_a_status_is_not_imported_and_the_row_says_so(contract: Contract) -> None:
    row = effect(with_row(status="suspended"), CONTRACTS)

    assert row.kind == Kind.UNCHANGED
    assert "no status" in " ".join(row.notes)


@pytest.mark.parametrize(
    ("day", "words_of_it"),
    [
        ("31.02.2026", "2026-11-24"),
        ("2026-02-31", "calendar"),
        ("31.02.", "2026-11-24"),
        ("10000-01-01", "2026-11-24"),
        ("0000-01-01", "calendar"),
        ("03/04/2026", "2026-11-24"),
        ("2026-W01-1", "2026-11-24"),
        ("20260101", "2026-11-24"),
        ("2026-01-01 13:00", "2026-11-24"),
        ("46023", "2026-11-24"),
    ],
)
def test_a_day_that_is_none_or_could_be_another_is_refused(contract: Contract, day: str, words_of_it: str) -> None:
    row = effect(with_row(ends_on=day), CONTRACTS)

    assert problems(row) == [("ends_on", "B")]
    assert words_of_it in words(row)


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("currency", "EURO"),
        ("currency", "eur"),
        ("currency", "KWD"),
        ("currency", ""),
        ("term_months", "0"),
        ("term_months", "121"),
        ("term_months", "12.0"),
        ("stock_life_months", "-1"),
        ("minimum_quantity", "10001"),
        ("end_rule", "whenever"),
        ("billing", "Upfront"),
        ("status", "paused"),
        ("requires_po_number", "maybe"),
        ("starts_on", ""),
        ("ends_on", "2025-12-31"),
        ("end_rule", "contract_end"),
        ("title", "x" * 201),
        ("title", "=HYPERLINK(1)"),
        ("title", "a\ufffdb"),
        ("conditions", "a\u202eb"),
        ("exclusive_accounts", "NOBODY"),
        ("exclusive_accounts", '""A""B'),
        ("reseller", "nobody"),
    ],
)
def test_what_a_contract_cannot_be_is_refused(contract: Contract, column: str, cell: str) -> None:
    row = effect(with_row(**{column: cell}), CONTRACTS)

    assert row.kind == Kind.ERROR
    assert {named for named, _place in problems(row)} == {column}


@pytest.mark.parametrize("column", ["reseller", "starts_on", "currency"])
def test_a_new_contract_needs_whom_since_when_and_in_what(column: str) -> None:
    ResellerFactory(slug="bosphorus")
    cells = {"reseller": "bosphorus", "starts_on": "2027-01-01", "currency": "EUR", column: ""}

    assert [named for named, _place in problems(effect(with_row(**cells), CONTRACTS))] == [column]


@pytest.mark.parametrize("number", ["", "x" * 41])
def test_a_new_contract_needs_a_number_that_fits(number: str) -> None:
    ResellerFactory(slug="bosphorus")
    text = with_row(number=number, reseller="bosphorus", starts_on="2027-01-01", currency="EUR")

    assert [named for named, _place in problems(effect(text, CONTRACTS))] == ["number"]


def test_a_contract_goes_to_no_other_reseller(contract: Contract) -> None:
    ResellerFactory(slug="anadolu")

    row = effect(with_row(reseller="anadolu"), CONTRACTS)

    assert problems(row) == [("reseller", "B")]


def test_another_resellers_account_is_not_known(contract: Contract) -> None:
    AccountFactory(reference="ANA-01")

    row = effect(with_row(exclusive_accounts="ANA-01"), CONTRACTS)

    assert problems(row) == [("exclusive_accounts", "B")]
    assert "ANA-01" in words(row)


def test_two_resellers_may_have_accounts_of_one_reference(contract: Contract) -> None:
    AccountFactory(reference="ACC-1")
    own = AccountFactory(reference="ACC-1", reseller=contract.reseller)

    imported(with_row(exclusive_accounts="ACC-1"), CONTRACTS)

    assert list(contract.exclusive_accounts.all()) == [own]


def test_exclusive_accounts_are_replaced(contract: Contract) -> None:
    one, two, three = (
        AccountFactory(reseller=contract.reseller, reference=reference) for reference in ("A;1", "B", "Ç")
    )
    contract.exclusive_accounts.set([one, two])

    row = effect(with_row(exclusive_accounts='Ç;""A;1""'), CONTRACTS)
    imported(with_row(exclusive_accounts='Ç;""A;1""'), CONTRACTS)

    assert changes(row) == [("exclusive_accounts", '"A;1"; B', '"A;1"; Ç')]
    assert set(contract.exclusive_accounts.all()) == {one, three}


@pytest.mark.parametrize("written", ["B; A", " A ;B;A;", "A;B"])
def test_the_order_of_exclusive_accounts_means_nothing(contract: Contract, written: str) -> None:
    contract.exclusive_accounts.set(
        [AccountFactory(reseller=contract.reseller, reference=reference) for reference in "AB"]
    )

    assert effect(with_row(exclusive_accounts=written), CONTRACTS).kind == Kind.UNCHANGED


def test_very_many_accounts_are_too_many(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_contracts, "MOST_NAMED_ACCOUNTS", 2)

    assert not dry_run(with_row(exclusive_accounts="A;B;C"), CONTRACTS).is_possible


def test_a_contract_that_stands_twice_is_refused_both_times(contract: Contract) -> None:
    first, second = dry_run("number,title\nC-1,x\nC-1,y\n", CONTRACTS).effects

    assert problems(first) == problems(second) == [("number", "A")]


def test_a_closed_contract_is_not_changed(contract: Contract) -> None:
    Contract.objects.filter(pk=contract.pk).update(status=Contract.Status.CLOSED)

    assert effect(with_row(title="Frame"), CONTRACTS).kind == Kind.UNCHANGED
    assert problems(effect(with_row(title="Other"), CONTRACTS)) == [("number", "A")]
    assert problems(effect(with_row(exclusive_accounts="X"), CONTRACTS)) == [("exclusive_accounts", "B")]


def test_terms_must_go_together_with_the_price_list(contract: Contract) -> None:
    ContractProductFactory(contract=contract, product=ProductFactory(sku="DEV"), maximum_quantity=5, unit_price="99.50")

    assert "DEV" in words(effect(with_row(minimum_quantity="6"), CONTRACTS))
    assert "DEV" in words(effect(with_row(currency="JPY"), CONTRACTS))
    assert effect(with_row(minimum_quantity="5", currency="USD"), CONTRACTS).kind == Kind.CHANGED


def test_the_history_says_who_imported_what_and_why(contract: Contract) -> None:
    operator = OperatorFactory()
    AccountFactory(reseller=contract.reseller, reference="ACC-1")

    imported(with_row(title="Other", exclusive_accounts="ACC-1"), CONTRACTS, by=operator, reason="Renamed")

    latest = contract.history.first()
    assert (latest.title, latest.history_user_id, latest.history_change_reason) == ("Other", operator.pk, "Renamed")
    assert latest.exclusive_accounts.count() == 1


def test_all_or_nothing_is_written(contract: Contract) -> None:
    AccountFactory(reseller=contract.reseller, reference="ACC-1")
    text = (
        "number,reseller,starts_on,currency,title,exclusive_accounts\n"
        "C-1,bosphorus,2026-01-01,EUR,Other,ACC-1\n"
        "C-2,bosphorus,2026-01-01,EUR,New,\n"
    )

    def fail(**_sent: object) -> None:
        raise RuntimeError

    m2m_changed.connect(fail, sender=Contract.exclusive_accounts.through)
    try:
        with pytest.raises(RuntimeError):
            imported(text, CONTRACTS)
    finally:
        m2m_changed.disconnect(fail, sender=Contract.exclusive_accounts.through)

    contract.refresh_from_db()
    assert contract.title == "Frame"
    assert Contract.objects.count() == 1
    assert Import.objects.get().imported_at is None


def test_many_rows_cost_the_same_queries_as_few() -> None:
    def queries(rows: int) -> int:
        text = "number,title\n" + "".join(f"{ContractFactory().number},x\n" for _ in range(rows))
        operator = OperatorFactory()
        with CaptureQueriesContext(connection) as captured:
            imported(text, CONTRACTS, by=operator)
        return len(captured)

    assert queries(2) == queries(20)
