"""The grants of a reseller on one page: its users down, its contracts across."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext

from accounts.admin import ResellerAdmin
from accounts.models import Reseller, User
from accounts.requests import operator_of
from contracts.forms import ReasonField
from contracts.models import Contract, ContractGrant
from contracts.services.grants import Cell, GrantsChangedMeanwhile, save_grants
from contracts.services.life import ContractClosed
from desk.pages import NUL
from text.amounts import count_text

USERS_SHOWN = 25
CONTRACTS_SHOWN = 10
RIGHTS = tuple(f"contracts.{way}_contractgrant" for way in ("add", "change", "delete"))


class _CellsField(forms.Field):
    """Cells as "contract-user", the way the boxes of the page carry them."""

    def to_python(self, value: Any) -> frozenset[Cell]:
        try:
            pairs = [str(written).split("-") for written in value or ()]
            return frozenset((int(contract[:18]), int(user[:18])) for contract, user in pairs)
        except ValueError:
            raise ValidationError(gettext("The page was sent in pieces. Load it again.")) from None


class GrantsForm(forms.Form):
    """The boxes that were ticked when the page was made, those that are ticked now, and why."""

    seen = _CellsField(required=False, widget=forms.MultipleHiddenInput)
    grant = _CellsField(required=False, widget=forms.CheckboxSelectMultiple)
    reason = ReasonField(required=False)


@dataclass(frozen=True)
class Box:
    """A cell of the matrix: whether it is ticked, whether it is so stored, whether somebody else changed it."""

    cell: Cell
    contract: Contract
    is_ticked: bool
    is_stored: bool
    is_changed_meanwhile: bool

    @property
    def key(self) -> str:
        return "-".join(map(str, self.cell))


admin.site.unregister(Reseller)


@admin.register(Reseller)
class ResellerWithGrantsAdmin(ResellerAdmin):
    """The reseller's page, which knows of contracts here: the app of accounts does not."""

    change_form_template = "admin/contracts/reseller/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.grants_view)
        return [path("<int:pk>/grants/", view, name="accounts_reseller_grants"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**(extra_context or {}), "may_view_grants": _may_view(request)}
        return super().change_view(request, object_id, form_url, context)

    def grants_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show who may create licenses under which contract, and save what was ticked."""
        if not _may_view(request) or (request.method == "POST" and not _may_change(request)):
            raise PermissionDenied
        reseller = get_object_or_404(Reseller, pk=pk)
        if request.method != "POST":
            return self._matrix_page(request, reseller, GrantsForm())
        return self._or_collision(request, lambda: self._save_grants(request, reseller))

    def _save_grants(self, request: HttpRequest, reseller: Reseller) -> HttpResponse:
        form = GrantsForm(request.POST)
        if not form.is_valid():
            return self._matrix_page(request, reseller, form, status=422)
        seen, wanted = form.cleaned_data["seen"], form.cleaned_data["grant"]
        reason = form.cleaned_data["reason"]
        try:
            saved = save_grants(reseller, seen=seen, wanted=wanted, by=operator_of(request), reason=reason)
        except GrantsChangedMeanwhile as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return self._matrix_page(request, reseller, form, meanwhile=refusal.cells, wanted=wanted, status=409)
        except (ContractClosed, ValidationError) as refusal:
            told = " ".join(refusal.messages) if isinstance(refusal, ValidationError) else str(refusal)
            self.message_user(request, told, messages.ERROR)
            return redirect(request.get_full_path())
        counts = {"given": count_text(saved.given), "taken": count_text(saved.taken)}
        told = gettext("Grants were saved: %(given)s given, %(taken)s taken away.") % counts
        if saved.given or saved.taken:
            self.log_recorded_change(request, reseller, f"{told} {reason}".strip())
        self.message_user(request, told, messages.SUCCESS)
        return redirect(request.get_full_path())

    def _matrix_page(
        self,
        request: HttpRequest,
        reseller: Reseller,
        form: GrantsForm,
        *,
        meanwhile: Collection[Cell] = (),
        wanted: Collection[Cell] | None = None,
        status: int = 200,
    ) -> HttpResponse:
        users, contracts = _users_page(request.GET, reseller), _contracts_page(request.GET, reseller)
        grants = ContractGrant.objects.filter(
            contract__in=list(contracts), user__in=list(users), can_create_licenses=True
        )
        stored = frozenset(grants.values_list("contract", "user"))
        ticked = stored if wanted is None else frozenset(wanted)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Grants: %(reseller)s") % {"reseller": reseller},
            "subtitle": None,
            "opts": self.opts,
            "original": reseller,
            "form": form,
            "users": users,
            "contracts": contracts,
            "rows": list(_rows(users, contracts, ticked=ticked, stored=stored, meanwhile=meanwhile)),
            "user_query": request.GET.get("users", ""),
            "contract_query": request.GET.get("contracts", ""),
            "may_change": _may_change(request),
        }
        return TemplateResponse(request, "admin/contracts/reseller/grants.html", context, status=status)


def _rows(
    users: Sequence[User] | Page[User],
    contracts: Sequence[Contract] | Page[Contract],
    *,
    ticked: Collection[Cell],
    stored: Collection[Cell],
    meanwhile: Collection[Cell],
) -> Iterator[tuple[User, list[Box]]]:
    for user in users:
        cells = [(contract, (contract.pk, user.pk)) for contract in contracts]
        yield (
            user,
            [Box(cell, contract, cell in ticked, cell in stored, cell in meanwhile) for contract, cell in cells],
        )


def _users_page(asked: QueryDict, reseller: Reseller) -> Page[User]:
    found = reseller.users.order_by("email")
    if query := asked.get("users", "").replace(NUL, "").strip():
        found = found.filter(email__icontains=query) | found.filter(full_name__icontains=query)
    return Paginator(found, USERS_SHOWN).get_page(asked.get("users_page"))


def _contracts_page(asked: QueryDict, reseller: Reseller) -> Page[Contract]:
    """The contracts but the closed ones, in which nothing changes any more."""
    found = reseller.contracts.exclude(status=Contract.Status.CLOSED).order_by("number")
    if query := asked.get("contracts", "").replace(NUL, "").strip():
        found = found.matching(query)
    return Paginator(found, CONTRACTS_SHOWN).get_page(asked.get("contracts_page"))


def _may_view(request: HttpRequest) -> bool:
    return request.user.has_perms(["contracts.view_contract", "contracts.view_contractgrant", "accounts.view_user"])


def _may_change(request: HttpRequest) -> bool:
    return request.user.has_perms(RIGHTS)
