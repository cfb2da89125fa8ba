"""Numbers, money and days as the reader's language writes them."""

from datetime import date
from decimal import Decimal

from babel.core import get_global
from babel.numbers import format_currency, format_decimal
from django.utils.formats import date_format
from django.utils.translation import get_language


def count_text(number: int) -> str:
    """Return the whole number with the language's thousands separator: 1,284 or 1.284."""
    return format_decimal(number, locale=get_language() or "en")


def money_text(amount: Decimal, currency: str) -> str:
    """Return the amount with the currency's own decimals and its ISO 4217 code: 1,234.50 EUR."""
    return format_currency(amount, currency, format="#,##0.00\xa0¤¤", locale=get_language() or "en")


def day_text(day: date) -> str:
    """Return the day with its month's name: 24 November 2026."""
    return date_format(day, "DATE_FORMAT")


def currency_decimals(code: str) -> int | None:
    """Return how many decimals the ISO 4217 currency has; None if there is no such currency in use."""
    if code not in get_global("all_currencies"):
        return None
    fractions = get_global("currency_fractions")
    return int(fractions.get(code, fractions["DEFAULT"])[0])
