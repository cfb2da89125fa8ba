"""How a contract stands on a day, as a reseller reads it."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from django.utils.translation import gettext as _

from contracts.models import Contract
from text.amounts import day_text


@dataclass(frozen=True)
class Standing:
    """The words, and which of the states of a license they look like."""

    words: str
    look: Literal["active", "upcoming", "expired", "invalid"]


def standing_of(contract: Contract, *, on: date) -> Standing:
    """Active, suspended, closed, or outside its period: rule 1 in a few words."""
    match contract.status:
        case Contract.Status.SUSPENDED:
            return Standing(_("Suspended"), "invalid")
        case Contract.Status.CLOSED:
            return Standing(_("Closed"), "expired")
        case Contract.Status.DRAFT:
            return Standing(_("Draft"), "upcoming")
    if contract.ends_on is not None and contract.ends_on < on:
        return Standing(_("Ended on %(day)s") % {"day": day_text(contract.ends_on)}, "expired")
    if contract.starts_on > on:
        return Standing(_("Begins on %(day)s") % {"day": day_text(contract.starts_on)}, "upcoming")
    return Standing(_("Active"), "active")
