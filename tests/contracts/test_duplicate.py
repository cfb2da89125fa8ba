"""A contract for the next period: its dates, its number, and everything that goes along."""

from datetime import date, timedelta
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from contracts.models import Contract
from contracts.periods import anniversary_end
from contracts.services.duplicate import Period, duplicate, next_period, suggest_number
from tests.factories import (
    AccountFactory,
    ContractFactory,
    ContractGrantFactory,
    ContractProductFactory,
    OperatorFactory,
    UserFactory,
)


def contract_from(starts_on: date, ends_on: date | None) -> Contract:
    return Contract(starts_on=starts_on, ends_on=ends_on)


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "following"),
    [
        (date(2026, 1, 1), date(2026, 12, 31), Period(date(2027, 1, 1), date(2027, 12, 31))),
        (date(2027, 1, 1), date(2027, 12, 31), Period(date(2028, 1, 1), date(2028, 12, 31))),
        (date(2026, 2, 1), date(2026, 2, 28), Period(date(2026, 3, 1), date(2026, 3, 31))),
        (date(2026, 11, 24), date(2027, 11, 23), Period(date(2027, 11, 24), date(2028, 11, 23))),
        (date(2026, 8, 31), date(2027, 2, 28), Period(date(2027, 3, 1), date(2027, 8, 31))),
        (date(2026, 1, 1), date(2026, 1, 10), Period(date(2026, 1, 11), date(2026, 1, 20))),
        (date(2026, 5, 5), date(2026, 5, 5), Period(date(2026, 5, 6), date(2026, 5, 6))),
    ],
)
def test_next_period_follows_at_once_and_is_as_long(starts_on: date, ends_on: date, following: Period) -> None:
    assert next_period(contract_from(starts_on, ends_on)) == following


def test_no_period_follows_an_open_ended_contract_or_the_end_of_the_calendar() -> None:
    for ends_on in (None, date(9999, 12, 31), date(9999, 12, 30)):
        assert next_period(contract_from(date(2026, 1, 1), ends_on)) is None


days = st.dates(date(1990, 1, 1), date(2100, 1, 1))


@given(starts_on=days, months=st.integers(1, 120))
def test_period_of_whole_months_is_followed_by_as_many(starts_on: date, months: int) -> None:
    ends_on = anniversary_end(starts_on, months=months)

    following = next_period(contract_from(starts_on, ends_on))

    assert following is not None
    assert following.starts_on == ends_on + timedelta(days=1)
    assert following.ends_on == anniversary_end(following.starts_on, months=months)


@given(starts_on=days, length=st.integers(0, 5000))
def test_any_period_is_followed_without_gap_by_one_of_about_its_length(starts_on: date, length: int) -> None:
    ends_on = starts_on + timedelta(days=length)

    following = next_period(contract_from(starts_on, ends_on))

    assert following is not None
    assert following.starts_on == ends_on + relativedelta(days=1)
    assert abs((following.ends_on - following.starts_on).days - length) <= 4


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("number", "taken", "suggested"),
    [
        ("C-1001", [], "C-1001-2"),
        ("C-1001-2", [], "C-1001-3"),
        ("C-1001", ["C-1001-2", "C-1001-3"], "C-1001-4"),
        ("BD-2026", [], "BD-2027"),
        ("BD-2026", ["BD-2027"], "BD-2026-2"),
        ("x" * 40, [], ""),
    ],
)
def test_suggested_number_is_free(number: str, taken: list[str], suggested: str) -> None:
    contract = ContractFactory(number=number, starts_on=date(2026, 1, 1), ends_on=date(2026, 12, 31))
    for each in taken:
        ContractFactory(number=each)

    assert suggest_number(contract) == suggested


@pytest.mark.django_db
def test_duplicate_has_everything_but_number_period_and_status() -> None:
    operator = OperatorFactory()
    contract = ContractFactory(
        ends_on=date(2099, 12, 31),
        status="suspended",
        end_rule="contract_end",
        minimum_quantity=3,
        requires_po_number=True,
        conditions="Pay.",
    )
    for price in (1, 2):
        ContractProductFactory(contract=contract, unit_price=price, maximum_quantity=price + 10, is_active=price == 1)
    for may in (True, False):
        ContractGrantFactory(contract=contract, user=UserFactory(reseller=contract.reseller), can_create_licenses=may)
    contract.exclusive_accounts.set([AccountFactory(reseller=contract.reseller) for _ in range(2)])
    before: dict[str, Any] = {**Contract.objects.values().get()}

    copy = duplicate(contract, number="NEW", starts_on=date(2100, 1, 1), ends_on=date(2100, 12, 31), by=operator)

    stored: dict[str, Any] = {**Contract.objects.values().get(pk=copy.pk)}
    changed = {"id", "number", "search_text", "starts_on", "ends_on", "status"}
    assert {name for name in stored if stored[name] != before[name]} == changed
    assert stored["status"] == "draft"
    for lines in ("contract_products", "grants"):
        assert _facts(copy, lines) == _facts(contract, lines)
    assert set(copy.exclusive_accounts.all()) == set(contract.exclusive_accounts.all())
    assert Contract.objects.values().get(pk=contract.pk) == before
    version = copy.history.latest()
    assert version.history_user_id == operator.pk
    assert contract.number in version.history_change_reason
    assert copy.contract_products.model.history.filter(contract=copy.pk, history_user_id=operator.pk).count() == 2


def _facts(contract: Contract, lines: str) -> list[dict[str, object]]:
    rows = getattr(contract, lines).order_by("pk").values()
    return [{name: value for name, value in row.items() if name not in ("id", "contract_id")} for row in rows]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"number": "TAKEN"}, "number"),
        ({"starts_on": date(2101, 1, 1)}, "__all__"),
        ({"ends_on": None}, "__all__"),
    ],
)
def test_duplicate_that_cannot_be_is_refused_and_nothing_written(asked: dict[str, object], field: str) -> None:
    line = ContractProductFactory(
        contract=ContractFactory(ends_on=date(2099, 12, 31), end_rule="contract_end", number="TAKEN")
    )
    wanted = {"number": "NEW", "starts_on": date(2100, 1, 1), "ends_on": date(2100, 12, 31), **asked}

    with pytest.raises(ValidationError) as refused:
        duplicate(line.contract, **wanted, by=OperatorFactory())  # type: ignore[arg-type]  # the table above

    assert list(refused.value.message_dict) == [field]
    assert Contract.objects.get() == line.contract
