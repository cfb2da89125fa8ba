"""The page that changes many prices of a contract at once, after it has shown them old and new."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext, ngettext

from accounts.requests import operator_of
from contracts.admin.page import ContractPages
from contracts.forms import PriceChangeForm
from contracts.models import Contract
from contracts.services.life import ContractClosed, check_editable
from contracts.services.prices import PricesOutdated, PricesRefused, change_prices, fingerprint_of, plan_prices
from text.amounts import count_text


class PricesPage(ContractPages):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.prices_view)
        return [path("<int:pk>/prices/", view, name="contracts_contract_prices"), *super().get_urls()]

    def prices_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask which prices change and how, show them old and new, and write what was shown."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        return self._or_collision(request, lambda: self._change_prices(request, pk))

    def _change_prices(self, request: HttpRequest, pk: int) -> HttpResponse:
        contract = self.contract_to_show(pk)
        try:
            check_editable(contract)
        except ContractClosed as refusal:
            return self._to_contract(request, contract, str(refusal), messages.ERROR)
        lines = list(contract.contract_products.select_related("product").order_by("product__name", "pk"))
        form = PriceChangeForm(request.POST or None, lines=lines)
        if request.method != "POST" or "_back" in request.POST or not form.is_valid():
            return self._prices_page(request, contract, form)
        chosen, new_price = form.cleaned_data["products"], form.new_price()
        try:
            if "_apply" not in request.POST:
                return self._preview_page(request, contract, form)
            made = change_prices(
                contract,
                chosen,
                new_price,
                fingerprint=form.cleaned_data["fingerprint"],
                by=operator_of(request),
                reason=form.cleaned_data["reason"],
            )
        except PricesOutdated as refusal:
            return self._preview_page(request, contract, form, outdated=str(refusal))
        except ContractClosed as refusal:
            return self._to_contract(request, contract, str(refusal), messages.ERROR)
        except PricesRefused as refusal:
            form.add_error(None, str(refusal))
            return self._prices_page(request, contract, form)
        words = ngettext("%(count)s price was changed.", "%(count)s prices were changed.", len(made))
        told = words % {"count": count_text(len(made))}
        self.log_recorded_change(request, contract, f"{told} {form.cleaned_data['reason']}")
        return self._to_contract(request, contract, told, messages.SUCCESS)

    def _prices_page(self, request: HttpRequest, contract: Contract, form: PriceChangeForm) -> HttpResponse:
        title = gettext("Change prices of %(contract)s") % {"contract": contract.number}
        return self.page(request, "prices.html", contract, title=title, form=form)

    def _preview_page(
        self, request: HttpRequest, contract: Contract, form: PriceChangeForm, *, outdated: str = ""
    ) -> HttpResponse:
        """Every chosen price, old and new. Raises PricesRefused."""
        changes = plan_prices(contract, form.cleaned_data["products"], form.new_price())
        return self.page(
            request,
            "prices_preview.html",
            contract,
            title=gettext("New prices of %(contract)s") % {"contract": contract.number},
            form=form,
            status=409 if outdated else 200,
            outdated=outdated,
            changes=changes,
            changed=sum(change.is_change for change in changes),
            fingerprint=fingerprint_of(contract, changes),
            sent=[
                (name, value)
                for name, values in request.POST.lists()
                for value in values
                if name in form.fields and name != "fingerprint"
            ],
            effects=self.effects_on_orders(contract),
        )

    def _to_contract(self, request: HttpRequest, contract: Contract, words: str, level: int) -> HttpResponse:
        self.message_user(request, words, level)
        return redirect("admin:contracts_contract_change", contract.pk)
