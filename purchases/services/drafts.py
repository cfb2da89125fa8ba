"""The wizard's state: opening a draft, answering its questions one by one, and giving it up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Account, User
from audit.refusals import record_refusal, refusals_recorded
from contracts.models import Contract
from contracts.services.permission import may_create_any_licenses
from products.models import Product
from purchases.models import Fulfilment, PurchaseDraft, Purpose
from purchases.services.busy import refused_when_busy
from purchases.services.facts import AnswerMissing, PurchaseFacts
from purchases.services.rules import PermissionMissing, PurchaseRefused
from purchases.services.steps import Step, next_unanswered, questions_of


@dataclass(frozen=True)
class Cleared:
    """An answer that had to go because an earlier one changed, and the sentence that says why."""

    step: Step
    reason: str


@dataclass(frozen=True)
class Answered:
    """Where the wizard goes on after an answer, and which later answers it cost."""

    next_step: Step
    cleared: tuple[Cleared, ...]


def open_draft(
    *,
    buyer: User,
    purpose: Purpose = Purpose.BUY,
    contract: Contract | None = None,
    account: Account | None = None,
    product: Product | None = None,
) -> PurchaseDraft:
    """Start a wizard, perhaps with answers, which are judged like those that were typed. A move uses stock.

    Raises PermissionMissing if the buyer may create licenses under no contract at all, or PortalBusy.
    """
    reseller = buyer.reseller
    with refusals_recorded(PurchaseRefused, by=buyer), refused_when_busy():
        if reseller is None or not may_create_any_licenses(buyer):
            raise PermissionMissing(
                _("You may look, but not create licenses under any contract. Ask your operator for the permission.")
            )
        return PurchaseDraft.objects.create(
            user=buyer,
            reseller=reseller,
            purpose=purpose,
            contract=contract,
            account=account,
            product=product,
            fulfilment=Fulfilment.STOCK if purpose is Purpose.MOVE else None,
        )


@dataclass(frozen=True)
class OpenDraft:
    """A draft that one can go on with, and the step at which it stands as far as it tells itself."""

    draft: PurchaseDraft
    step: Step


def open_drafts_of(user: User, *, limit: int) -> list[OpenDraft]:
    """The user's drafts that were not bought, the last changed first."""
    drafts = PurchaseDraft.objects.visible_to(user).unbought().select_related("contract", "account", "product")
    return [OpenDraft(draft, next_unanswered(draft)) for draft in drafts.order_by("-updated_at", "pk")[:limit]]


def delete_draft(draft: PurchaseDraft) -> None:
    """Give up a draft. One that was bought, or is being bought, stays: its address leads to the purchase.

    Raises PortalBusy if that takes too long.
    """
    same = PurchaseDraft.objects.filter(pk=draft.pk)
    recorded = refusals_recorded(PurchaseRefused, by=draft.user, on=draft)
    with recorded, refused_when_busy(), transaction.atomic():
        if same.select_for_update().first() is not None:
            same.unbought().delete()


def choose_contract(facts: PurchaseFacts, contract: Contract) -> Answered:
    """Answer the first question. Raises PurchaseRefused if rule 1 or 2 says no.

    Of the other answers, those that the contract does not go with are cleared (rule 3).
    """
    return _answer(facts, Step.CONTRACT, contract=contract)


def choose_account(facts: PurchaseFacts, account: Account) -> Answered:
    """Answer the second question. Raises PurchaseRefused if rule 4, or an earlier one, says no."""
    return _answer(facts, Step.ACCOUNT, account=account)


def choose_product(facts: PurchaseFacts, product: Product) -> Answered:
    """Answer the third question. Raises PurchaseRefused if rule 3 or 5, or an earlier one, says no."""
    return _answer(facts, Step.PRODUCT, product=product)


def choose_quantity(facts: PurchaseFacts, quantity: int, *, note: str, po_number: str) -> Answered:
    """Answer how many, with the order note and the PO number.

    Raises PurchaseRefused if rule 6 or 7, or an earlier one, says no.
    """
    return _answer(facts, Step.QUANTITY, quantity=quantity, note=note, po_number=po_number)


def choose_fulfilment(facts: PurchaseFacts, fulfilment: Fulfilment) -> Answered:
    """Answer whether to use stock. Raises PurchaseRefused if rule 8, or an earlier one, says no."""
    return _answer(facts, Step.STOCK, fulfilment=fulfilment)


def check_turn(facts: PurchaseFacts, step: Step) -> None:
    """Raise PurchaseRefused, and record it, if an answer to the step is refused because of an earlier question."""
    with refusals_recorded(PurchaseRefused, by=facts.buyer, on=facts.draft):
        facts.check_until(step)


def refuse_answers(facts: PurchaseFacts, codes: Sequence[str]) -> None:
    """Record that rules refused answers which a form had judged one by one, to show all that is wrong with them."""
    if codes:
        record_refusal(", ".join(codes), by=facts.buyer, on=facts.draft)


def _answer(facts: PurchaseFacts, step: Step, **answers: Any) -> Answered:
    """Save the answers to the question of the step, unless a rule refuses them.

    It takes no lock: a draft commits nobody to anything, and buying judges every answer again.
    """
    with refusals_recorded(PurchaseRefused, by=facts.buyer, on=facts.draft):
        return _answer_unrecorded(facts, step, **answers)


def _answer_unrecorded(facts: PurchaseFacts, step: Step, **answers: Any) -> Answered:
    draft = facts.draft
    before = {name: getattr(draft, name) for name in answers}
    source = (draft.contract_id, draft.product_id)
    facts.answer(step, **answers)
    try:
        facts.check_until(step)
        facts.check(step)
    except PurchaseRefused:
        facts.answer(step, **before)
        raise
    cleared = list(_clear_refused(facts, after=step))
    if draft.fulfilment is not None and (draft.contract_id, draft.product_id) != source:
        facts.answer(Step.STOCK, fulfilment=None)  # it was about other stock
        if draft.product_id is None or facts.lots:
            cleared.append(Cleared(Step.STOCK, _("Choose anew where the licenses shall come from.")))
    with refused_when_busy():
        draft.save(force_update=True)
    next_step, _refusal = facts.first_open_step()
    return Answered(next_step, tuple(cleared))


def _clear_refused(facts: PurchaseFacts, *, after: Step) -> Iterator[Cleared]:
    """Clear each later answer that a rule now refuses. What only lacks a PO number keeps its quantity."""
    questions = questions_of(facts.draft)
    for step in questions[questions.index(after) + 1 :]:
        try:
            facts.check(step)
        except AnswerMissing:
            continue
        except PurchaseRefused as refusal:
            if refusal.answer == step.answer:
                facts.answer(step, **{step.answer: None})
            yield Cleared(step, str(refusal))
