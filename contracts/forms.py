"""Forms for contracts, their products and their grants."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminDateWidget, AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from contracts.models import Contract, ContractGrant, ContractProduct
from contracts.services.checks import (
    check_exclusive_accounts,
    check_grant,
    check_maximum_quantity,
    check_new_reseller,
    check_unit_price,
)
from contracts.services.life import next_acts
from contracts.services.prices import NewPrice, by_percentage, to_list
from desk.forms import FixedReferenceForm, check_field
from desk.history import REASON_LENGTH
from text.cleaning import UnreadableText, clean_text
from text.form_fields import PlainTextField


class ReasonField(PlainTextField):
    """Why something is done."""

    def __init__(self, *, required: bool = True) -> None:
        super().__init__(
            label=_("Reason"),
            help_text=_("It stays in the history, for your colleagues."),
            required=required,
            is_one_line=True,
            max_length=REASON_LENGTH,
            widget=AdminTextInputWidget,
            error_messages={"required": _("Say why: the reason stays in the contract's history.")},
        )


class ReasonForm(forms.Form):
    """What is asked where the rest is clear."""

    reason = ReasonField()


class ContractForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """The contract's terms.

    Its status is not written with them. `wanted_status` says which one was chosen, if it is another than the
    page showed.
    """

    status = forms.ChoiceField(
        label=capfirst(_("status")),
        required=False,
        show_hidden_initial=True,
        help_text=_("The next step is taken after everything on this page is saved."),
    )
    reason = ReasonField(required=False)

    class Meta:
        model = Contract
        fields = (
            "reseller",
            "number",
            "title",
            "status",
            "starts_on",
            "ends_on",
            "currency",
            "term_months",
            "end_rule",
            "billing",
            "minimum_quantity",
            "requires_po_number",
            "stock_life_months",
            "conditions",
            "exclusive_accounts",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted_status: Contract.Status | None = None
        if isinstance(status := self.fields.get("status"), forms.ChoiceField):
            self._status_shown = self._shown_status()
            reachable = [act.leads_to for act in next_acts(self.instance.status)]
            offered = dict.fromkeys([Contract.Status(self.instance.status), self._status_shown, *reachable])
            status.choices = [(each.value, each.label) for each in offered]

    def _shown_status(self) -> Contract.Status:
        """The status when the page was opened: what is sent unchanged asks for no step, whatever happened meanwhile."""
        shown = self.data.get(self.add_initial_prefix("status"))
        return Contract.Status(shown if shown in Contract.Status.values else self.instance.status)

    def clean_conditions(self) -> str:
        """With single line ends: otherwise saving the page would change the conditions that a buyer has read."""
        try:
            return clean_text(self.cleaned_data["conditions"])
        except UnreadableText:
            raise ValidationError(
                _("The conditions hold characters that cannot be shown. Type them anew instead of pasting them.")
            ) from None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        chosen = cleaned.pop("status", "")  # taken out, so that it is not written with the terms
        if chosen and chosen != self._status_shown:
            self.wanted_status = Contract.Status(chosen)
        if reseller := cleaned.get("reseller"):
            named = cleaned.get("exclusive_accounts", [])
            check_field(self, "exclusive_accounts", check_exclusive_accounts, reseller, named)
            if self.instance.pk is not None and "reseller" in self.changed_data:
                check_field(self, "reseller", check_new_reseller, self.instance, reseller)
        return cleaned


class ContractProductForm(FixedReferenceForm):
    """One line of a contract's price list."""

    fixed = "product"

    class Meta:
        model = ContractProduct
        fields = ("contract", "product", "unit_price", "maximum_quantity", "is_active")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        contract = cleaned.get("contract")
        if contract is not None and "unit_price" in cleaned:
            check_field(self, "unit_price", check_unit_price, contract, cleaned["unit_price"])
        if contract is not None and "maximum_quantity" in cleaned:
            check_field(self, "maximum_quantity", check_maximum_quantity, contract, cleaned["maximum_quantity"])
        return cleaned


class ContractGrantForm(FixedReferenceForm):
    """One user's permission under a contract."""

    fixed = "user"

    class Meta:
        model = ContractGrant
        fields = ("contract", "user", "can_create_licenses")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        contract, user = cleaned.get("contract"), cleaned.get("user")
        if contract is not None and user is not None and contract.reseller_id is not None:
            check_field(self, "user", check_grant, contract, user)
        return cleaned


class DuplicateForm(forms.Form):
    """What differs in the contract of the next period."""

    number = PlainTextField(
        label=capfirst(_("number")),
        required=True,
        is_one_line=True,
        max_length=40,
        widget=AdminTextInputWidget,
    )
    starts_on = forms.DateField(label=capfirst(_("starts on")), widget=AdminDateWidget)
    ends_on = forms.DateField(
        label=capfirst(_("ends on")),
        required=False,
        help_text=_("The last day. Empty: the contract is open-ended."),
        widget=AdminDateWidget,
    )


class PriceChangeForm(forms.Form):
    """Which prices are changed and how. A new price is asked for each line of the contract."""

    class Way(models.TextChoices):
        PERCENTAGE = "percentage", _("By a percentage")
        LIST = "list", _("To the prices typed below")

    way = forms.ChoiceField(label=_("How"), choices=Way, widget=forms.RadioSelect, initial=Way.PERCENTAGE)
    percentage = forms.DecimalField(
        label=_("Percentage"),
        required=False,
        min_value=Decimal("-99.99"),
        max_value=Decimal(1000),
        max_digits=6,
        decimal_places=2,
        help_text=_("5 raises the chosen prices by 5 percent, -5 lowers them. Results are rounded half up."),
        widget=forms.NumberInput(attrs={"step": "0.01"}),
    )
    products = forms.TypedMultipleChoiceField(
        label=_("Products"),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one product.")},
    )
    reason = ReasonField()
    fingerprint = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, sent: Any, *, lines: Sequence[ContractProduct]) -> None:
        super().__init__(sent, initial={"products": [line.pk for line in lines]})
        self.lines = lines
        products = self.fields["products"]
        assert isinstance(products, forms.TypedMultipleChoiceField)  # noqa: S101 - the class above says so, the type checker forgets it
        products.choices = [(line.pk, str(line.product)) for line in lines]
        for line in lines:
            label = _("New price of %(product)s") % {"product": line.product}
            self.fields[f"price_{line.pk}"] = forms.DecimalField(
                label=label,
                required=False,
                min_value=0,
                max_digits=12,
                decimal_places=2,
                widget=forms.NumberInput(attrs={"step": "0.01", "aria-label": label}),
            )

    def rows(self) -> Iterator[tuple[ContractProduct, forms.BoundField, bool]]:
        """Each line with the field of its new price, and whether it is chosen."""
        chosen = {str(key) for key in self["products"].value() or ()}
        for line in self.lines:
            yield line, self[f"price_{line.pk}"], str(line.pk) in chosen

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("way") == self.Way.PERCENTAGE and "percentage" in cleaned and not cleaned["percentage"]:
            self.add_error("percentage", _("Enter by how many percent the prices change."))
        if cleaned.get("way") == self.Way.LIST:
            for key in cleaned.get("products", ()):
                if cleaned.get(f"price_{key}", "refused") is None:
                    self.add_error(f"price_{key}", _("Enter the new price, or take the product out."))
        return cleaned

    def new_price(self) -> NewPrice:
        """How a line's new price follows from what was sent, once that is valid."""
        if self.cleaned_data["way"] == self.Way.PERCENTAGE:
            return by_percentage(self.cleaned_data["percentage"])
        return to_list({key: self.cleaned_data[f"price_{key}"] for key in self.cleaned_data["products"]})
