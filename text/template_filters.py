"""The template filters for numbers, money and days, built in everywhere (see `TEMPLATES`)."""

from datetime import date
from decimal import Decimal

from django import template
from django.utils.formats import date_format

from text.amounts import count_text, day_text, money_text

register = template.Library()


@register.filter
def count(number: int) -> str:
    """{{ 1284|count }} → 1,284"""
    return count_text(number)


@register.filter
def money(amount: Decimal, currency: str) -> str:
    """{{ purchase.total|money:purchase.currency }} → 360.00 EUR"""
    return money_text(amount, currency)


@register.filter
def day(value: date) -> str:
    """{{ license.ends_on|day }} → 24 November 2026"""
    return day_text(value)


@register.filter
def short_day(value: date) -> str:
    """{{ license.ends_on|short_day }} → 24 Nov 2026"""
    return date_format(value, "SHORT_DATE_FORMAT")
