"""What a reseller does with its accounts: it adds them, renames them, moves them to another package, makes them paid.

Who may do so hangs on contracts, which are above this app: callers bring the answer as `may_manage`.
"""

from collections.abc import Sequence
from typing import ClassVar

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import Account, Reseller, User
from audit.models import Act
from audit.refusals import refusals_recorded
from audit.services import record
from products.models import Package
from text.folding import fold


class AccountRefused(Exception):
    """A rule says no, and nothing was written. Its text is a sentence that the reseller can act on.

    `code` names the refusal for programs, `answer` the field that has to change.
    """

    code: ClassVar[str]
    answer: ClassVar[str] = ""


class ManagingNotPermitted(AccountRefused):
    """The user may create licenses under no contract, and so manages no accounts either."""

    code = "managing_not_permitted"

    def __init__(self) -> None:
        super().__init__(
            _(
                "You may look at accounts but not add or change them. "
                "Ask your operator for the permission to create licenses."
            )
        )


def check_may_manage(may_manage: bool) -> None:
    """Raise ManagingNotPermitted unless the user may manage the reseller's accounts."""
    if not may_manage:
        raise ManagingNotPermitted


class ReferenceTaken(AccountRefused):
    """Another account of the reseller has the reference."""

    code = "reference_taken"
    answer = "reference"


class SimilarAccountsExist(AccountRefused):
    """Accounts have the same name, but for accents and capitals, and the user has not said that this is meant."""

    code = "similar_accounts_exist"
    answer = "name"

    def __init__(self, accounts: Sequence[Account]) -> None:
        super().__init__(_("There is an account of this name already. Look whether it is the one you mean."))
        self.accounts = accounts


def create_account(
    *,
    by: User,
    may_manage: bool,
    name: str,
    reference: str,
    package: Package | None,
    tier: str,
    confirmed_name: str = "",
) -> Account:
    """Add an account to the user's reseller.

    A name that another account has needs to be given as `confirmed_name` too. Raises AccountRefused.
    """
    reseller = by.reseller
    check_may_manage(may_manage)
    if reseller is None:
        raise ManagingNotPermitted
    with refusals_recorded(ReferenceTaken, by=by):
        _check_reference(reseller, reference)
        _check_name(reseller, name, confirmed_name=confirmed_name)
        try:
            with transaction.atomic():
                account = Account.objects.create(
                    reseller=reseller, name=name, reference=reference, package=package, tier=tier
                )
                record(Act.ADDED, by=by, on=account)
        except IntegrityError:
            _check_reference(reseller, reference)  # somebody else was quicker
            raise
    return account


def edit_account(
    account: Account, *, by: User, may_manage: bool, name: str, package: Package | None, confirmed_name: str = ""
) -> Account:
    """Give the account another name or package; what it holds stays as it is.

    A new name that another account has needs to be given as `confirmed_name` too. Raises AccountRefused.
    """
    check_may_manage(may_manage)
    if fold(name) != fold(account.name):
        _check_name(account.reseller, name, confirmed_name=confirmed_name)
    account.name = name
    account.package = package
    with transaction.atomic():
        account.save(update_fields=["name", "package", "search_text"])
        record(Act.CHANGED, by=by, on=account, detail="name, package")
    return account


def make_account_paid(account: Account, *, by: User, may_manage: bool) -> None:
    """Turn a trial account into a paid one; one that is paid stays so. Raises ManagingNotPermitted."""
    check_may_manage(may_manage)
    with transaction.atomic():
        if Account.objects.filter(pk=account.pk).exclude(tier=Account.Tier.PAID).update(tier=Account.Tier.PAID):
            record(Act.CHANGED, by=by, on=account, detail="tier")


def similar_accounts(reseller: Reseller, name: str) -> list[Account]:
    """The reseller's accounts whose name is the same as folded text."""
    folded = fold(name)
    named_alike = Account.objects.filter(reseller=reseller, search_text__startswith=f"{folded} ")
    return [account for account in named_alike.order_by("reference") if fold(account.name) == folded]


def _check_reference(reseller: Reseller, reference: str) -> None:
    if holder := Account.objects.filter(reseller=reseller, reference=reference).first():
        raise ReferenceTaken(
            _("%(account)s has this reference already. Choose another one, or use that account.") % {"account": holder}
        )


def _check_name(reseller: Reseller, name: str, *, confirmed_name: str) -> None:
    similar = similar_accounts(reseller, name)
    if similar and fold(confirmed_name) != fold(name):
        raise SimilarAccountsExist(similar)
