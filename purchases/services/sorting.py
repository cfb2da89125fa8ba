"""The orders in which lines and single licenses can be listed, each kept by an index (see docs/decisions.md)."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Self

from django.db.models import TextChoices
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.models import User, reseller_of
from listing.pages import Order
from purchases.models import LicenseQuerySet


class Sort(TextChoices):
    """By what a list is sorted, as an address says it."""

    END = "end", _("The soonest end first")
    START = "start", _("The latest start first")
    ACCOUNT = "account", _("By account")
    PRODUCT = "product", _("By product")

    @classmethod
    def asked(cls, parameters: QueryDict) -> Self:
        """As an address says it; by end where it says nothing that is known."""
        asked = parameters.get("sort", "")
        return cls(asked) if asked in cls.values else cls.END

    def narrowed(self, licenses: LicenseQuerySet, *, user: User) -> LicenseQuerySet:
        """The user's licenses, said so that accounts can be walked along the index of their names."""
        return licenses.filter(account__reseller=reseller_of(user)) if self is Sort.ACCOUNT else licenses


_ENDS = {"ends_on": date}
_STARTS = {"starts_on": date}
_ACCOUNT = {"account_id": int}
_PRODUCT = {"product_id": int}
_CONTRACT = {"contract_id": int}

_COLUMNS: Mapping[Sort, dict[str, type[Any]]] = {
    Sort.END: _ENDS | _ACCOUNT | _PRODUCT | _CONTRACT | _STARTS,
    Sort.START: _STARTS | _ENDS | _ACCOUNT | _PRODUCT | _CONTRACT,
    Sort.ACCOUNT: {"account__search_text": str} | _ACCOUNT | _ENDS | _PRODUCT | _CONTRACT | _STARTS,
    Sort.PRODUCT: {"product__name": str} | _PRODUCT | _ENDS | _ACCOUNT | _CONTRACT | _STARTS,
}

LINES: Mapping[Sort, Order] = {sort: Order(columns, falling=sort is Sort.START) for sort, columns in _COLUMNS.items()}
"""What the licenses of a line have in common, in each order."""

LICENSES: Mapping[Sort, Order] = {
    sort: Order(columns | {"pk": int}, falling=sort is Sort.START) for sort, columns in _COLUMNS.items()
}
"""Single licenses: line by line, and within one in the order in which they came to be."""
