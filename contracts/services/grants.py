"""Giving and taking away many grants of one reseller at once."""

from collections.abc import Collection
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Reseller, User
from audit.models import Act
from audit.refusals import refusals_recorded
from audit.services import record
from contracts.models import Contract, ContractGrant
from contracts.services.checks import check_grant
from contracts.services.life import ContractClosed, check_editable
from desk.history import recorded_as

Cell = tuple[int, int]
"""The keys of a contract and of a user."""


class GrantsChangedMeanwhile(Exception):
    """Somebody else changed grants that were to be changed; nothing was written. `cells` says which."""

    code = "grants_changed_meanwhile"

    def __init__(self, cells: Collection[Cell]) -> None:
        super().__init__(
            _(
                "Somebody else changed some of these grants in the meantime, so nothing was saved. "
                "They are marked. Look at them, and save again if it is still what you want."
            )
        )
        self.cells = frozenset(cells)


@dataclass(frozen=True)
class GrantsSaved:
    """How many grants were given and how many taken away."""

    given: int
    taken: int


def save_grants(
    reseller: Reseller, *, seen: Collection[Cell], wanted: Collection[Cell], by: User, reason: str = ""
) -> GrantsSaved:
    """Turn the permissions to create licenses that were seen into those that are wanted.

    Only what differs between the two is written. The contracts are held as buying holds them, one after the other
    in the order of their keys. Raises GrantsChangedMeanwhile if one of the differing cells is no longer as it was
    seen, ContractClosed, or ValidationError for somebody else's contract or user; nothing was written then.
    """
    to_give, to_take = set(wanted) - set(seen), set(seen) - set(wanted)
    changing = to_give | to_take
    refusals = refusals_recorded(GrantsChangedMeanwhile, ContractClosed, ValidationError, by=by, on=reseller)
    with refusals, transaction.atomic(), recorded_as(by=by, reason=reason):
        contracts = _held({contract for contract, _user in changing})
        users = User.objects.in_bulk({user for _contract, user in changing})
        for contract_key, user_key in sorted(changing):
            contract, user = contracts.get(contract_key), users.get(user_key)
            if contract is None or contract.reseller_id != reseller.pk or user is None:
                raise GrantsChangedMeanwhile(changing)
            check_editable(contract)
            check_grant(contract, user)
        stored = {
            (grant.contract_id, grant.user_id): grant
            for grant in ContractGrant.objects.filter(contract__in=contracts, user__in=users)
        }
        held = {cell for cell, grant in stored.items() if grant.can_create_licenses}
        if differing := (to_give & held) | (to_take - held):
            raise GrantsChangedMeanwhile(differing)
        ContractGrant.objects.filter(pk__in=[stored[cell].pk for cell in to_give & set(stored)]).update(
            can_create_licenses=True
        )
        ContractGrant.objects.bulk_create(
            ContractGrant(contract_id=contract_key, user_id=user_key)
            for contract_key, user_key in sorted(to_give - set(stored))
        )
        ContractGrant.objects.filter(pk__in=[stored[cell].pk for cell in to_take]).delete()
        if changing:
            record(Act.GRANTS_CHANGED, by=by, on=reseller, detail=f"+{len(to_give)} -{len(to_take)}")
    return GrantsSaved(given=len(to_give), taken=len(to_take))


def _held(keys: Collection[int]) -> dict[int, Contract]:
    """The contracts with their reseller, held until the end of the transaction."""
    chosen = Contract.objects.filter(pk__in=keys).select_related("reseller").order_by("pk")
    return {contract.pk: contract for contract in chosen.select_for_update(no_key=True, of=("self",))}
