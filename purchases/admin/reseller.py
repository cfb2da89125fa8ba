"""The list of resellers, which is narrowed here to those who can buy nothing."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Reseller
from contracts.admin import ResellerWithGrantsAdmin
from purchases.services.overview import without_active_contract


class ActiveContractFilter(admin.SimpleListFilter):
    """Whether anything can be bought under any contract of the reseller, on the server's day."""

    title = _("active contract")
    parameter_name = "active_contract"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Has one")), ("no", _("Has none"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Reseller]:
        without = without_active_contract(queryset, on=timezone.localdate())
        if self.value() == "no":
            return without
        return queryset.exclude(pk__in=without.order_by().values("pk")) if self.value() == "yes" else queryset


admin.site.unregister(Reseller)


@admin.register(Reseller)
class ResellerOnTheMarketAdmin(ResellerWithGrantsAdmin):
    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [ActiveContractFilter, *super().get_list_filter(request)]
