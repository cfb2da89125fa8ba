"""In words: a contract's terms, as they stand or as a purchase froze them, and the state of licenses."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contracts.models import Contract, EndRule
from purchases.models import LicenseState
from text.amounts import count_text, day_text


def terms_in_words(terms: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and words of each term that a buyer reads; `terms` has the keys of `contract_terms`."""
    rows = [
        (_("Period"), _period(terms)),
        (_("License term"), _term(terms)),
        (_("Billing"), _billing(terms)),
    ]
    if terms["minimum_quantity"] > 1:
        least = terms["minimum_quantity"]
        words = ngettext("%(least)s license a purchase", "%(least)s licenses a purchase", least)
        rows.append((_("Minimum quantity"), words % {"least": count_text(least)}))
    if terms["requires_po_number"]:
        rows.append((_("PO number"), _("Needed for each purchase")))
    if terms["conditions"]:
        rows.append((_("Conditions"), terms["conditions"]))
    return rows


def _period(terms: Mapping[str, Any]) -> str:
    starts_on = day_text(date.fromisoformat(terms["starts_on"]))
    if terms["ends_on"] is None:
        return _("From %(starts_on)s, open-ended") % {"starts_on": starts_on}
    return _("From %(starts_on)s to %(ends_on)s") % {
        "starts_on": starts_on,
        "ends_on": day_text(date.fromisoformat(terms["ends_on"])),
    }


def _term(terms: Mapping[str, Any]) -> str:
    if terms["end_rule"] == EndRule.CONTRACT_END:
        return _("Until the contract ends")
    months = terms["term_months"]
    if terms["end_rule"] == EndRule.MONTH_END:
        words = ngettext(
            "%(months)s month, to the end of the last month", "%(months)s months, to the end of the last month", months
        )
    else:
        words = ngettext("%(months)s month to the day", "%(months)s months to the day", months)
    return words % {"months": count_text(months)}


def _billing(terms: Mapping[str, Any]) -> str:
    words = {
        Contract.Billing.UPFRONT: _("In %(currency)s, the whole term upfront"),
        Contract.Billing.ANNUAL: _("In %(currency)s, each year in advance"),
        Contract.Billing.MONTHLY: _("In %(currency)s, each month"),
    }
    return words[Contract.Billing(terms["billing"])] % {"currency": terms["currency"]}


def state_in_words(
    state: LicenseState, *, starts_on: date, ends_on: date, cancelled_at: datetime | None, on: date
) -> str:
    """The state of licenses on the day: "Active", "Expires in 6 days", "Cancelled on 3 May 2026"."""
    match state:
        case LicenseState.UPCOMING:
            return _("Starts on %(day)s") % {"day": day_text(starts_on)}
        case LicenseState.EXPIRED:
            return _("Expired on %(day)s") % {"day": day_text(ends_on)}
        case LicenseState.INVALID if cancelled_at is not None:
            return _("Cancelled on %(day)s") % {"day": day_text(localdate(cancelled_at))}
        case LicenseState.EXPIRING if ends_on == on:
            return _("Expires today")
        case LicenseState.EXPIRING:
            days = (ends_on - on).days
            return ngettext("Expires in %(days)s day", "Expires in %(days)s days", days) % {"days": count_text(days)}
        case _:
            return str(state.label)
