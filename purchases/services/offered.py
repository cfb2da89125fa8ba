"""What the filters of a tab offer: only what exists among the licenses that the other filters leave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet, Value

from accounts.models import Account, User
from contracts.models import Contract
from products.models import Product
from purchases.models import License
from purchases.services.filters import NAMED, LicenseFilter
from text.folding import fold

type Named = Account | Product | Contract

OFFERED = 50
"""So many of each are offered, the first by name; the search finds the others."""


@dataclass(frozen=True)
class Choice:
    """One account, product or contract that a filter can name."""

    key: int
    label: str


@dataclass(frozen=True)
class Offer:
    """The choices of one filter, by name. What is chosen is always among them."""

    choices: Sequence[Choice]
    has_more: bool


def offered(user: User, narrowed: LicenseFilter, *, on: date, searched: Q) -> dict[str, Offer]:
    """What each filter that names a record offers, in one statement; `searched` is what the search found."""
    first = {
        "account": _first(user, narrowed, "account", Account.objects.visible_to(user), "search_text", on, searched),
        "product": _first(user, narrowed, "product", Product.objects.all(), "name", on, searched),
        "contract": _first(user, narrowed, "contract", Contract.objects.visible_to(user), "number", on, searched),
    }
    return offers(first, chosen={name: getattr(narrowed, name) for name in first})


def offers(first: Mapping[str, QuerySet[Any]], *, chosen: Mapping[str, Named | None]) -> dict[str, Offer]:
    """An offer of the first of each kind of rows, at most OFFERED and one, in one statement."""
    named = [
        rows.model._base_manager.filter(pk__in=rows.values("pk")).order_by().values_list(Value(name), *NAMED[name][1])
        for name, rows in first.items()
    ]
    found: dict[str, dict[int, str]] = {name: {} for name in first}
    for name, *values in named[0].union(*named[1:], all=True).order_by():
        model, fields = NAMED[name]
        row = model.from_db(None, fields, values)
        found[name][row.pk] = label_of(row)
    return {name: _offer(labels, chosen[name]) for name, labels in found.items()}


def label_of(row: Named) -> str:
    """The record as choices and filters name it: contracts by their number."""
    return row.number if isinstance(row, Contract) else str(row)


def _first(
    user: User, narrowed: LicenseFilter, name: str, rows: QuerySet[Any], by_name: str, on: date, searched: Q
) -> QuerySet[Any]:
    """The first of the rows by name that licenses have which everything but the filter itself leaves."""
    others = narrowed.without(name).chosen
    licenses = License.objects.visible_to(user).in_state(narrowed.state, on=on).filter(searched, others)
    # By a list and not by EXISTS: SQLite makes the list once, and would look again for every account otherwise.
    return rows.filter(pk__in=licenses.order_by().values(name)).order_by(by_name, "pk")[: OFFERED + 1]


def _offer(labels: dict[int, str], chosen: Named | None) -> Offer:
    by_name = sorted(labels.items(), key=lambda choice: (fold(choice[1]), choice[0]))
    shown = dict(by_name[:OFFERED]) | ({chosen.pk: label_of(chosen)} if chosen else {})
    return Offer([Choice(key, label) for key, label in shown.items()], has_more=len(labels) > OFFERED)
