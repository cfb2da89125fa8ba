"""The questions of the wizard: they clean what was typed, and leave the rules to the services."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from contracts.models import QUANTITY_LIMIT, Contract
from products.models import Product
from purchases.models import Fulfilment
from purchases.services.facts import PurchaseFacts
from purchases.services.rules import PurchaseRefused, check_note, check_po_number, check_quantity
from text.form_fields import PlainTextField
from text.keys import may_be_key

Sent = Mapping[str, Any] | None


class StepForm(forms.Form):
    """One question of the wizard about the draft of the facts."""

    def __init__(self, sent: Sent, *, facts: PurchaseFacts) -> None:
        self.facts = facts
        super().__init__(sent, initial=self.answered())
        for name, field in self.fields.items():
            field.widget.attrs["aria-describedby"] = f"id_{name}_error"

    def answered(self) -> dict[str, Any]:
        """What the draft says already."""
        return {name: getattr(self.facts.draft, name) for name in self.base_fields}

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Put what a service refuses at its field. What is about another question is not caught."""
        try:
            yield
        except PurchaseRefused as refusal:
            if refusal.answer and refusal.answer not in self.fields:
                raise
            self.add_error(refusal.answer or None, str(refusal))


class RowField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic in the stubs only
    """One row of those that the user may name at all."""

    widget = forms.RadioSelect

    def __init__(self, queryset: QuerySet[Any], *, missing: Any, unknown: Any) -> None:
        super().__init__(queryset, error_messages={"required": missing, "invalid_choice": unknown})

    def to_python(self, value: Any) -> Any:
        if value and not may_be_key(str(value)):
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return super().to_python(value)


class ContractForm(StepForm):
    contract = RowField(
        Contract.objects.none(),
        missing=_("Choose a contract."),
        unknown=_("There is no such contract. Choose one of the list."),
    )

    def __init__(self, sent: Sent, *, facts: PurchaseFacts) -> None:
        super().__init__(sent, facts=facts)
        self.fields["contract"].queryset = Contract.objects.visible_to(facts.buyer)  # type: ignore[attr-defined]  # a RowField

    def answered(self) -> dict[str, Any]:
        return {"contract": self.facts.draft.contract_id}


class AccountForm(StepForm):
    account = RowField(
        Account.objects.none(),
        missing=_("Choose an account."),
        unknown=_("There is no such account. Choose one of the list."),
    )

    def __init__(self, sent: Sent, *, facts: PurchaseFacts) -> None:
        super().__init__(sent, facts=facts)
        self.fields["account"].queryset = Account.objects.visible_to(facts.buyer)  # type: ignore[attr-defined]  # a RowField

    def answered(self) -> dict[str, Any]:
        return {"account": self.facts.draft.account_id}


class ProductForm(StepForm):
    """The products of the operator are the same for every reseller; rule 3 says which can be bought."""

    product = RowField(
        Product.objects.all(),
        missing=_("Choose a product."),
        unknown=_("There is no such product. Choose one of the list."),
    )

    def answered(self) -> dict[str, Any]:
        return {"product": self.facts.draft.product_id}


class WholeNumberField(forms.CharField):
    """A whole number above zero in plain digits. What is typed otherwise is kept and refused, never guessed at."""

    default_error_messages = {
        "required": _("Enter how many licenses you need, like 3."),
        "no_whole_number": _("The quantity must be a whole number, like 3."),
    }

    def clean(self, value: Any) -> int:
        written = self.to_python(value) or ""
        self.validate(written)
        if not re.fullmatch("[0-9]+", written):
            raise ValidationError(self.error_messages["no_whole_number"], code="no_whole_number")
        digits = written.lstrip("0") or "0"
        too_long_to_be_allowed = len(digits) > len(str(QUANTITY_LIMIT))
        return QUANTITY_LIMIT + 1 if too_long_to_be_allowed else int(digits)


class QuantityForm(StepForm):
    quantity = WholeNumberField(
        label=_("Quantity"),
        widget=forms.TextInput(attrs={"class": "input", "inputmode": "numeric", "autocomplete": "off"}),
    )
    po_number = PlainTextField(
        label=_("PO number"),
        is_one_line=True,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    note = PlainTextField(
        label=_("Order note (optional)"), widget=forms.Textarea(attrs={"class": "textarea w-full", "rows": 3})
    )

    def __init__(self, sent: Sent, *, facts: PurchaseFacts) -> None:
        super().__init__(sent, facts=facts)
        self.refused: list[str] = []
        """The codes of what the rules refused before any service was asked."""

    @contextmanager
    def judged(self) -> Iterator[None]:
        """Put what a rule refuses at its field, and go on with the next: all that is wrong is shown at once."""
        with self.refusals():
            try:
                yield
            except PurchaseRefused as refusal:
                self.refused.append(refusal.code)
                raise

    def clean_quantity(self) -> int:
        quantity: int = self.cleaned_data["quantity"]
        with self.judged():
            check_quantity(quantity, self.facts.contract, self.facts.line_on_sale)
        return quantity

    def clean_po_number(self) -> str:
        po_number: str = self.cleaned_data["po_number"]
        with self.judged():
            check_po_number(po_number, self.facts.contract)
        return po_number

    def clean_note(self) -> str:
        note: str = self.cleaned_data["note"]
        with self.judged():
            check_note(note)
        return note


class FulfilmentForm(StepForm):
    fulfilment = forms.ChoiceField(
        choices=Fulfilment.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose where the licenses shall come from."),
            "invalid_choice": _("This is not on offer. Choose where the licenses shall come from."),
        },
    )
