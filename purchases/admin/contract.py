"""The contract's page, which knows here of its stock, its purchases, and the orders that were begun."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import ngettext

from contracts.admin import ContractAdmin
from contracts.models import Contract
from purchases.admin.why import WhyPage
from purchases.models import PurchaseDraft
from purchases.services.contracts import latest_purchases_under, stock_under
from text.amounts import count_text

admin.site.unregister(Contract)


@admin.register(Contract)
class ContractOnOrdersAdmin(WhyPage, ContractAdmin):
    change_form_template = "admin/contracts/contract/change_form_with_orders.html"

    def effects_on_orders(self, contract: Contract) -> list[str]:
        drafts = PurchaseDraft.objects.filter(contract=contract).unbought().count()
        if not drafts:
            return []
        words = ngettext(
            "%(count)s open draft uses these terms; its buyer will be shown what changed.",
            "%(count)s open drafts use these terms; their buyers will be shown what changed.",
            drafts,
        )
        return [words % {"count": count_text(drafts)}]

    def facts_of(self, request: HttpRequest, contract: Contract) -> dict[str, Any]:
        return {
            **super().facts_of(request, contract),
            "stock": stock_under(contract, on=contract.reseller.today()),
            "latest_purchases": latest_purchases_under(contract),
        }
