"""The license tabs, and the page of one license."""

from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

from accounts.requests import ResellerRequest
from contracts.services.permission import may_create_any_licenses
from listing.pages import At, Page
from listing.tallies import Tally
from purchases.charts import ending_chart
from purchases.models import License, LicenseState
from purchases.services import sorting
from purchases.services.drafts import open_drafts_of
from purchases.services.ending import ending_by_month
from purchases.services.filters import LicenseFilter, NothingNamed, read_license_filter
from purchases.services.holdings import (
    Holdings,
    Line,
    SingleLicense,
    holdings_of,
    licenses_of,
    lines_of,
    neighbors_of,
    place_of_line,
    single_licenses_of,
)
from purchases.services.lapsing import lapsing_quantity
from purchases.services.offered import offered
from purchases.services.search import licenses_found_by
from purchases.services.sorting import Sort
from purchases.wording import state_in_words

DRAFTS_SHOWN = 3

SINGLE = "single"
"""What an address says that shows single licenses instead of lines."""

TABS = {
    LicenseState.ACTIVE: "licenses",
    LicenseState.EXPIRING: "licenses_expiring",
    LicenseState.UPCOMING: "licenses_upcoming",
    LicenseState.EXPIRED: "licenses_expired",
    LicenseState.INVALID: "licenses_invalid",
}
"""The tabs in their order, and the names of their addresses."""


@dataclass(frozen=True)
class Asked:
    """What the address of a tab asks for, besides the page: which licenses, in which order, as lines or singly."""

    narrowed: LicenseFilter
    sort: Sort
    is_single: bool

    @property
    def parameters(self) -> dict[str, str]:
        """As an address says it, without the state."""
        return {
            **self.narrowed.parameters,
            "sort": "" if self.sort is Sort.END else self.sort.value,
            "show": SINGLE if self.is_single else "",
        }

    def address(self, state: LicenseState | None = None, /, **parameters: str) -> str:
        """Its address in its own tab or another, with further parameters, or others in the place of its own."""
        return _address(TABS[state or self.narrowed.state], **{**self.parameters, **parameters})


@dataclass(frozen=True)
class Tab:
    """A tab as the page shows it."""

    state: LicenseState
    url: str
    tally: Tally


@dataclass(frozen=True)
class Chip:
    """Something that narrows the list, and the address without it."""

    label: str
    words: str
    url: str


@dataclass(frozen=True)
class Column:
    """The head of a column. What can be sorted by has an address; `direction` is that of the current order."""

    title: str
    sort: Sort | None = None
    url: str = ""
    direction: str = ""
    is_number: bool = False


@dataclass(frozen=True)
class EndingSoon:
    """How many active licenses end within some days, and the address of their list."""

    days: int
    tally: Tally
    url: str


@dataclass(frozen=True)
class ShownLine:
    """A line as the page shows it; `licenses` only where it is open."""

    line: Line
    state_in_words: str
    toggle_url: str
    licenses: Page[License] | None = None
    previous_url: str = ""
    next_url: str = ""


@require_safe
def tab(request: ResellerRequest, state: LicenseState) -> HttpResponse:
    """The licenses in one state, narrowed and sorted as the address says, as lines or singly.

    The form sends its empty fields too; the address that stays says only what says something.
    """
    said = {name: value for name in request.GET if (value := request.GET.get(name, ""))}
    says_more = len(said) < len(request.GET)
    if says_more and not request.htmx:
        return redirect(_address(TABS[state], **said))
    try:
        narrowed = read_license_filter(request.GET, user=request.user, state=state)
    except NothingNamed:
        raise Http404 from None
    asked = Asked(narrowed, Sort.asked(request.GET), is_single=request.GET.get("show") == SINGLE)
    searched = licenses_found_by(narrowed.query, user=request.user)
    found = searched & narrowed.chosen
    holdings = holdings_of(request.user, narrowed, on=request.today, found=found)
    is_active_tab = state is LicenseState.ACTIVE
    context = {
        "section": "licenses",
        "state": state,
        "narrowed": narrowed,
        "query": narrowed.query,
        "asked": asked,
        "sorts": Sort,
        "offered": offered(request.user, narrowed, on=request.today, searched=searched),
        "chips": _chips(asked),
        "clear_url": replace(asked, narrowed=LicenseFilter(state)).address(),
        "columns": _columns(asked),
        "holdings": holdings,
        "tabs": [Tab(each, asked.address(each), holdings.tallies[each]) for each in TABS],
        "tab_url": reverse(TABS[state]),
        "lines_url": asked.address(show=""),
        "single_url": asked.address(show=SINGLE),
        "may_buy": is_active_tab and may_create_any_licenses(request.user),
        **(_single(request, asked, found) if asked.is_single else _lines(request, asked, found)),
        **(_needs_me(request, holdings) if is_active_tab and not narrowed.parameters else {}),
    }
    is_part = request.htmx and not request.htmx.history_restore_request
    answer = render(request, f"purchases/licenses.html{'#lines' if is_part else ''}", context)
    return push_url(answer, _address(TABS[state], **said)) if says_more else answer


@require_safe
def license(request: ResellerRequest, key: str) -> HttpResponse:
    """Everything about one license."""
    rows = License.objects.visible_to(request.user).select_related("account", "product", "contract", "purchase")
    license = get_object_or_404(rows, key=key)
    state = license.state(on=request.today)
    context = {
        "section": "licenses",
        "license": license,
        "state": state,
        "state_in_words": _in_words(request, license, state),
        "line_url": line_address(state, place_of_line(license)),
        "neighbors": neighbors_of(license),
    }
    return render(request, "purchases/license.html", context)


def line_address(state: LicenseState, place: str) -> str:
    """Where the line at the place is shown open. What is expiring is active too."""
    tab_state = LicenseState.ACTIVE if state is LicenseState.EXPIRING else state
    return _address(TABS[tab_state], **{"from": place, "line": place})


def _lines(request: ResellerRequest, asked: Asked, found: Q) -> dict[str, Any]:
    """A page of lines."""
    page = lines_of(
        request.user, asked.narrowed.state, on=request.today, found=found, at=At.asked(request.GET), sort=asked.sort
    )
    return {
        "lines": [_shown(request, asked, line, found) for line in page.rows],
        "quantity": sum(line.quantity for line in page.rows),
        **_pages(asked, page),
    }


def _single(request: ResellerRequest, asked: Asked, found: Q) -> dict[str, Any]:
    """A page of single licenses."""
    page = single_licenses_of(
        request.user, asked.narrowed.state, on=request.today, found=found, at=At.asked(request.GET), sort=asked.sort
    )
    licenses = [(license, _in_words(request, license, license.state)) for license in page.rows]
    return {"licenses": licenses, "quantity": len(licenses), **_pages(asked, page)}


def _pages(asked: Asked, page: Page[Any]) -> dict[str, str]:
    return {
        "previous_url": page.previous and asked.address(before=page.previous),
        "next_url": page.next and asked.address(after=page.next),
    }


def _needs_me(request: ResellerRequest, holdings: Holdings) -> dict[str, Any]:
    """What stands above the whole Active tab: what ends soon, stock that lapses, the year, and what was begun.

    Beside an open line the year is left out: the page would be too heavy with both.
    """
    months = ending_by_month(License.objects.visible_to(request.user), on=request.today) if not _opens(request) else []
    return {
        "ending": [
            EndingSoon((day - request.today).days, tally, _address("licenses", ends_to=day.isoformat()))
            for day, tally in holdings.ending.items()
        ],
        "lapsing": lapsing_quantity(request.user, on=request.today),
        "chart": months and ending_chart(months, lambda month: _address("licenses", **month.parameters)),
        "open_drafts": open_drafts_of(request.user, limit=DRAFTS_SHOWN),
    }


def _opens(request: ResellerRequest) -> str:
    """The place of the line that the address opens; empty if it opens none."""
    return request.GET.get("line", "")


def _chips(asked: Asked) -> list[Chip]:
    said = zip(asked.narrowed.parameters, asked.narrowed.in_words(), strict=True)
    return [Chip(label, words, asked.address(**{parameter: ""})) for parameter, (label, words) in said]


def _columns(asked: Asked) -> list[Column]:
    def sortable(title: str, sort: Sort) -> Column:
        is_current = sort is asked.sort
        direction = ("descending" if sort is Sort.START else "ascending") if is_current else ""
        return Column(title, sort, asked.address(sort="" if sort is Sort.END else sort.value), direction)

    product, account = sortable(_("Product"), Sort.PRODUCT), sortable(_("Account"), Sort.ACCOUNT)
    start, end = sortable(_("Starts"), Sort.START), sortable(_("Ends"), Sort.END)
    contract, state = Column(_("Contract")), Column(_("State"))
    if asked.is_single:
        return [Column(_("License key")), product, account, contract, start, end, state]
    return [product, account, contract, Column(_("Quantity"), is_number=True), start, end, state]


def _in_words(request: ResellerRequest, of: Line | SingleLicense | License, state: LicenseState) -> str:
    return state_in_words(
        state, starts_on=of.starts_on, ends_on=of.ends_on, cancelled_at=of.cancelled_at, on=request.today
    )


def _shown(request: ResellerRequest, asked: Asked, line: Line, found: Q) -> ShownLine:
    """The line, with a page of its licenses if it is the one that the address opens."""
    order = sorting.LINES[asked.sort]
    places = {name: request.GET.get(name, "") for name in ("after", "before", "from")}
    kept = {name: place for name, place in places.items() if order.read(place)}
    words = _in_words(request, line, line.state)
    if _opens(request) != line.place:
        return ShownLine(line, words, toggle_url=asked.address(**kept, line=line.place))
    licenses = licenses_of(request.user, line, found=found, at=At.asked(request.GET, prefix="license_"))
    opened = {**kept, "line": line.place}
    return ShownLine(
        line,
        words,
        toggle_url=asked.address(**kept),
        licenses=licenses,
        previous_url=licenses.previous and asked.address(**opened, license_before=licenses.previous),
        next_url=licenses.next and asked.address(**opened, license_after=licenses.next),
    )


def _address(name: str, **parameters: str) -> str:
    """The address of a list with those of the parameters that say something."""
    return reverse(name, query={parameter: value for parameter, value in parameters.items() if value})
