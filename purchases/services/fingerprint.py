"""What the buyer was shown, carried by the browser from the preview to the press of Buy.

The fingerprint holds the shown values themselves, signed, and not only a digest of them, so that an
outdated preview can name each thing that changed, old and new (rule 10). Long texts are held by their
beginning and a digest.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from purchases.wording import terms_in_words
from text.amounts import count_text, day_text, money_text

Values = Mapping[str, Any]

_EXCERPT = 200
"""How many characters of a long text are held for showing."""


@dataclass(frozen=True)
class Change:
    """One thing that is not as it was shown, in words."""

    label: str
    old: str
    new: str


def write_fingerprint(values: Values, *, draft_id: UUID) -> str:
    """Sign the values for the draft. The same values always make the same fingerprint."""
    return _signer(draft_id).sign_object(_abridged(values), compress=True)


def read_fingerprint(fingerprint: str, *, draft_id: UUID) -> Values | None:
    """The values that were signed for the draft; None if the fingerprint is none of ours, or of another draft."""
    try:
        values: Values = _signer(draft_id).unsign_object(fingerprint)
    except (BadSignature, UnicodeEncodeError):
        return None
    return values


def changes_between(shown: Values, values: Values) -> tuple[Change, ...]:
    """What differs between what was shown and what is, in the order of the preview.

    `shown` comes from a fingerprint, `values` from a quote.
    """
    now = _abridged(values)
    facts = [
        Change(str(label), words(shown), words(now))
        for key, (label, words) in _FACTS.items()
        if (shown[key], words(shown)) != (now[key], words(now))  # the same number in another currency is a change
    ]
    return (*facts, *_changes_of_terms(shown["terms"], now["terms"]))


def _changes_of_terms(shown: Values, now: Values) -> list[Change]:
    old, new = dict(_terms_in_words(shown)), dict(_terms_in_words(now))
    changes = [
        Change(label, old.get(label, _("none")), new.get(label, _("none")))
        for label in dict.fromkeys([*old, *new])
        if old.get(label) != new.get(label)
    ]
    if shown["conditions"] != now["conditions"]:
        changes.append(Change(_("Conditions"), _text(shown["conditions"]), _text(now["conditions"])))
    return changes


def _terms_in_words(terms: Values) -> list[tuple[str, str]]:
    """The terms that have words of their own; the conditions are a text, and number and title name the contract."""
    return terms_in_words({**terms, "conditions": ""})


def _signer(draft_id: UUID) -> Signer:
    return Signer(salt=f"purchases.fingerprint.{draft_id}")


def _abridged(values: Values) -> dict[str, Any]:
    terms = {**values["terms"], "conditions": _beginning(values["terms"]["conditions"])}
    return {**values, "note": _beginning(values["note"]), "terms": terms}


def _beginning(text: str) -> list[str]:
    """The text's beginning and, if that is not all of it, a digest of the whole."""
    if len(text) <= _EXCERPT:
        return [text, ""]
    return [f"{text[:_EXCERPT]}…", hashlib.sha256(text.encode()).hexdigest()]


def _text(beginning: list[str]) -> str:
    return beginning[0] or _("none")


def _sources(values: Values) -> str:
    """2 from stock to be used by 31 May 2027, 1 new."""
    return ", ".join(
        ngettext("%(count)s new", "%(count)s new", quantity) % {"count": count_text(quantity)}
        if lot is None
        else ngettext(
            "%(count)s from stock to be used by %(day)s", "%(count)s from stock to be used by %(day)s", quantity
        )
        % {"count": count_text(quantity), "day": day_text(date.fromisoformat(use_by))}
        for lot, use_by, quantity in values["sources"]
    )


def _periods(values: Values) -> str:
    """24 November 2026 – 30 November 2027; more than one where the sources differ."""
    periods = dict.fromkeys((starts_on, ends_on) for starts_on, ends_on in values["periods"])
    return ", ".join(
        f"{day_text(date.fromisoformat(starts_on))} – {day_text(date.fromisoformat(ends_on))}"
        for starts_on, ends_on in periods
    )


def _use_by(values: Values) -> str:
    return day_text(date.fromisoformat(values["use_by"])) if values["use_by"] else _("none")


def _money(key: str) -> Callable[[Values], str]:
    return lambda values: money_text(Decimal(values[key]), values["terms"]["currency"])


_FACTS: dict[str, tuple[Promise, Callable[[Values], str]]] = {
    "contract": (gettext_lazy("Contract"), lambda values: str(values["contract"])),
    "account": (gettext_lazy("Account"), lambda values: values["account"] or _("none")),
    "product": (gettext_lazy("Product"), lambda values: str(values["product"])),
    "quantity": (gettext_lazy("Quantity"), lambda values: count_text(values["quantity"])),
    "sources": (gettext_lazy("Source"), _sources),
    "periods": (gettext_lazy("License period"), _periods),
    "use_by": (gettext_lazy("To be used by"), _use_by),
    "unit_price": (gettext_lazy("Unit price"), _money("unit_price")),
    "total": (gettext_lazy("Total"), _money("total")),
    "po_number": (gettext_lazy("PO number"), lambda values: values["po_number"] or _("none")),
    "note": (gettext_lazy("Order note"), lambda values: _text(values["note"])),
}
