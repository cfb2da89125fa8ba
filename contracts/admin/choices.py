"""Searched choices that offer only what belongs to one reseller: the server narrows them."""

from typing import Any

from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from accounts.models import Account, User
from contracts.admin.page import ContractPages
from desk.forms import RowSelect, RowsSelect

_NOBODY = 0


class ChoicesOfReseller(AutocompleteJsonView):
    """Users or accounts of one reseller, searched as the admin searches them."""

    reseller: int = _NOBODY

    def process_request(self, request: HttpRequest) -> Any:
        chosen: Any = super().process_request(request)
        _term, _model_admin, source_field, _to_field = chosen
        if source_field.remote_field.model not in (Account, User):
            raise PermissionDenied
        return chosen

    def get_queryset(self) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset()
        return found.filter(reseller=self.reseller)


class _OfReseller:
    """A choice narrowed to a reseller; with none, it offers nothing until the page names one."""

    reseller: int | None = None

    def get_url(self) -> str:
        return reverse("admin:contracts_contract_choices", args=[self.reseller or _NOBODY])

    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        attrs: dict[str, Any] = super().build_attrs(base_attrs, extra_attrs)  # type: ignore[misc]  # a select's
        anybodys = reverse("admin:contracts_contract_choices", args=[_NOBODY])
        return {**attrs, "data-of-reseller": anybodys.removesuffix(f"{_NOBODY}/")}


class RowOfResellerSelect(_OfReseller, RowSelect):
    """One row of the reseller."""


class RowsOfResellerSelect(_OfReseller, RowsSelect):
    """Many rows of the reseller."""


class ChoicePages(ContractPages):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.choices_view)
        return [path("choices/<int:reseller>/", view, name="contracts_contract_choices"), *super().get_urls()]

    def choices_view(self, request: HttpRequest, reseller: int) -> HttpResponse:
        """What a searched choice on a contract's page offers. Who may not see users or accounts gets none."""
        view = ChoicesOfReseller.as_view(admin_site=self.admin_site, reseller=reseller)
        return view(request)  # type: ignore[return-value]  # a view is no coroutine here
