"""What a purchase does to what the account already has of the product, in one sentence (rule 13)."""

from collections.abc import Sequence
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from purchases.services.facts import Held
from purchases.services.quote import Quote
from text.amounts import count_text, day_text

GROUPS_NAMED = 3
"""How many end dates the sentence names. What ends later is counted together."""


def effect_sentence(quote: Quote) -> str:
    """With this, you'll be adding 3 licenses to the 10 existing ones; those 10 expire on 30 November 2026."""
    if quote.use_by is not None:
        return _effect_on_stock(quote, quote.use_by)
    added = ngettext("%(count)s license", "%(count)s licenses", quote.quantity) % {"count": count_text(quote.quantity)}
    if not quote.held:
        return _("With this, you'll be adding %(added)s; the account has none of this product yet.") % {"added": added}
    existing = ngettext("the %(count)s existing one", "the %(count)s existing ones", quote.held_quantity) % {
        "count": count_text(quote.held_quantity)
    }
    return _("With this, you'll be adding %(added)s to %(existing)s; %(groups)s.") % {
        "added": added,
        "existing": existing,
        "groups": _groups_in_words(quote.held, on=quote.on),
    }


def _effect_on_stock(quote: Quote, use_by: date) -> str:
    """To be used by 23 November 2027. Adds 100 to the 5 in stock."""
    if not quote.available:
        words = _("To be used by %(day)s. Adds %(added)s; nothing of this product is in stock yet.")
    else:
        words = _("To be used by %(day)s. Adds %(added)s to the %(existing)s in stock.")
    return words % {
        "day": day_text(use_by),
        "added": count_text(quote.quantity),
        "existing": count_text(quote.available),
    }


def _groups_in_words(held: Sequence[Held], *, on: date) -> str:
    if len(held) == 1:
        return _one_group(held[0], on=on)
    named = [_group(group, on=on) for group in held[:GROUPS_NAMED]]
    if later := held[GROUPS_NAMED:]:
        quantity = sum(group.quantity for group in later)
        named.append(
            ngettext(
                "%(count)s expires later, on %(day)s at the latest",
                "%(count)s expire later, on %(day)s at the latest",
                quantity,
            )
            % {"count": count_text(quantity), "day": day_text(later[-1].ends_on)}
        )
    return ", ".join(named)


def _one_group(group: Held, *, on: date) -> str:
    """All that there is ends on one day."""
    values = {"count": count_text(group.quantity), "day": day_text(group.ends_on)}
    if _is_this_month(group.ends_on, on=on):
        return (
            ngettext(
                "that %(count)s expires this month, on %(day)s",
                "those %(count)s expire this month, on %(day)s",
                group.quantity,
            )
            % values
        )
    return ngettext("that %(count)s expires on %(day)s", "those %(count)s expire on %(day)s", group.quantity) % values


def _group(group: Held, *, on: date) -> str:
    """One end date of several."""
    values = {"count": count_text(group.quantity), "day": day_text(group.ends_on)}
    if _is_this_month(group.ends_on, on=on):
        return (
            ngettext(
                "%(count)s expires this month, on %(day)s", "%(count)s expire this month, on %(day)s", group.quantity
            )
            % values
        )
    return ngettext("%(count)s expires on %(day)s", "%(count)s expire on %(day)s", group.quantity) % values


def _is_this_month(day: date, *, on: date) -> bool:
    return (day.year, day.month) == (on.year, on.month)
