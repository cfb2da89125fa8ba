"""A contract once more, for the next period."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.models import Act
from audit.services import record
from contracts.models import Contract, ContractGrant, ContractProduct
from contracts.periods import anniversary_end
from desk.history import recorded_as

_NUMBER_LENGTH = Contract._meta.get_field("number").max_length or 0


@dataclass(frozen=True)
class Period:
    """Both days inclusive."""

    starts_on: date
    ends_on: date


def next_period(contract: Contract) -> Period | None:
    """The period that follows the contract's and is as long: in whole months where it is, else in days.

    1 January – 31 December 2027 → 1 January – 31 December 2028. None follows an open-ended contract, or one at
    the end of the calendar.
    """
    starts_on, ends_on = contract.starts_on, contract.ends_on
    if ends_on is None:
        return None
    try:
        months = _whole_months(starts_on, ends_on)
        following = ends_on + timedelta(days=1)
        if months is not None:
            return Period(following, anniversary_end(following, months=months))
        return Period(following, following + (ends_on - starts_on))
    except (OverflowError, ValueError):
        return None


def suggest_number(contract: Contract) -> str:
    """A number that no contract has: with the next period's year where the number ends in a year, else counted on.

    BD-2026 → BD-2027, C-1001 → C-1001-2, C-1001-2 → C-1001-3.
    """
    following = next_period(contract)
    year = str(contract.starts_on.year)
    candidates = []
    if following is not None and contract.number.endswith(year):
        candidates.append(contract.number.removesuffix(year) + str(following.starts_on.year))
    stem, counted = contract.number, 1
    if match := re.fullmatch(r"(.*[0-9])-([1-9][0-9]?)", contract.number):
        stem, counted = match[1], int(match[2])
    counted_on = Contract.objects.filter(number__startswith=f"{stem}-").count()
    candidates += [f"{stem}-{further}" for further in range(counted + 1, counted + 2 + counted_on)]
    taken = set(Contract.objects.filter(number__in=candidates).values_list("number", flat=True))
    return next((number for number in candidates if number not in taken and len(number) <= _NUMBER_LENGTH), "")


def duplicate(contract: Contract, *, number: str, starts_on: date, ends_on: date | None, by: User) -> Contract:
    """Write a draft with the contract's terms, products, prices, grants and exclusive accounts.

    Raises ValidationError if the new one cannot be as it was asked for; then nothing was written. What is
    copied is read under the contract's lock, so that no edit is copied by half.
    """
    with transaction.atomic(), recorded_as(by=by, reason=_("Duplicated from %(contract)s.") % {"contract": contract}):
        source = Contract.objects.locked(contract.pk)
        accounts = list(source.exclusive_accounts.all())
        copy = Contract.objects.get(pk=source.pk)
        copy.pk = None
        copy._state.adding = True
        copy.number, copy.starts_on, copy.ends_on = number, starts_on, ends_on
        copy.status = Contract.Status.DRAFT
        copy.full_clean()
        copy.save(force_insert=True)
        ContractProduct.objects.bulk_create(
            ContractProduct(
                contract=copy,
                product_id=line.product_id,
                unit_price=line.unit_price,
                maximum_quantity=line.maximum_quantity,
                is_active=line.is_active,
            )
            for line in source.contract_products.order_by("pk")
        )
        ContractGrant.objects.bulk_create(
            ContractGrant(contract=copy, user_id=grant.user_id, can_create_licenses=grant.can_create_licenses)
            for grant in source.grants.order_by("pk")
        )
        copy.exclusive_accounts.set(accounts)
        record(Act.ADDED, by=by, on=copy, detail=f"duplicated from {source.number}")
    return copy


def _whole_months(starts_on: date, ends_on: date) -> int | None:
    """How many months the period has, if it is months to the day. Raises ValueError at the end of the calendar."""
    between = relativedelta(ends_on + timedelta(days=1), starts_on)
    for months in (between.years * 12 + between.months, between.years * 12 + between.months + 1):
        if months and anniversary_end(starts_on, months=months) == ends_on:
            return months
    return None
