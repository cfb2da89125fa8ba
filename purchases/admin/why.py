"""The page that answers why somebody cannot buy, by the very rules of buying."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.admin.sites import AdminSite
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from contracts.admin.choices import RowOfResellerSelect
from contracts.admin.page import ContractPages
from contracts.models import Contract
from desk.forms import RowSelect
from products.models import Product
from purchases.models import PurchaseDraft
from purchases.services import rules
from purchases.services.diagnosis import Diagnosis, diagnose
from purchases.services.rules import PurchaseRefused
from text.keys import may_be_key


class WhyForm(forms.Form):
    """Whom and what the question is about. It is sent as an address: it asks and changes nothing."""

    user = forms.ModelChoiceField(label=capfirst(_("user")), queryset=User.objects.select_related("reseller"))
    contract = forms.ModelChoiceField(
        label=capfirst(_("contract")), queryset=Contract.objects.select_related("reseller")
    )
    account = forms.ModelChoiceField(
        label=capfirst(_("account")), queryset=Account.objects.select_related("package"), required=False
    )
    product = forms.ModelChoiceField(label=capfirst(_("product")), queryset=Product.objects.all(), required=False)

    def __init__(self, asked: Any, *, site: AdminSite, reseller: int | None) -> None:
        super().__init__(asked)
        for name, field in self.fields.items():
            source = PurchaseDraft._meta.get_field(name)
            if name == "product" or reseller is None:
                select = RowSelect(source, site)
            else:
                select = RowOfResellerSelect(source, site)
                select.reseller = reseller
            select.is_required = field.required
            select.choices = field.widget.choices
            field.widget = select


@dataclass(frozen=True)
class Place:
    """Where something can be changed."""

    words: Promise
    address: str


@dataclass(frozen=True)
class Answer:
    """One rule that says no: its sentence, as the buyer reads it, and where to change what it is about."""

    sentence: str
    place: Place


class WhyPage(ContractPages):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.why_view)
        return [path("why/", view, name="contracts_contract_why"), *super().get_urls()]

    def why_view(self, request: HttpRequest) -> HttpResponse:
        """Ask whom and what it is about, and answer at each step of the wizard."""
        if not all(_may_view(self.admin_site, model, request) for model in (Contract, User, Account, Product)):
            raise PermissionDenied
        asked = {name: value for name in WhyForm.base_fields if (value := request.GET.get(name, ""))}
        form = WhyForm(asked or None, site=self.admin_site, reseller=_reseller_asked_about(asked))
        if "user" in asked and "contract" in asked and form.is_valid():
            return self._why_page(request, form, _diagnosis(form), form.cleaned_data)
        if form.is_bound:
            for name in ("user", "contract"):
                if name not in asked:
                    form.errors.pop(name, None)  # it was not asked for yet
        return self._why_page(request, form, None, {})

    def _why_page(
        self, request: HttpRequest, form: WhyForm, diagnosis: Diagnosis | None, about: dict[str, Any]
    ) -> HttpResponse:
        findings = [
            (
                finding.step.label,
                None if finding.refusals is None else [_answer(refusal, about) for refusal in finding.refusals],
            )
            for finding in (diagnosis.findings if diagnosis else ())
        ]
        return self.page(
            request,
            "why.html",
            None,
            title=gettext("Why can't they buy?"),
            form=form,
            diagnosis=diagnosis,
            findings=findings,
            about=about,
        )


def _diagnosis(form: WhyForm) -> Diagnosis:
    chosen = form.cleaned_data
    contract: Contract = chosen["contract"]
    return diagnose(
        buyer=chosen["user"],
        contract=contract,
        account=chosen["account"],
        product=chosen["product"],
        on=contract.reseller.today(),
    )


def _answer(refusal: PurchaseRefused, about: dict[str, Any]) -> Answer:
    return Answer(str(refusal), _place_of(refusal, about))


def _place_of(refusal: PurchaseRefused, about: dict[str, Any]) -> Place:
    """Where the operator changes what the rule is about."""
    user, contract = about["user"], about["contract"]
    account, product = about["account"], about["product"]
    match refusal:
        case rules.PermissionMissing():
            return _place_of_permission(user, contract)
        case rules.AccountBoundElsewhere():
            named = f"{reverse('admin:contracts_contract_changelist')}?exclusive_accounts__id__exact={account.pk}"
            return Place(_("The contracts that name the account"), named)
        case rules.AccountNotActive() | rules.AccountOnTrial() | rules.PackageMismatch():
            return Place(_("The account"), _page_of(account))
        case rules.AccountNotServed() if account.reseller_id != contract.reseller_id:
            return Place(_("The account"), _page_of(account))
        case rules.AccountNotServed():
            return Place(_("The contract's exclusive accounts"), f"{_page_of(contract)}#id_exclusive_accounts")
        case rules.ProductNotActive():
            return Place(_("The product"), _page_of(product))
        case rules.ProductNotInContract() | rules.QuantityNotAllowed():
            return Place(_("The contract's price list"), f"{_page_of(contract)}#contract_products-group")
        case _:
            return Place(_("The contract"), _page_of(contract))


def _place_of_permission(user: User, contract: Contract) -> Place:
    if user.reseller is not None and not user.reseller.is_active:
        return Place(_("The reseller"), _page_of(user.reseller))
    if user.is_staff or not user.is_active or user.reseller_id != contract.reseller_id:
        return Place(_("The user"), _page_of(user))
    return Place(_("The contract's grants"), f"{_page_of(contract)}#grants-group")


def _page_of(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def _may_view(site: AdminSite, model: Any, request: HttpRequest) -> bool:
    return site.get_model_admin(model).has_view_permission(request)


def _reseller_asked_about(asked: dict[str, str]) -> int | None:
    """The reseller of the contract or the user, to offer only what belongs to it."""
    for name, model in (("contract", Contract), ("user", User)):
        if may_be_key(key := asked.get(name, "")):
            reseller: int | None = model._default_manager.filter(pk=key).values_list("reseller", flat=True).first()
            if reseller is not None:
                return reseller
    return None
