"""From when to when a license lasts (rule 9). All dates are inclusive."""

import calendar
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from contracts.models import EndRule


class EndDateMissing(ValueError):
    """Licenses shall end with a contract that has no end date."""


def license_end(starts_on: date, *, term_months: int, end_rule: str, contract_ends_on: date | None) -> date:
    """Return the last day of a license that starts on the given day.

    Raises EndDateMissing if the license shall end with a contract that is open-ended.
    """
    if end_rule == EndRule.CONTRACT_END:
        if contract_ends_on is None:
            raise EndDateMissing
        return max(starts_on, contract_ends_on)
    anniversary = anniversary_end(starts_on, months=term_months)
    if end_rule == EndRule.MONTH_END:
        return month_end(anniversary)
    return anniversary


def anniversary_end(starts_on: date, *, months: int) -> date:
    """Return the day before the same day so many months later; where that month lacks the day, its last day.

    24 Nov 2026 + 12 → 23 Nov 2027, 29 Feb 2028 + 12 → 28 Feb 2029, 31 Aug 2026 + 6 → 28 Feb 2027.
    """
    same_day = starts_on + relativedelta(months=months)
    month_lacks_the_day = same_day.day < starts_on.day
    return same_day if month_lacks_the_day else same_day - timedelta(days=1)


def month_end(day: date) -> date:
    """Return the last day of the day's month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
