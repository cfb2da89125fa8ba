"""Who may create licenses under a contract (rule 2)."""

from accounts.models import User
from contracts.models import Contract, ContractGrant


def may_create_any_licenses(user: User) -> bool:
    """Whether the user holds the permission to create licenses under any contract at all (rule 2)."""
    return user.grants.filter(can_create_licenses=True).exists()


def locked_grant(contract: Contract, user: User) -> ContractGrant | None:
    """The user's permission to create licenses under the contract, held until the end of the transaction.

    It brings along the user and the user's reseller as they are stored now; these are not held.
    """
    grants = ContractGrant.objects.filter(contract=contract, user=user, can_create_licenses=True)
    return grants.select_related("user__reseller").select_for_update(no_key=True, of=("self",)).order_by().first()
