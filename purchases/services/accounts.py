"""What the pages about accounts show besides the accounts themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, F, Min, Q

from accounts.models import Account
from contracts.models import ContractQuerySet
from purchases.models import License, LicenseQuerySet, Purchase

PURCHASES_SHOWN = 10


@dataclass(frozen=True)
class HeldProduct:
    """How many licenses of a product an account has that were not cancelled and have not ended."""

    product_id: int
    name: str
    sku: str
    active: int
    upcoming: int
    next_end: date


def valid_licenses_of(account: Account) -> LicenseQuerySet:
    """The licenses of the account that were not cancelled."""
    return License.objects.valid().filter(account=account)


def held_quantities(accounts: Sequence[Account], *, on: date) -> dict[int, int]:
    """How many licenses that were not cancelled and have not ended each account has, by its key; none is left out."""
    holding = License.objects.valid().filter(account__in=accounts, ends_on__gte=on)
    counted = dict(holding.order_by().values_list("account").annotate(held=Count("*")))
    return {account.pk: counted.get(account.pk, 0) for account in accounts}


def held_products(account: Account, *, on: date) -> list[HeldProduct]:
    """What the account has of each product on the day, by the products' names."""
    holding = License.objects.valid().filter(account=account, ends_on__gte=on)
    counted = holding.values("product_id", name=F("product__name"), sku=F("product__sku")).annotate(
        active=Count("ends_on", filter=Q(starts_on__lte=on)),
        upcoming=Count("ends_on", filter=Q(starts_on__gt=on)),
        next_end=Min("ends_on"),
    )
    return [HeldProduct(**row) for row in counted.order_by("name", "product_id")]


def contracts_naming(account: Account, *, on: date) -> ContractQuerySet:
    """The active contracts that name the account, which then buys only under them (rule 4)."""
    return account.exclusive_contracts.filter(reseller=account.reseller_id).active(on=on).order_by("number")


def latest_purchases_for(account: Account) -> list[Purchase]:
    """The last purchases for the account, newest first."""
    purchases = account.purchases.select_related("account", "contract", "product", "placed_by")
    return list(purchases.order_by("-placed_at", "-pk")[:PURCHASES_SHOWN])
