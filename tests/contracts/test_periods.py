"""Rule 9: the last day of a license."""

import calendar
from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contracts.models import EndRule
from contracts.periods import EndDateMissing, anniversary_end, license_end, month_end

days = st.dates(min_value=date(1900, 1, 1), max_value=date(9000, 1, 1))
terms = st.integers(min_value=1, max_value=120)
rules = st.sampled_from(EndRule.values)


@pytest.mark.parametrize(
    ("starts_on", "months", "ends_on"),
    [
        (date(2026, 11, 24), 12, date(2027, 11, 23)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2027, 2, 28), 12, date(2028, 2, 27)),
        (date(2028, 2, 29), 48, date(2032, 2, 28)),
        (date(2026, 1, 30), 1, date(2026, 2, 28)),
        (date(2026, 1, 29), 1, date(2026, 2, 28)),
        (date(2026, 1, 28), 1, date(2026, 2, 27)),
        (date(2026, 5, 31), 1, date(2026, 6, 30)),
        (date(2026, 1, 31), 2, date(2026, 3, 30)),
        (date(2026, 1, 1), 12, date(2026, 12, 31)),
        (date(2026, 3, 1), 1, date(2026, 3, 31)),
        (date(2026, 12, 31), 120, date(2036, 12, 30)),
    ],
)
def test_anniversary_end(starts_on: date, months: int, ends_on: date) -> None:
    assert anniversary_end(starts_on, months=months) == ends_on


@pytest.mark.parametrize(
    ("starts_on", "months", "ends_on"),
    [
        (date(2026, 11, 24), 12, date(2027, 11, 30)),
        (date(2026, 11, 1), 12, date(2027, 10, 31)),
        (date(2026, 11, 2), 12, date(2027, 11, 30)),
        (date(2026, 11, 30), 12, date(2027, 11, 30)),
        (date(2026, 12, 31), 12, date(2027, 12, 31)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
    ],
)
def test_license_that_ends_at_the_month_s_end(starts_on: date, months: int, ends_on: date) -> None:
    assert license_end(starts_on, term_months=months, end_rule="month_end", contract_ends_on=None) == ends_on


def test_license_that_ends_with_the_contract() -> None:
    ends_on = license_end(
        date(2026, 11, 24), term_months=12, end_rule="contract_end", contract_ends_on=date(2027, 12, 31)
    )

    assert ends_on == date(2027, 12, 31)


def test_license_that_is_bought_on_the_contract_s_last_day_lasts_that_day() -> None:
    last_day = date(2027, 12, 31)

    assert license_end(last_day, term_months=12, end_rule="contract_end", contract_ends_on=last_day) == last_day


def test_license_cannot_end_with_a_contract_that_is_open_ended() -> None:
    with pytest.raises(EndDateMissing):
        license_end(date(2026, 11, 24), term_months=12, end_rule="contract_end", contract_ends_on=None)


@pytest.mark.parametrize("end_rule", ["anniversary", "month_end"])
def test_license_with_a_term_of_its_own_may_outlast_the_contract(end_rule: str) -> None:
    contract_ends_on = date(2026, 12, 31)

    ends_on = license_end(date(2026, 11, 24), term_months=12, end_rule=end_rule, contract_ends_on=contract_ends_on)

    assert ends_on > contract_ends_on


@given(starts_on=days, months=terms, end_rule=rules, contract_ends_on=days)
def test_no_license_ends_before_it_starts(starts_on: date, months: int, end_rule: str, contract_ends_on: date) -> None:
    ends_on = license_end(starts_on, term_months=months, end_rule=end_rule, contract_ends_on=contract_ends_on)

    assert ends_on >= starts_on


@given(starts_on=days, months=terms)
def test_month_end_is_the_last_day_of_the_anniversary_s_month(starts_on: date, months: int) -> None:
    anniversary = anniversary_end(starts_on, months=months)

    ends_on = license_end(starts_on, term_months=months, end_rule=EndRule.MONTH_END, contract_ends_on=None)

    assert (ends_on + timedelta(days=1)).day == 1
    assert (ends_on.year, ends_on.month) == (anniversary.year, anniversary.month)


@given(day=days)
@example(day=date(2028, 2, 1))
@example(day=date(2100, 2, 28))
def test_month_end_is_the_next_first_of_a_month_but_one_day(day: date) -> None:
    last = month_end(day)

    assert last >= day
    assert (last.year, last.month) == (day.year, day.month)
    assert (last + timedelta(days=1)).day == 1


@given(earlier=days, later=days, months=terms)
@example(earlier=date(2026, 1, 28), later=date(2026, 1, 29), months=1)
@example(earlier=date(2026, 1, 31), later=date(2026, 2, 1), months=1)
def test_who_starts_later_never_ends_earlier(earlier: date, later: date, months: int) -> None:
    earlier, later = sorted((earlier, later))

    assert anniversary_end(earlier, months=months) <= anniversary_end(later, months=months)


@given(starts_on=days, months=st.integers(min_value=1, max_value=119))
def test_longer_term_ends_later(starts_on: date, months: int) -> None:
    assert anniversary_end(starts_on, months=months) < anniversary_end(starts_on, months=months + 1)


@given(starts_on=days, months=terms)
@example(starts_on=date(2026, 8, 31), months=6)
def test_renewal_on_the_next_day_falls_on_the_same_day_of_the_month_or_on_the_first(
    starts_on: date, months: int
) -> None:
    renewal = anniversary_end(starts_on, months=months) + timedelta(days=1)

    month_of_anniversary = (starts_on.month - 1 + months) % 12 + 1
    year_of_anniversary = starts_on.year + (starts_on.month - 1 + months) // 12
    if starts_on.day <= calendar.monthrange(year_of_anniversary, month_of_anniversary)[1]:
        assert renewal == date(year_of_anniversary, month_of_anniversary, starts_on.day)
    else:
        assert renewal.day == 1
