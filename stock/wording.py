"""In words: until when a lot can be used."""

from datetime import date, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stock.models import StockLot
from text.amounts import count_text, day_text

SOON = timedelta(days=60)
"""How long before its use-by a lot says how many days are left."""


def use_by_in_words(lot: StockLot, *, on: date) -> str:
    """Say "Use within 12 days" when little time is left, "Use today", "Lapsed on …", "Used up"; else nothing."""
    if lot.remaining == 0:
        return _("Used up")
    if lot.use_by < on:
        return _("Lapsed on %(day)s") % {"day": day_text(lot.use_by)}
    if lot.use_by == on:
        return _("Use today")
    if lot.use_by - on > SOON:
        return ""
    days = (lot.use_by - on).days
    return ngettext("Use within %(days)s day", "Use within %(days)s days", days) % {"days": count_text(days)}
