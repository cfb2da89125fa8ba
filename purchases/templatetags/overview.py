"""The overview on the admin's first page."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django import template
from django.http import HttpRequest
from django.template.context import Context
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from purchases.services import overview
from text.amounts import count_text, day_text, money_text

register = template.Library()


@dataclass(frozen=True)
class Line:
    """A row of the overview: what it is, what it tells, and where it leads."""

    name: str
    facts: str
    address: str


@dataclass(frozen=True)
class Section:
    """One question of the overview: how many, the first ones, and the list of all."""

    title: Promise | str
    nothing: Promise
    count: int
    lines: list[Line]
    address: str


@register.simple_tag(takes_context=True)
def overview_sections(context: Context) -> list[Section]:
    """The sections that are about what the user may see."""
    request: HttpRequest = context["request"]
    return [build() for permission, build in _sections() if request.user.has_perm(permission)]


def _sections() -> Iterator[tuple[str, Callable[[], Section]]]:
    yield "contracts.view_contract", _ending_contracts
    yield "accounts.view_reseller", _resellers_without_contract
    yield "stock.view_stocklot", _lapsing_lots
    yield "purchases.view_purchase", _purchases_of_today


def _ending_contracts() -> Section:
    today = timezone.localdate()
    glance = overview.ending_contracts(on=today)
    return Section(
        _("Contracts that end within %(days)s days") % {"days": overview.DAYS_AHEAD},
        _("No contract ends soon."),
        glance.count,
        [
            Line(str(row), f"{row.reseller} · {day_text(row.ends_on)}", _page("contracts_contract", row))
            for row in glance.first
        ],
        _list(
            "contracts_contract",
            ends_on__gte=today,
            ends_on__lte=today + timedelta(days=overview.DAYS_AHEAD),
            status__in="active,suspended",
            o="6",
        ),
    )


def _resellers_without_contract() -> Section:
    glance = overview.resellers_without_contract(on=timezone.localdate())
    return Section(
        _("Resellers without an active contract"),
        _("Every active reseller has a contract to buy under."),
        glance.count,
        [Line(row.name, row.slug, _page("accounts_reseller", row)) for row in glance.first],
        _list("accounts_reseller", is_active__exact=1, active_contract="no"),
    )


def _lapsing_lots() -> Section:
    today = timezone.localdate()
    glance = overview.lapsing_lots(on=today)
    return Section(
        _("Stock that lapses within %(days)s days") % {"days": overview.DAYS_AHEAD},
        _("No stock lapses soon."),
        glance.count,
        [
            Line(
                f"{count_text(row.remaining)} × {row.product}",
                f"{row.reseller} · {row.contract.number} · {day_text(row.use_by)}",
                _page("stock_stocklot", row),
            )
            for row in glance.first
        ],
        _list(
            "stock_stocklot",
            remaining__gt=0,
            use_by__gte=today,
            use_by__lte=today + timedelta(days=overview.DAYS_AHEAD),
        ),
    )


def _purchases_of_today() -> Section:
    midnight = overview.start_of(timezone.localdate())
    glance = overview.purchases_since(midnight)
    return Section(
        _("Purchases of today"),
        _("Nothing was bought yet today."),
        glance.count,
        [
            Line(
                row.number,
                f"{row.reseller} · {count_text(row.quantity)} × {row.product} · {money_text(row.total, row.currency)}",
                _page("purchases_purchase", row),
            )
            for row in glance.first
        ],
        _list("purchases_purchase", placed_at__gte=midnight.isoformat()),
    )


def _page(name: str, row: Any) -> str:
    return reverse(f"admin:{name}_change", args=[row.pk])


def _list(name: str, **filters: object) -> str:
    return f"{reverse(f'admin:{name}_changelist')}?{urlencode(filters)}"
