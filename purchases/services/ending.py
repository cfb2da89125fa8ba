"""How many licenses end in each month of the year to come."""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from dateutil.relativedelta import relativedelta
from django.db.models import Count, Value

from purchases.models import LicenseQuerySet, LicenseState

MONTHS = 12
"""How many months are looked at, this one included."""


@dataclass(frozen=True)
class EndingMonth:
    """The active licenses that end within a month. What ended earlier in this month is not counted."""

    starts_on: date
    ends_on: date
    quantity: int

    @property
    def parameters(self) -> dict[str, str]:
        """What narrows the Active tab to these licenses, as its address says it."""
        return {"ends_from": self.starts_on.isoformat(), "ends_to": self.ends_on.isoformat()}


def ending_by_month(licenses: LicenseQuerySet, *, on: date) -> list[EndingMonth]:
    """Of the licenses, those that are active on the day, by the month in which they end."""
    first_days = [on, *(on.replace(day=1) + relativedelta(months=number) for number in range(1, MONTHS + 1))]
    periods = [(first, following - timedelta(days=1)) for first, following in pairwise(first_days)]
    active = licenses.in_state(LicenseState.ACTIVE, on=on).order_by()
    # Month by month, in one statement: of a short period a database reads the index, of a year perhaps everything.
    counted = [
        active.filter(ends_on__range=period).values_list(Value(place)).annotate(quantity=Count("*"))
        for place, period in enumerate(periods)
    ]
    quantities = dict(counted[0].union(*counted[1:], all=True).order_by())
    return [EndingMonth(*period, quantities.get(place, 0)) for place, period in enumerate(periods)]
