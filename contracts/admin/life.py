"""The steps of a contract's life as buttons, each with a page that asks for the reason, and as actions of the list."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.requests import operator_of
from audit.refusals import BUSY, record_refusal
from contracts.admin.page import ContractPages
from contracts.forms import ReasonForm
from contracts.models import Contract
from contracts.services.life import Act, LifeRefused, missing_to_sell, next_acts, perform
from guard.locks import is_about_locks
from text.amounts import count_text

AT_ONCE = 200
"""The most contracts that one action of the list takes a step with."""

_EFFECTS: dict[Act, Promise] = {
    Act.ACTIVATE: _("From now on its buyers see the contract and can buy under it, within its period."),
    Act.SUSPEND: _("From now on nobody can buy under the contract, until it is resumed. What was bought stays."),
    Act.RESUME: _("From now on its buyers can buy under the contract again, within its period."),
    Act.CLOSE: _(
        "From now on nobody can buy under the contract, and nothing in it can be changed. "
        "This cannot be undone. What was bought stays."
    ),
}
_DONE: dict[Act, Promise] = {
    Act.ACTIVATE: _("%(contract)s is active now."),
    Act.SUSPEND: _("%(contract)s is suspended now."),
    Act.RESUME: _("%(contract)s is active again."),
    Act.CLOSE: _("%(contract)s is closed now."),
}


class LifePages(ContractPages):
    actions = ("activate_selected", "suspend_selected", "resume_selected", "close_selected")

    def get_urls(self) -> list[URLPattern]:
        steps = [
            path(
                f"<int:pk>/{act}/",
                self.admin_site.admin_view(partial(self.life_view, act=act)),
                name=f"contracts_contract_{act}",
            )
            for act in Act
        ]
        return [*steps, *super().get_urls()]

    def life_view(self, request: HttpRequest, pk: int, *, act: Act) -> HttpResponse:
        """Say what the step does, ask why, and take it."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        return self._or_collision(request, lambda: self._take_step(request, pk, act))

    def _take_step(self, request: HttpRequest, pk: int, act: Act) -> HttpResponse:
        contract = self.contract_to_show(pk)
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            if refusal := self.try_step(request, contract, act, reason=form.cleaned_data["reason"]):
                self.message_user(request, str(refusal), messages.ERROR)
            return redirect("admin:contracts_contract_change", pk)
        if act not in next_acts(contract.status):
            self.message_user(request, _not_now(contract), messages.WARNING)
            return redirect("admin:contracts_contract_change", pk)
        return self.page(
            request,
            "life.html",
            contract,
            title=gettext("%(act)s: %(contract)s") % {"act": act.label, "contract": contract.number},
            form=form,
            act=act,
            effects=[_EFFECTS[act], *self.effects_on_orders(contract)],
            missing=missing_to_sell(contract) if act.leads_to == Contract.Status.ACTIVE else [],
        )

    def try_step(self, request: HttpRequest, contract: Contract, act: Act, *, reason: str) -> LifeRefused | None:
        """Take the step and say so; the refusal, if it is refused."""
        try:
            perform(act, contract, by=operator_of(request), reason=reason)
        except LifeRefused as refusal:
            return refusal
        self.log_recorded_change(request, contract, f"{act.label}. {reason}")
        self.message_user(request, _DONE[act] % {"contract": contract.number}, messages.SUCCESS)
        return None

    @admin.action(permissions=["change"], description=_("Activate the selected contracts"))
    def activate_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return self._take_steps(request, queryset, Act.ACTIVATE)

    @admin.action(permissions=["change"], description=_("Suspend the selected contracts"))
    def suspend_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return self._take_steps(request, queryset, Act.SUSPEND)

    @admin.action(permissions=["change"], description=_("Resume the selected contracts"))
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return self._take_steps(request, queryset, Act.RESUME)

    @admin.action(permissions=["change"], description=_("Close the selected contracts"))
    def close_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return self._take_steps(request, queryset, Act.CLOSE)

    def _take_steps(self, request: HttpRequest, queryset: QuerySet[Any], act: Act) -> HttpResponse | None:
        """The step with each of the contracts, in a transaction of its own: one that is refused stops no other."""
        chosen: list[Contract] = list(queryset.select_related("reseller").order_by("number")[: AT_ONCE + 1])
        if len(chosen) > AT_ONCE:
            too_many = gettext("More than %(limit)s contracts are selected. Select fewer; nothing was done.")
            self.message_user(request, too_many % {"limit": count_text(AT_ONCE)}, messages.ERROR)
            return None
        form = ReasonForm(request.POST if "post" in request.POST else None)
        if not form.is_valid():
            able = [contract for contract in chosen if act in next_acts(contract.status)]
            return self.page(
                request,
                "life_of_many.html",
                None,
                title=str(act.label),
                form=form,
                act=act,
                effects=[_EFFECTS[act]],
                able=able,
                unable=[contract for contract in chosen if contract not in able],
                action=f"{act}_selected",
                action_checkbox_name=ACTION_CHECKBOX_NAME,
            )
        self._take_steps_with(request, chosen, act, reason=form.cleaned_data["reason"])
        return None

    def _take_steps_with(self, request: HttpRequest, contracts: list[Contract], act: Act, *, reason: str) -> None:
        done, refused = 0, []
        for contract in contracts:
            try:
                perform(act, contract, by=operator_of(request), reason=reason)
            except LifeRefused as refusal:
                refused.append(str(refusal))
            except OperationalError as error:
                if not is_about_locks(error):
                    raise
                record_refusal(BUSY, by=operator_of(request), on=contract)
                refused.append(
                    gettext("Contract %(contract)s was in use for too long. Try again with it.")
                    % {"contract": contract.number}
                )
            else:
                done += 1
                self.log_recorded_change(request, contract, f"{act.label}. {reason}")
        if done:
            words = ngettext("%(act)s: done with %(count)s contract.", "%(act)s: done with %(count)s contracts.", done)
            self.message_user(request, words % {"act": act.label, "count": count_text(done)}, messages.SUCCESS)
        if refused:
            words = ngettext("Refused for %(count)s contract.", "Refused for %(count)s contracts.", len(refused))
            told = [words % {"count": count_text(len(refused))}, *refused[:_TOLD]]
            self.message_user(request, " ".join(told), messages.ERROR)


_TOLD = 5
"""How many refusals are told in full: messages travel in a cookie."""


def _not_now(contract: Contract) -> str:
    return gettext("Contract %(contract)s has the status “%(status)s”, so this is no possible step.") % {
        "contract": contract.number,
        "status": contract.get_status_display(),
    }
