"""The page that makes the contract of the next period."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext

from accounts.requests import operator_of
from contracts.admin.page import ContractPages
from contracts.forms import DuplicateForm
from contracts.services.duplicate import duplicate, next_period, suggest_number


class DuplicatePage(ContractPages):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.duplicate_view)
        return [path("<int:pk>/duplicate/", view, name="contracts_contract_duplicate"), *super().get_urls()]

    def duplicate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for number and period, copy the contract, and go to the new one."""
        if not self.has_add_permission(request) or not self.has_view_permission(request):
            raise PermissionDenied
        return self._or_collision(request, lambda: self._duplicate(request, pk))

    def _duplicate(self, request: HttpRequest, pk: int) -> HttpResponse:
        contract = self.contract_to_show(pk)
        following = next_period(contract)
        suggested = {
            "number": suggest_number(contract),
            "starts_on": following and following.starts_on,
            "ends_on": following and following.ends_on,
        }
        form = DuplicateForm(request.POST or None, initial=suggested)
        if request.method == "POST" and form.is_valid():
            try:
                copy = duplicate(contract, **form.cleaned_data, by=operator_of(request))
            except ValidationError as refusal:
                _put_at_fields(form, refusal)
            else:
                self.log_recorded_addition(
                    request, copy, gettext("Duplicated from %(contract)s.") % {"contract": contract}
                )
                told = gettext("%(copy)s was made from %(contract)s as a draft. Look through it, and activate it.")
                self.message_user(request, told % {"copy": copy.number, "contract": contract.number}, messages.SUCCESS)
                return redirect("admin:contracts_contract_change", copy.pk)
        return self.page(
            request,
            "duplicate.html",
            contract,
            title=gettext("Duplicate %(contract)s for the next period") % {"contract": contract.number},
            form=form,
            products=contract.contract_products.count(),
            grants=contract.grants.count(),
            accounts=contract.exclusive_accounts.count(),
        )


def _put_at_fields(form: DuplicateForm, refusal: ValidationError) -> None:
    """Show what a record refuses where it was typed; what was not typed here stands above the form."""
    for field, messages_of_field in refusal.message_dict.items():
        form.add_error(field if field in form.fields else None, messages_of_field)
