"""A contract's life: draft → active → suspended ⇄ active → closed, one named act a step."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import ClassVar

from django.db import transaction
from django.db.models import Exists
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from audit import models as audit
from audit.refusals import refusals_recorded
from audit.services import record
from contracts.models import Contract, ContractGrant, ContractProduct, EndRule
from desk.history import recorded_as
from text.amounts import day_text


class LifeRefused(Exception):
    """The contract stays as it is, and nothing was written. Its text is a sentence that tells the next move."""

    code: ClassVar[str]


class StepNotAllowed(LifeRefused):
    """The contract's status does not allow this step."""

    code = "step_not_allowed"


class ContractClosed(LifeRefused):
    """The contract is closed, and nothing in it changes any more."""

    code = "contract_closed"


class ReasonMissing(LifeRefused):
    """Why it is done was not said."""

    code = "reason_missing"


class ContractCannotSell(LifeRefused):
    """Under the contract nobody could buy anything. `missing` has a sentence for each thing that is missing."""

    code = "contract_cannot_sell"

    def __init__(self, contract: Contract, missing: Sequence[str]) -> None:
        self.missing = tuple(missing)
        words = _("Nobody could buy under contract %(contract)s yet.") % {"contract": contract.number}
        super().__init__(" ".join([words, *missing]))


class Act(StrEnum):
    """A step of a contract's life. Its value is the word in the page's address."""

    ACTIVATE = "activate"
    SUSPEND = "suspend"
    RESUME = "resume"
    CLOSE = "close"

    @property
    def label(self) -> Promise:
        return _LABELS[self]

    @property
    def starts_from(self) -> tuple[Contract.Status, ...]:
        return _STEPS[self][0]

    @property
    def leads_to(self) -> Contract.Status:
        return _STEPS[self][1]


_STEPS: dict[Act, tuple[tuple[Contract.Status, ...], Contract.Status]] = {
    Act.ACTIVATE: ((Contract.Status.DRAFT,), Contract.Status.ACTIVE),
    Act.SUSPEND: ((Contract.Status.ACTIVE,), Contract.Status.SUSPENDED),
    Act.RESUME: ((Contract.Status.SUSPENDED,), Contract.Status.ACTIVE),
    Act.CLOSE: ((Contract.Status.ACTIVE, Contract.Status.SUSPENDED), Contract.Status.CLOSED),
}
_LABELS: dict[Act, Promise] = {
    Act.ACTIVATE: gettext_lazy("Activate"),
    Act.SUSPEND: gettext_lazy("Suspend"),
    Act.RESUME: gettext_lazy("Resume"),
    Act.CLOSE: gettext_lazy("Close the contract"),
}


def next_acts(status: str) -> list[Act]:
    """What can be done next with a contract of that status; nothing with a closed one."""
    return [act for act in Act if status in act.starts_from]


def act_between(status: str, wanted: str) -> Act | None:
    """The act that leads from one status to the other in one step, if any does."""
    return next((act for act in next_acts(status) if act.leads_to == wanted), None)


def activate(contract: Contract, *, by: User, reason: str) -> Contract:
    """Let licenses be bought under a draft.

    Raises StepNotAllowed, ReasonMissing, or ContractCannotSell with everything that is missing.
    """
    return perform(Act.ACTIVATE, contract, by=by, reason=reason)


def suspend(contract: Contract, *, by: User, reason: str) -> Contract:
    """Let nobody buy until the contract is resumed. What was bought stays. Raises StepNotAllowed or ReasonMissing."""
    return perform(Act.SUSPEND, contract, by=by, reason=reason)


def resume(contract: Contract, *, by: User, reason: str) -> Contract:
    """Let licenses be bought again under a suspended contract. Raises what `activate` raises."""
    return perform(Act.RESUME, contract, by=by, reason=reason)


def close(contract: Contract, *, by: User, reason: str) -> Contract:
    """End buying and editing for good. What was bought stays. Raises StepNotAllowed or ReasonMissing."""
    return perform(Act.CLOSE, contract, by=by, reason=reason)


def perform(act: Act, contract: Contract, *, by: User, reason: str) -> Contract:
    """Take the step under the lock that buying takes, so that a purchase is written before it or refused after it.

    The history keeps who, when and why. Raises LifeRefused; then nothing was written.
    """
    with refusals_recorded(LifeRefused, by=by, on=contract):
        return _perform(act, contract, by=by, reason=reason)


def _perform(act: Act, contract: Contract, *, by: User, reason: str) -> Contract:
    if not reason.strip():
        raise ReasonMissing(_("Say why: the reason stays in the contract's history."))
    with transaction.atomic():
        held = Contract.objects.locked(contract.pk)
        if held.status not in act.starts_from:
            raise _not_allowed(held)
        if act.leads_to == Contract.Status.ACTIVE and (missing := missing_to_sell(held)):
            raise ContractCannotSell(held, missing)
        held.status = act.leads_to
        with recorded_as(by=by, reason=reason.strip()):
            held.save(update_fields=["status"])
        record(audit.Act.STATUS_CHANGED, by=by, on=held, detail=str(act))
    return held


def check_editable(contract: Contract) -> None:
    """Raise ContractClosed if nothing in the contract may change any more."""
    if contract.status == Contract.Status.CLOSED:
        raise ContractClosed(
            _(
                "Contract %(contract)s is closed, so nothing in it was changed. "
                "Duplicate it if it shall go on under a new number."
            )
            % {"contract": contract.number}
        )


def missing_to_sell(contract: Contract, *, on: date | None = None) -> list[str]:
    """What keeps everybody from buying under the contract once it is active, a sentence each with the next move.

    Nothing is missing if a product is on sale at a price, an active user of the active reseller may create
    licenses, and the contract is not over on the day (today, unless given). It may begin later.
    """
    lines = ContractProduct.objects.filter(contract=contract).order_by()
    grants = ContractGrant.objects.filter(contract=contract, can_create_licenses=True)
    buyers = grants.filter(user__is_active=True, user__is_staff=False, user__reseller=contract.reseller_id)
    has_line, is_on_sale, has_price, has_buyer = (
        Contract.objects.filter(pk=contract.pk)
        .values_list(
            Exists(lines),
            Exists(lines.on_sale()),
            Exists(lines.on_sale().filter(unit_price__gt=0)),
            Exists(buyers.order_by()),
        )
        .get()
    )
    reseller = contract.reseller
    missing = []
    if not has_line:
        missing.append(_("It has no product. Add one with its price to the price list."))
    elif not is_on_sale:
        missing.append(_("None of its products is on sale. Switch one on in the price list, or add another."))
    elif not has_price:
        missing.append(_("Every product on sale costs nothing. Give at least one a price."))
    if not reseller.is_active:
        missing.append(_("%(reseller)s is not active. Make the reseller active first.") % {"reseller": reseller})
    if not has_buyer:
        missing.append(
            _("No active user may create licenses under it. Add a grant for a user of %(reseller)s.")
            % {"reseller": reseller}
        )
    return [*missing, *_missing_dates(contract, on=on or reseller.today())]


def _missing_dates(contract: Contract, *, on: date) -> list[str]:
    if contract.ends_on is not None and contract.ends_on < on:
        return [
            _("It ended on %(day)s. Give it a later last day, or duplicate it for the next period.")
            % {"day": day_text(contract.ends_on)}
        ]
    if contract.ends_on is None and contract.end_rule == EndRule.CONTRACT_END:
        return [_("Its licenses end with it, and it has no last day. Give it one, or choose another rule.")]
    return []


def _not_allowed(contract: Contract) -> LifeRefused:
    if contract.status == Contract.Status.CLOSED:
        try:
            check_editable(contract)
        except ContractClosed as closed:
            return closed
    return StepNotAllowed(
        _("Contract %(contract)s has the status “%(status)s”, so nothing was done. Possible now: %(possible)s.")
        % {
            "contract": contract.number,
            "status": contract.get_status_display(),
            "possible": ", ".join(f"“{other.label}”" for other in next_acts(contract.status)),
        }
    )
