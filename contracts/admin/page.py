"""What the pages beside a contract's own have in common."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse

from contracts.models import Contract
from desk.forms import form_frame
from desk.pages import OperatorAdmin


class ContractPages(OperatorAdmin[Contract]):
    """A page of a contract that is no list and no edit form."""

    def contract_to_show(self, pk: int) -> Contract:
        """The contract with its reseller, not held. Raises Http404."""
        return get_object_or_404(Contract.objects.select_related("reseller"), pk=pk)

    def page(
        self,
        request: HttpRequest,
        template: str,
        contract: Contract | None,
        *,
        title: str,
        form: forms.Form,
        status: int = 200,
        **context: Any,
    ) -> HttpResponse:
        """The page with a form, in the frame of the admin."""
        frame = {
            **self.admin_site.each_context(request),
            "title": title,
            "subtitle": None if contract is None else str(contract),
            "opts": self.opts,
            "original": contract,
            "has_view_permission": self.has_view_permission(request, contract),
            **form_frame(form),
            "media": self.media + form.media,
            "preserved_filters": self.get_preserved_filters(request),
        }
        return TemplateResponse(request, f"admin/contracts/contract/{template}", {**frame, **context}, status=status)

    def effects_on_orders(self, contract: Contract) -> list[str]:
        """What a change means for orders that were begun, a sentence each. This app knows of none."""
        return []
