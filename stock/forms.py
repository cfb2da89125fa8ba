"""The forms for stock that arrives or is corrected."""

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminIntegerFieldWidget, AdminTextInputWidget
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from contracts.models import EndRule
from contracts.services.checks import check_product_on_contract
from desk.forms import check_field
from stock.models import REFERENCE_LIMIT, StockLot
from stock.services.receive import check_end_rule, check_use_by
from text.form_fields import PlainTextField

ARRIVAL_LIMIT = 1_000_000
"""The most licenses of one arrival: more is a slip of the hand, and a lot cannot be taken back."""


class ArrivalForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A lot that comes in. Its reseller is the contract's, and all of it remains."""

    quantity = forms.IntegerField(
        label=capfirst(_("quantity")), min_value=1, max_value=ARRIVAL_LIMIT, widget=AdminIntegerFieldWidget
    )
    term_months = forms.IntegerField(
        label=capfirst(_("term in months")),
        min_value=1,
        max_value=120,
        required=False,
        help_text=_("Empty: the contract's."),
        widget=AdminIntegerFieldWidget,
    )
    end_rule = forms.ChoiceField(
        label=capfirst(_("licenses end")), choices=[("", _("As the contract says")), *EndRule.choices], required=False
    )

    class Meta:
        model = StockLot
        fields = ("contract", "product", "quantity", "use_by", "term_months", "end_rule")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        contract = cleaned.get("contract")
        if contract is None:
            return cleaned
        if product := cleaned.get("product"):
            check_field(self, "product", check_product_on_contract, contract, product)
        if use_by := cleaned.get("use_by"):
            check_field(self, "use_by", lambda: check_use_by(use_by, on=contract.reseller.today()))
        if "end_rule" in cleaned:
            check_field(self, "end_rule", check_end_rule, contract, cleaned["end_rule"] or contract.end_rule)
        return cleaned


class CorrectionForm(forms.Form):
    """A correction of what remains of a lot. Its fields are the arguments of `correct`."""

    change = forms.IntegerField(
        label=capfirst(_("change")),
        help_text=_("How many licenses to add, or with a minus how many to take away."),
        widget=AdminIntegerFieldWidget,
    )
    reason_text = PlainTextField(
        label=_("Reason"),
        help_text=_("It stays in the ledger, where the reseller can read it."),
        required=True,
        is_one_line=True,
        max_length=REFERENCE_LIMIT,
        widget=AdminTextInputWidget,
    )
    movements_seen = forms.IntegerField(widget=forms.HiddenInput)
    """How many movements the lot had when the form was shown: a repeat of the form has seen too few."""
