"""What a reseller holds: the lines of each tab, the licenses of a line, and how many there are."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, DateTimeField, Max, Model, OuterRef, Q, Subquery, Value

from accounts.models import Account, Reseller, User, reseller_of
from contracts.models import Contract
from listing.pages import At, Order, Page
from listing.tallies import CountDistinctUpTo, CountUpTo, Tally
from products.models import Product
from purchases.models import License, LicenseQuerySet, LicenseState, state_of_period
from purchases.services import sorting
from purchases.services.filters import LicenseFilter
from purchases.services.sorting import Sort

LINES_SHOWN = 25
LICENSES_SHOWN = 100
SINGLE_LICENSES_SHOWN = 25

LINES = sorting.LINES[Sort.END]
"""What the licenses of a line have in common, by soonest end. The place of a line is also its name in addresses."""

LICENSES = Order({"pk": int})

SOON = [timedelta(days=30), timedelta(days=60), timedelta(days=90)]
"""Within what times the licenses that end are counted."""


@dataclass(frozen=True)
class Holdings:
    """How many licenses a reseller has in each state, and on how many accounts the active ones are.

    The accounts are only known where the active licenses were all counted. `ending` are the active ones that end
    until a day, for each of `SOON`. `found` are those that a filter leaves of its tab.
    """

    tallies: Mapping[LicenseState, Tally]
    active_accounts: int
    ending: Mapping[date, Tally]
    found: Tally

    @property
    def active(self) -> Tally:
        return self.tallies[LicenseState.ACTIVE]

    @property
    def expiring(self) -> Tally:
        return self.tallies[LicenseState.EXPIRING]

    @property
    def upcoming(self) -> Tally:
        return self.tallies[LicenseState.UPCOMING]


@dataclass(frozen=True)
class Line:
    """All licenses alike in account, product, contract, start and end, within one tab."""

    state: LicenseState
    ends_on: date
    account_id: int
    product_id: int
    contract_id: int
    starts_on: date
    quantity: int
    cancelled_at: datetime | None
    account_name: str
    account_reference: str
    product_name: str
    sku: str
    contract_number: str

    @property
    def place(self) -> str:
        """Where the line stands in its tab: its name in addresses."""
        return LINES.place_of(self)

    @property
    def element_id(self) -> str:
        """Its name within a page."""
        return f"line-{self.place.replace('~', '-')}"


@dataclass(frozen=True)
class SingleLicense:
    """One license as a list shows it."""

    key: str
    state: LicenseState
    starts_on: date
    ends_on: date
    cancelled_at: datetime | None
    account_name: str
    account_reference: str
    product_name: str
    sku: str
    contract_number: str


@dataclass(frozen=True)
class Neighbors:
    """How many licenses the line of a license has, and the keys of those right before and after it, if any."""

    quantity: Tally
    previous: str
    next: str


def holdings_of(user: User, narrowed: LicenseFilter, *, on: date, found: Q) -> Holdings:
    """Count what the user's reseller holds on the day, and what a filter finds of it, in one statement."""
    in_state = {
        state: License.objects.visible_to(user)
        .in_state(state, on=on)
        .order_by("starts_on" if state is LicenseState.UPCOMING else "ends_on")
        for state in LicenseState
    }
    active = in_state[LicenseState.ACTIVE]
    ending = {f"ending_{within.days}": (on + within, active.filter(ends_on__lte=on + within)) for within in SOON}
    counts: dict[str, Any] = (
        Reseller.objects.filter(pk=reseller_of(user))
        .annotate(
            active_accounts=CountDistinctUpTo(active, "account"),
            found=CountUpTo(in_state[narrowed.state].filter(found)),
            **{state.value: CountUpTo(licenses) for state, licenses in in_state.items()},
            **{name: CountUpTo(licenses) for name, (_day, licenses) in ending.items()},
        )
        .values("active_accounts", "found", *in_state, *ending)
        .get()
    )
    return Holdings(
        {state: Tally(counts[state]) for state in LicenseState},
        active_accounts=counts["active_accounts"],
        ending={day: Tally(counts[name]) for name, (day, _licenses) in ending.items()},
        found=Tally(counts["found"]),
    )


def lines_of(user: User, state: LicenseState, *, on: date, found: Q, at: At, sort: Sort = Sort.END) -> Page[Line]:
    """A page of the lines in the state on the day, in the order, of the licenses that a filter found."""
    licenses = sort.narrowed(License.objects.visible_to(user).in_state(state, on=on).filter(found), user=user)
    return _lines(licenses, state, on=on, at=at, order=sorting.LINES[sort])


def single_licenses_of(
    user: User, state: LicenseState, *, on: date, found: Q, at: At, sort: Sort = Sort.END
) -> Page[SingleLicense]:
    """A page of the licenses in the state on the day, in the order, that a filter found, each by itself."""
    licenses = sort.narrowed(License.objects.visible_to(user).in_state(state, on=on).filter(found), user=user)
    order = sorting.LICENSES[sort]
    borrowed = order.columns.keys() - {*LINES.columns, "pk"}
    rows = licenses.values("pk", "key", "cancelled_at", *LINES.columns, *borrowed).annotate(**_names())

    def single_license(row: dict[str, Any]) -> SingleLicense:
        cancelled = LicenseState.INVALID if row["cancelled_at"] else None
        state = cancelled or state_of_period(row["starts_on"], row["ends_on"], on=on)
        return SingleLicense(state=state, **_without(row, {"pk", "account_id", "product_id", "contract_id", *borrowed}))

    return order.page(rows, size=SINGLE_LICENSES_SHOWN, at=at).map(single_license)


def lines_of_account(account: Account, *, on: date) -> Page[Line]:
    """The first lines of the account that have not ended on the day, by soonest end. They may be upcoming yet."""
    licenses = License.objects.valid().filter(account=account, ends_on__gte=on)
    return _lines(licenses, LicenseState.ACTIVE, on=on, at=At(), order=LINES)


def licenses_of(user: User, line: Line, *, found: Q, at: At) -> Page[License]:
    """A page of the single licenses of a line that a search found."""
    alike = _alike(line, is_cancelled=line.state is LicenseState.INVALID)
    return LICENSES.page(alike.visible_to(user).filter(found), size=LICENSES_SHOWN, at=at)


def place_of_line(license: License) -> str:
    """The name in addresses of the line that the license is in."""
    return LINES.place_of(license)


def neighbors_of(license: License) -> Neighbors:
    """Where the license stands in its line, in the order in which its licenses came to be."""
    alike = _alike(license, is_cancelled=license.cancelled_at is not None).filter(reseller=license.reseller_id)
    before, after = alike.filter(pk__lt=license.pk).order_by("-pk"), alike.filter(pk__gt=license.pk).order_by("pk")
    counted = (
        License.objects.filter(pk=license.pk)
        .annotate(
            quantity=CountUpTo(alike.order_by("pk")),
            previous=Subquery(before.values("key")[:1]),
            following=Subquery(after.values("key")[:1]),
        )
        .values("quantity", "previous", "following")
        .get()
    )
    return Neighbors(Tally(counted["quantity"]), previous=counted["previous"] or "", next=counted["following"] or "")


def _lines(licenses: LicenseQuerySet, state: LicenseState, *, on: date, at: At, order: Order) -> Page[Line]:
    """A page of the lines that the licenses make, which all are valid unless the state is invalid."""
    borrowed = order.columns.keys() - LINES.columns.keys()
    is_invalid = state is LicenseState.INVALID
    lines = (
        licenses.values(*LINES.columns, *borrowed)
        .annotate(
            quantity=Count("pk"),
            cancelled_at=Max("cancelled_at") if is_invalid else Value(None, output_field=DateTimeField()),
        )
        .annotate(**_names())  # apart from the sums, or the lines would be grouped by the names too
    )

    def line(row: dict[str, Any]) -> Line:
        state_of_line = state if is_invalid else state_of_period(row["starts_on"], row["ends_on"], on=on)
        return Line(state=state_of_line, **_without(row, borrowed))

    return order.page(lines, size=LINES_SHOWN, at=at).map(line)


def _alike(one: Line | License, *, is_cancelled: bool) -> LicenseQuerySet:
    """The licenses of a line."""
    shared = {column: getattr(one, column) for column in LINES.columns}
    return License.objects.filter(cancelled_at__isnull=not is_cancelled, **shared)


def _names() -> dict[str, Subquery]:
    """What a line refers to by name, looked up for the rows shown and not for all that are sorted or grouped."""
    return {
        "account_name": _named(Account, "account", "name"),
        "account_reference": _named(Account, "account", "reference"),
        "product_name": _named(Product, "product", "name"),
        "sku": _named(Product, "product", "sku"),
        "contract_number": _named(Contract, "contract", "number"),
    }


def _without(row: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def _named(model: type[Model], reference: str, name: str) -> Subquery:
    return Subquery(model._base_manager.filter(pk=OuterRef(reference)).order_by().values(name))
