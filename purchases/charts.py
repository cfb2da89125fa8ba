"""Pictures of numbers: where each bar stands, in the measures of `templates/parts/ending_chart.html`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from purchases.services.ending import EndingMonth

BASELINE = 132
"""Where bars stand, in pixels from the top. Above them is room for their number, below for the month."""

TALLEST = 108
"""The height in pixels of the tallest bar."""


@dataclass(frozen=True)
class Bar:
    """One month of the picture, and the address of its licenses. Without licenses it has no height."""

    month: EndingMonth
    url: str
    height: int
    left: str
    """How far from the left its column begins, in percent of the width."""

    @property
    def top(self) -> int:
        return BASELINE - self.height

    @property
    def number_at(self) -> int:
        """Where the number above it stands."""
        return self.top - 6


@dataclass(frozen=True)
class EndingChart:
    """The licenses that end in each month, as bars beside one another and as a table."""

    bars: Sequence[Bar]
    total: int
    until: date
    column_width: str
    baseline: int = BASELINE


def ending_chart(months: Sequence[EndingMonth], url_of: Callable[[EndingMonth], str]) -> EndingChart:
    """Draw the months. The tallest bar is the one with the most licenses; whatever is not zero can be seen."""
    most = max(month.quantity for month in months)
    bars = [
        Bar(month, url_of(month), height=_height(month.quantity, most), left=f"{100 * place / len(months):.3f}%")
        for place, month in enumerate(months)
    ]
    return EndingChart(
        bars,
        total=sum(month.quantity for month in months),
        until=months[-1].ends_on,
        column_width=f"{100 / len(months):.3f}%",
    )


def _height(quantity: int, most: int) -> int:
    return max(2, round(TALLEST * quantity / most)) if quantity else 0
