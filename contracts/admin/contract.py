"""Contracts with their products and grants in the admin."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db import connection, models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.requests import operator_of
from audit.models import Act
from audit.refusals import record_refusal
from audit.services import record
from contracts.admin.choices import ChoicePages, RowOfResellerSelect, RowsOfResellerSelect
from contracts.admin.duplicate import DuplicatePage
from contracts.admin.life import LifePages
from contracts.admin.prices import PricesPage
from contracts.forms import ContractForm, ContractGrantForm, ContractProductForm
from contracts.models import Contract, ContractGrant, ContractProduct
from contracts.services.life import (
    ContractClosed,
    StepNotAllowed,
    act_between,
    check_editable,
    missing_to_sell,
    next_acts,
)
from desk.history import recorded_as
from desk.pages import Lines
from text.keys import may_be_key


class LinesOfContract[Child: models.Model](Lines[Child]):
    """Lines that are as fixed as their contract once it is closed."""

    def has_add_permission(self, request: HttpRequest, obj: Contract | None = None) -> bool:
        return _is_open(obj) and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Contract | None = None) -> bool:
        return _is_open(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Contract | None = None) -> bool:
        return _is_open(obj) and super().has_delete_permission(request, obj)


class ContractProductLines(LinesOfContract[ContractProduct]):
    model = ContractProduct
    form = ContractProductForm
    fields = ("product", "unit_price", "maximum_quantity", "is_active")
    autocomplete_fields = ("product",)
    verbose_name_plural = _("price list")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ContractProduct]:
        return ContractProduct.objects.select_related("contract", "product").order_by("product__name", "pk")


class ContractGrantLines(LinesOfContract[ContractGrant]):
    model = ContractGrant
    form = ContractGrantForm
    fields = ("user", "can_create_licenses")
    autocomplete_fields = ("user",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ContractGrant]:
        return ContractGrant.objects.select_related("contract", "user").order_by("user__email", "pk")

    def get_formset(self, request: HttpRequest, obj: Contract | None = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        select = formset.form.base_fields["user"].widget if "user" in formset.form.base_fields else None
        _narrow(select, _reseller_on_page(request, obj))
        return formset

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            kwargs["widget"] = RowOfResellerSelect(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(Contract)
class ContractAdmin(LifePages, DuplicatePage, PricesPage, ChoicePages):
    form = ContractForm
    inlines = (ContractProductLines, ContractGrantLines)
    list_display = ("number", "title", "reseller", "status", "starts_on", "ends_on", "currency")
    list_filter = ("status", "end_rule", "billing", "requires_po_number")
    list_select_related = ("reseller",)
    search_fields = ("search_text", "reseller__name")
    autocomplete_fields = ("reseller", "exclusive_accounts")
    fieldsets = (
        (None, {"fields": ("reseller", ("number", "title"))}),
        (_("Period"), {"fields": (("starts_on", "ends_on"),)}),
        (_("Licenses"), {"fields": (("term_months", "end_rule", "stock_life_months"),)}),
        (
            _("Buying"),
            {"fields": (("currency", "billing", "minimum_quantity"), "requires_po_number", "conditions")},
        ),
        (_("Accounts"), {"fields": ("exclusive_accounts",), "classes": ("after-lines",)}),
        (_("Status and reason"), {"fields": ("status", "reason"), "classes": ("after-lines",)}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Contract | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return fieldsets[:-1]  # who reads is shown the status above, and gives no reason

    def get_form(self, request: HttpRequest, obj: Contract | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if (accounts := form.base_fields.get("exclusive_accounts")) is not None:
            _narrow(accounts.widget, _reseller_on_page(request, obj))
        return form

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "exclusive_accounts":
            kwargs["widget"] = RowsOfResellerSelect(db_field, self.admin_site)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Contract | None = None) -> bool:
        return _is_open(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Contract | None = None) -> bool:
        return _is_open(obj) and super().has_delete_permission(request, obj)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Contract | None:
        """The contract; held first where the page writes, as buying does, so that neither sees half of the other.

        Raises ContractClosed where somebody who may change contracts writes to one that is closed.
        """
        contract = super().get_object(request, object_id, from_field)
        if contract is not None and request.method == "POST" and connection.in_atomic_block:
            contract = Contract.objects.select_for_update(no_key=True).filter(pk=contract.pk).first()
            if contract is not None and self.has_change_permission(request):
                check_editable(contract)
        return contract

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ContractClosed as refusal:
            record_refusal(refusal.code, by=operator_of(request), on=self.row_named(object_id))
            self.message_user(request, str(refusal), messages.ERROR)
            return redirect(request.get_full_path())

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except ContractClosed as refusal:
            record_refusal(refusal.code, by=operator_of(request), on=self.row_named(object_id))
            self.message_user(request, str(refusal), messages.ERROR)
            return redirect("admin:contracts_contract_change", object_id)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Contract | None = None,
    ) -> HttpResponse:
        if obj is not None:
            context |= self.facts_of(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def facts_of(self, request: HttpRequest, contract: Contract) -> dict[str, Any]:
        """What the contract's page shows besides the form."""
        is_shown_missing = contract.status != Contract.Status.CLOSED
        return {
            "acts": [
                (act.label, reverse(f"admin:contracts_contract_{act}", args=[contract.pk]))
                for act in next_acts(contract.status)
                if self.has_change_permission(request, contract)
            ],
            "missing": missing_to_sell(contract) if is_shown_missing else [],
            "effects": self.effects_on_orders(contract),
            "may_add": self.has_add_permission(request),
        }

    def save_model(self, request: HttpRequest, obj: Contract, form: ContractForm, change: Any) -> None:
        with recorded_as(reason=form.cleaned_data.get("reason", "")):
            super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: ContractForm, formsets: Any, change: Any) -> None:
        """Save the lines, and then take the step that was chosen: it is judged by what is saved now."""
        with recorded_as(reason=form.cleaned_data.get("reason", "")):
            super().save_related(request, form, formsets, change)
        contract: Contract = form.instance
        if grants := _grants_changed(formsets):
            record(Act.GRANTS_CHANGED, by=operator_of(request), on=contract, detail=grants)
        was = contract.status
        if form.wanted_status is not None and form.wanted_status != was:
            self._take_chosen_step(request, contract, form)
        if contract.status == was and "status" in form.changed_data:
            form.changed_data.remove("status")

    def log_change(self, request: HttpRequest, obj: Contract, message: Any) -> Any:
        """Record the change, but for what is an act of its own and has recorded itself: grants, and the status."""
        if message and isinstance(message, list) and all(map(_has_recorded_itself, message)):
            return self.log_recorded_change(request, obj, message)
        return super().log_change(request, obj, message)

    def _take_chosen_step(self, request: HttpRequest, contract: Contract, form: ContractForm) -> None:
        act = act_between(contract.status, str(form.wanted_status))
        if act is None:
            record_refusal(StepNotAllowed.code, by=operator_of(request), on=contract)
            refused = gettext("Contract %(contract)s has the status “%(status)s” meanwhile, which was left as it is.")
            words = {"contract": contract.number, "status": contract.get_status_display()}
            self.message_user(request, refused % words, messages.WARNING)
            return
        reason = form.cleaned_data["reason"] or gettext("Chosen on the contract's page, without a reason.")
        if refusal := self.try_step(request, contract, act, reason=reason):
            kept = gettext("Everything else was saved; the status is still “%(status)s”.")
            words = {"status": contract.get_status_display()}
            self.message_user(request, f"{refusal} {kept % words}", messages.ERROR)
        else:
            contract.status = act.leads_to

    def response_post_save_add(self, request: HttpRequest, obj: Contract) -> HttpResponseRedirect:
        return self._to_what_is_missing(request, obj) or super().response_post_save_add(request, obj)

    def response_post_save_change(self, request: HttpRequest, obj: Contract) -> HttpResponseRedirect:
        return self._to_what_is_missing(request, obj) or super().response_post_save_change(request, obj)

    def _to_what_is_missing(self, request: HttpRequest, contract: Contract) -> HttpResponseRedirect | None:
        """The contract's page, where the status that was chosen could not be reached."""
        if request.POST.get("status", contract.status) == contract.status:
            return None
        return redirect("admin:contracts_contract_change", contract.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            chosen = Contract.objects.filter(pk__in=queryset.values("pk"))
            held = [contract.pk for contract in chosen.select_for_update(no_key=True).order_by("pk")]
            super().delete_queryset(request, Contract.objects.filter(pk__in=held))


def _is_open(contract: Contract | None) -> bool:
    return contract is None or contract.status != Contract.Status.CLOSED


def _grants_changed(formsets: Iterable[Any]) -> str:
    """How many grants were given, taken and changed on the page; empty if none."""
    for lines in formsets:
        if lines.model is ContractGrant and lines.has_changed():
            counts = {"+": lines.new_objects, "-": lines.deleted_objects, "~": lines.changed_objects}
            return " ".join(f"{sign}{len(rows)}" for sign, rows in counts.items() if rows or sign != "~")
    return ""


def _has_recorded_itself(part: dict[str, dict[str, Any]]) -> bool:
    """Whether the part of an admin's message, which names kinds and fields in no language, is about such an act."""
    with translation.override(None):
        grant, status = str(ContractGrant._meta.verbose_name), str(ContractForm.base_fields["status"].label)
    return all(about.get("name") == grant or about.get("fields") == [status] for about in part.values())


def _narrow(widget: Any, reseller: int | None) -> None:
    """Let a searched choice offer what the reseller has. Django wraps it where a row could be added beside it."""
    select = getattr(widget, "widget", widget)
    if isinstance(select, RowOfResellerSelect | RowsOfResellerSelect):
        select.reseller = reseller


def _reseller_on_page(request: HttpRequest, contract: Contract | None) -> int | None:
    """The reseller that the form names, as it was sent, opened, or stored."""
    for named in (request.POST.get("reseller", ""), request.GET.get("reseller", "")):
        if named and may_be_key(named):
            return int(named)
    return None if contract is None else contract.reseller_id
