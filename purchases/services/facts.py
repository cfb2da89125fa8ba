"""The rows that a purchase is computed from, and the rules held against them in the order of the steps."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _

from accounts.models import Account, User
from contracts.models import Contract, ContractGrant, ContractProduct
from contracts.services.permission import locked_grant
from contracts.services.serving import Serving, serving_of, with_serving
from products.models import Product
from purchases.models import Fulfilment, License, PurchaseDraft, Purpose
from purchases.services import rules
from purchases.services.parts import Part, split
from purchases.services.rules import PurchaseRefused
from purchases.services.steps import Step, questions_of
from stock.models import StockLot


class AnswerMissing(PurchaseRefused):
    """A question of the wizard is not answered yet."""

    code = "answer_missing"

    def __init__(self, step: Step) -> None:
        super().__init__(_("This order is not complete yet. Answer the open question first."))
        self.answer = step.answer


@dataclass(frozen=True)
class Held:
    """So many licenses that an account has of a product and that end on the same day."""

    ends_on: date
    quantity: int


class PurchaseFacts:
    """What is true now of a draft's choices. Each row is read once, when it is first asked for.

    With `locked`, inside a transaction, what must not change before the purchase is written is held until
    its end. Locks are taken in one order: draft, contract, grant, contract product, lots by primary key;
    who asks for the facts takes the draft's lock first, and `check_until` the others.
    """

    def __init__(self, draft: PurchaseDraft, *, buyer: User, on: date, locked: bool = False) -> None:
        self.draft = draft
        self.on = on
        self.locked = locked
        self._buyer = buyer

    @cached_property
    def buyer(self) -> User:
        if not self.locked:
            return self._buyer
        if self.grant is not None:
            return self.grant.user
        return User.objects.select_related("reseller").get(pk=self._buyer.pk)

    @cached_property
    def contract(self) -> Contract:
        if self.draft.contract_id is None:
            raise AnswerMissing(Step.CONTRACT)
        if self.locked:
            return Contract.objects.locked(self.draft.contract_id)
        contract = self.draft.contract
        assert contract is not None  # noqa: S101 - the type checker does not know that the key says so
        return contract

    @property
    def is_for_stock(self) -> bool:
        """Whether the licenses shall go into stock, and so to no account yet."""
        return self.draft.purpose == Purpose.STOCK_UP

    @property
    def moved_product(self) -> Product | None:
        """The product that shall be moved from stock, where that was settled before the account."""
        if self.draft.purpose != Purpose.MOVE or self.draft.product_id is None:
            return None
        return self.product

    @cached_property
    def grant(self) -> ContractGrant | None:
        """The buyer's permission to create licenses under the contract."""
        if self.locked:
            return locked_grant(self.contract, self._buyer)
        return self.contract.grants.filter(user=self._buyer, can_create_licenses=True).order_by().first()

    @cached_property
    def account(self) -> Account:
        """The account, with how contracts name it."""
        if self.draft.account_id is None:
            raise AnswerMissing(Step.ACCOUNT)
        accounts = with_serving(Account.objects.select_related("package"), self.contract, on=self.on)
        return accounts.get(pk=self.draft.account_id)

    @property
    def serving(self) -> Serving:
        return serving_of(self.account)

    @cached_property
    def line(self) -> ContractProduct | None:
        """The contract's line of the product, on sale or not; None if it has none."""
        if self.draft.product_id is None:
            raise AnswerMissing(Step.PRODUCT)
        lines = ContractProduct.objects.filter(contract=self.contract, product=self.draft.product_id)
        if self.locked:
            lines = lines.select_for_update(no_key=True, of=("self",))
        return lines.select_related("product__package").first()

    @cached_property
    def product(self) -> Product:
        if self.line is not None:
            return self.line.product
        product = self.draft.product
        assert product is not None  # noqa: S101 - the line was looked up by its key
        return product

    @property
    def line_on_sale(self) -> ContractProduct:
        """The contract's line of the product, which the rules have found to be there."""
        line = self.line
        assert line is not None  # noqa: S101 - see check_product
        return line

    @cached_property
    def lots(self) -> list[StockLot]:
        """The suitable lots in the order in which they are used."""
        suitable = StockLot.objects.suitable(contract=self.contract, product=self.product, on=self.on)
        if self.locked:
            return sorted(suitable.locked(), key=lambda lot: (lot.use_by, lot.received_at, lot.pk))
        return list(suitable.in_order_of_use())

    @property
    def available(self) -> int:
        """How many licenses lie in suitable stock."""
        return sum(lot.remaining for lot in self.lots)

    @property
    def quantity(self) -> int:
        if self.draft.quantity is None:
            raise AnswerMissing(Step.QUANTITY)
        return self.draft.quantity

    @property
    def fulfilment(self) -> Fulfilment | None:
        """The stock choice. It is made for the buyer where only a new purchase is possible (rule 8)."""
        if self.is_for_stock:
            return Fulfilment.NEW
        if self.draft.fulfilment is not None:
            return Fulfilment(self.draft.fulfilment)
        return None if self.lots else Fulfilment.NEW

    @property
    def chosen_fulfilment(self) -> Fulfilment:
        if self.fulfilment is None:
            raise AnswerMissing(Step.STOCK)
        return self.fulfilment

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """From where the licenses come with this stock choice, and how long they last; none go into stock."""
        if self.is_for_stock:
            return ()
        return split(self.quantity, self.chosen_fulfilment, contract=self.contract, lots=self.lots, on=self.on)

    @property
    def has_stock_step(self) -> bool:
        """Whether there is, or was, something to choose between: what was chosen is never changed silently."""
        if self.is_for_stock:
            return False
        return bool(self.lots) or self.draft.fulfilment in (Fulfilment.STOCK, Fulfilment.STOCK_THEN_NEW)

    @cached_property
    def held(self) -> tuple[Held, ...]:
        """What the account has of the product and is not over, by end date (rule 13)."""
        if self.is_for_stock:
            return ()
        licenses = License.objects.valid().filter(account=self.account, product=self.product, ends_on__gte=self.on)
        by_end = licenses.values_list("ends_on").annotate(Count("pk")).order_by("ends_on")
        return tuple(Held(ends_on, quantity) for ends_on, quantity in by_end)

    @property
    def held_quantity(self) -> int:
        return sum(group.quantity for group in self.held)

    def check(self, step: Step) -> None:
        """Raise PurchaseRefused if the answer at the step is missing, or not or no longer allowed."""
        for check in _CHECKS[step]:
            check(self)

    def refusals(self, step: Step) -> list[PurchaseRefused]:
        """Everything that the rules have against the answer at the step. A check that lacks an answer says nothing."""
        refused = []
        for check in _CHECKS[step]:
            try:
                check(self)
            except AnswerMissing:
                continue
            except PurchaseRefused as refusal:
                refused.append(refusal)
        return refused

    def check_until(self, step: Step) -> None:
        """The same for every step before the one."""
        for question in questions_of(self.draft):
            if question is step:
                return
            self.check(question)

    def first_open_step(self) -> tuple[Step, PurchaseRefused | None]:
        """The first step whose answer is missing or refused, and the refusal; the preview if there is none."""
        for question in questions_of(self.draft):
            try:
                self.check(question)
            except AnswerMissing:
                return question, None
            except PurchaseRefused as refusal:
                return question, refusal
        return Step.PREVIEW, None

    def answer(self, step: Step, **answers: Any) -> None:
        """Put answers into the draft, unsaved, and forget what was read because of the earlier ones."""
        for name, value in answers.items():
            setattr(self.draft, name, value)
        for name in _READ_SINCE[step]:
            self.__dict__.pop(name, None)


def _check_contract_active(facts: PurchaseFacts) -> None:
    rules.check_contract_active(facts.contract, on=facts.on)


def _check_permission(facts: PurchaseFacts) -> None:
    rules.check_permission(facts.contract, buyer=facts.buyer, is_granted=facts.grant is not None)


def _check_account(facts: PurchaseFacts) -> None:
    rules.check_account(facts.contract, facts.account, facts.serving)


def _check_moved_product(facts: PurchaseFacts) -> None:
    if facts.moved_product is not None:
        rules.check_account_fits(facts.account, facts.moved_product)


def _check_product(facts: PurchaseFacts) -> None:
    rules.check_product(facts.contract, facts.product, facts.line)


def _check_package(facts: PurchaseFacts) -> None:
    if not facts.is_for_stock:
        rules.check_package(facts.product, facts.account)


def _check_quantity(facts: PurchaseFacts) -> None:
    rules.check_quantity(facts.quantity, facts.contract, facts.line_on_sale)


def _check_order(facts: PurchaseFacts) -> None:
    rules.check_po_number(facts.draft.po_number, facts.contract)
    rules.check_note(facts.draft.note)


def _check_stock(facts: PurchaseFacts) -> None:
    rules.check_fulfilment(facts.chosen_fulfilment, facts.quantity, available=facts.available)
    facts.parts  # noqa: B018 - raises if a license would have no end (rule 9)


_READ_SINCE = {
    Step.CONTRACT: ("contract", "grant", "account", "line", "product", "lots", "parts", "held"),
    Step.ACCOUNT: ("account", "held"),
    Step.PRODUCT: ("line", "product", "lots", "parts", "held"),
    Step.QUANTITY: ("parts",),
    Step.STOCK: ("parts",),
}
"""What hangs on the answer at a step."""

_CHECKS: dict[Step, tuple[Callable[[PurchaseFacts], None], ...]] = {
    Step.CONTRACT: (_check_contract_active, _check_permission),
    Step.ACCOUNT: (_check_account, _check_moved_product),
    Step.PRODUCT: (_check_product, _check_package),
    Step.QUANTITY: (_check_quantity, _check_order),
    Step.STOCK: (_check_stock,),
}
