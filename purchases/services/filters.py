"""What narrows the licenses of a tab: said in addresses, in words, and to the database."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Self

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Q, QuerySet, Value
from django.http import QueryDict
from django.utils.translation import gettext as _

from accounts.models import Account, User
from contracts.models import Contract
from listing.pages import query_asked
from products.models import Product
from purchases.models import License, LicenseQuerySet, LicenseState
from purchases.services.search import licenses_found_by
from text.amounts import day_text
from text.keys import key_written

NAMED: dict[str, tuple[type[Account | Product | Contract], tuple[str, ...]]] = {
    "account": (Account, ("id", "name", "reference")),
    "product": (Product, ("id", "sku", "name")),
    "contract": (Contract, ("id", "number", "title")),
}
"""What a filter names by its key: the record, and the fields of it that are read, in the order of the model."""


class NothingNamed(ObjectDoesNotExist):
    """An address names an account, product or contract that does not exist for the user."""


@dataclass(frozen=True)
class LicenseFilter:
    """The licenses of a tab that are looked at. The state is the tab; everything else is optional.

    `unread` are the names of the dates in an address that could not be read and so narrow nothing.
    """

    state: LicenseState
    query: str = ""
    account: Account | None = None
    product: Product | None = None
    contract: Contract | None = None
    ends_from: date | None = None
    ends_to: date | None = None
    unread: tuple[str, ...] = ()

    def licenses(self, user: User, *, on: date) -> LicenseQuerySet:
        """The licenses of the user's reseller that are in the state on the day and pass all that narrows them."""
        return License.objects.visible_to(user).in_state(self.state, on=on).filter(self.found(user))

    def found(self, user: User) -> Q:
        """What narrows the licenses besides the state."""
        return licenses_found_by(self.query, user=user) & self.chosen

    @property
    def chosen(self) -> Q:
        """What narrows the licenses besides the state and the search."""
        conditions = {
            "account": self.account,
            "product": self.product,
            "contract": self.contract,
            "ends_on__gte": self.ends_from,
            "ends_on__lte": self.ends_to,
        }
        return Q(**{lookup: value for lookup, value in conditions.items() if value is not None})

    @property
    def parameters(self) -> dict[str, str]:
        """What an address says about it, without the state: only what narrows."""
        parameters = {"q": self.query}
        for name in NAMED:
            if named := getattr(self, name):
                parameters[name] = str(named.pk)
        for name in ("ends_from", "ends_to"):
            if day := getattr(self, name):
                parameters[name] = day.isoformat()
        return {name: value for name, value in parameters.items() if value}

    def without(self, parameter: str) -> Self:
        """The same with one of the parameters taken away."""
        nothing: dict[str, Any] = {"query": ""} if parameter == "q" else {parameter: None}
        return replace(self, **nothing)

    def in_words(self) -> list[tuple[str, str]]:
        """What narrows the licenses besides the state, as label and words, in the order of the parameters."""
        words = {
            "q": (_("Searched for"), self.query),
            "account": (_("Account"), str(self.account)),
            "product": (_("Product"), str(self.product)),
            "contract": (_("Contract"), self.contract.number if self.contract else ""),
            "ends_from": (_("Ends from"), day_text(self.ends_from) if self.ends_from else ""),
            "ends_to": (_("Ends until"), day_text(self.ends_to) if self.ends_to else ""),
        }
        return [words[parameter] for parameter in self.parameters]


def read_license_filter(parameters: QueryDict, *, user: User, state: LicenseState) -> LicenseFilter:
    """Read the filter of an address, in at most one statement.

    Raises NothingNamed for an account, product or contract that the user cannot see or that is none.
    """
    days = {name: parameters.get(name, "").strip() for name in ("ends_from", "ends_to")}
    read = {name: _read_day(text) for name, text in days.items()}
    return LicenseFilter(
        state,
        query=query_asked(parameters),
        ends_from=read["ends_from"],
        ends_to=read["ends_to"],
        **_read_named({name: parameters.get(name, "").strip() for name in NAMED}, user=user),
        unread=tuple(name for name, text in days.items() if text and read[name] is None),
    )


def _read_named(asked: dict[str, str], *, user: User) -> dict[str, Any]:
    """The records that the keys name."""
    visible: dict[str, QuerySet[Any]] = {
        "account": Account.objects.visible_to(user),
        "product": Product.objects.all(),
        "contract": Contract.objects.visible_to(user),
    }
    keys = {name: _read_key(text) for name, text in asked.items() if text}
    selected = [
        visible[name].filter(pk=key).order_by().values_list(Value(name), *NAMED[name][1]) for name, key in keys.items()
    ]
    if not selected:
        return {}
    named = {}
    for name, *values in selected[0].union(*selected[1:], all=True).order_by():
        model, fields = NAMED[name]
        named[name] = model.from_db(None, fields, values)
    if named.keys() != keys.keys():
        raise NothingNamed
    return named


def _read_key(text: str) -> int:
    if (key := key_written(text)) is None:
        raise NothingNamed
    return key


def _read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
