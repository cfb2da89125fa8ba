"""The steps of the wizard, in their order."""

from collections.abc import Sequence
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from purchases.models import PurchaseDraft, Purpose


class Step(StrEnum):
    """A page of the wizard. Its value is the word in the page's address."""

    CONTRACT = "contract"
    ACCOUNT = "account"
    PRODUCT = "product"
    QUANTITY = "quantity"
    STOCK = "stock"
    PREVIEW = "preview"

    @property
    def label(self) -> Promise:
        """The chapter's name on the indicator."""
        return _LABELS[self]

    @property
    def back_label(self) -> Promise:
        """The words of a link that leads back to the step."""
        return _BACK_LABELS[self]

    @property
    def answer(self) -> str:
        """The draft's field that the step is about; the preview has none."""
        return {Step.STOCK: "fulfilment", Step.PREVIEW: ""}.get(self, self.value)

    @property
    def url_name(self) -> str:
        return f"{self.value}_step"


_LABELS: dict[Step, Promise] = {
    Step.CONTRACT: _("Contract"),
    Step.ACCOUNT: _("Account"),
    Step.PRODUCT: _("Product"),
    Step.QUANTITY: _("Quantity"),
    Step.STOCK: _("Quantity"),
    Step.PREVIEW: _("Preview"),
}

_BACK_LABELS: dict[Step, Promise] = {
    Step.CONTRACT: _("Back to the contract"),
    Step.ACCOUNT: _("Back to the account"),
    Step.PRODUCT: _("Back to the product"),
    Step.QUANTITY: _("Back to the quantity"),
    Step.STOCK: _("Back to the stock choice"),
    Step.PREVIEW: _("Back to the preview"),
}

_QUESTIONS = (Step.CONTRACT, Step.ACCOUNT, Step.PRODUCT, Step.QUANTITY, Step.STOCK)
_QUESTIONS_OF_STOCKING_UP = (Step.CONTRACT, Step.PRODUCT, Step.QUANTITY)


def questions_of(draft: PurchaseDraft) -> Sequence[Step]:
    """What has to be answered before the draft's preview, in this order. Stock has no account yet."""
    return _QUESTIONS_OF_STOCKING_UP if draft.purpose == Purpose.STOCK_UP else _QUESTIONS


def chapters_of(draft: PurchaseDraft) -> Sequence[Step]:
    """The chapters on the indicator, each named by its first page: the stock choice belongs to the quantity's."""
    return [*(step for step in questions_of(draft) if step is not Step.STOCK), Step.PREVIEW]


def chapter_number(step: Step, draft: PurchaseDraft) -> int:
    """The chapter of the step, counted from 1."""
    return chapters_of(draft).index(Step.QUANTITY if step is Step.STOCK else step) + 1


_STEPS_OF_ANSWERS = {
    "contract": Step.CONTRACT,
    "account": Step.ACCOUNT,
    "product": Step.PRODUCT,
    "quantity": Step.QUANTITY,
    "po_number": Step.QUANTITY,
    "note": Step.QUANTITY,
    "fulfilment": Step.STOCK,
}


def step_of(answer: str) -> Step:
    """The step at which the draft's field is answered."""
    return _STEPS_OF_ANSWERS[answer]


def next_unanswered(draft: PurchaseDraft) -> Step:
    """The first step without an answer, as far as the draft itself tells; the rules may yet refuse one."""
    for step in questions_of(draft):
        if step is not Step.STOCK and getattr(draft, f"{step}_id" if step is not Step.QUANTITY else step) is None:
            return step
    return Step.PREVIEW
