"""Whom a contract serves (rule 4)."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Q, Subquery

from accounts.models import Account, AccountQuerySet
from contracts.models import Contract


@dataclass(frozen=True)
class Serving:
    """How the contracts of a reseller name one account, as seen from one of them (rule 4).

    `bound_to` is the number of the first active contract that names the account, if any does.
    """

    is_named: bool
    contract_is_exclusive: bool
    bound_to: str | None


def with_serving(accounts: AccountQuerySet, contract: Contract, *, on: date) -> AccountQuerySet:
    """Annotate the accounts with what `serving_of` tells about the contract on the day."""
    naming = Contract.exclusive_accounts.through.objects
    naming_contracts = Contract.objects.filter(
        reseller=contract.reseller_id, pk__in=naming.filter(account=OuterRef(OuterRef("pk"))).values("contract")
    )
    return accounts.annotate(
        is_named=Exists(naming.filter(contract=contract, account=OuterRef("pk"))),
        contract_is_exclusive=Exists(naming.filter(contract=contract)),
        bound_to=Subquery(naming_contracts.active(on=on).order_by("number").values("number")[:1]),
    )


def serving_of(account: Account) -> Serving:
    """How contracts name the account, which was read through `with_serving`."""
    annotated: Any = account
    return Serving(annotated.is_named, annotated.contract_is_exclusive, annotated.bound_to)


def accounts_served_by(contract: Contract, *, on: date, package: int | None = None) -> AccountQuerySet:
    """The accounts that may buy under the contract on the day (rule 4); those on the package, if one is named.

    They are active, paid and of the contract's reseller. Where the contract names exclusive accounts it
    serves only those; otherwise it serves all that no active contract names.
    """
    return _accounts_of_reseller(contract, on=on).filter(_served(package))


def accounts_not_served_by(contract: Contract, *, on: date, package: int | None = None) -> AccountQuerySet:
    """The other accounts of the contract's reseller."""
    return _accounts_of_reseller(contract, on=on).exclude(_served(package))


def _accounts_of_reseller(contract: Contract, *, on: date) -> AccountQuerySet:
    return with_serving(Account.objects.filter(reseller=contract.reseller_id), contract, on=on)


def _served(package: int | None) -> Q:
    served = Q(Q(is_named=True) | Q(contract_is_exclusive=False, bound_to=None), is_active=True, tier=Account.Tier.PAID)
    return served if package is None else served & Q(package=package)
