"""Purchases, licenses and drafts in the admin: to read, never to edit."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Reseller
from contracts.models import Contract
from desk.pages import NUL, ReadOnlyAdmin
from products.models import Product
from purchases.models import Export, License, LicenseState, Purchase, PurchaseDraft
from purchases.services.stock_audit import audit
from purchases.wording import terms_in_words
from stock.admin import StockLotAdmin
from stock.models import StockLot
from text.amounts import money_text


@admin.register(Purchase)
class PurchaseAdmin(ReadOnlyAdmin[Purchase]):
    list_display = (
        "number",
        "reseller",
        "account",
        "product",
        "quantity",
        "price",
        "placed_at",
        "placed_by",
        "contract",
        "kind",
    )
    list_filter = ("kind", "placed_at")
    list_select_related = ("reseller", "contract", "account", "product", "placed_by")
    search_fields = ("number",)
    search_help_text = _("Number, PO number, reseller, contract, account or product.")
    sortable_by = ("number",)  # what an index keeps in order
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": ("number", "kind", "reseller", "contract", "account", "product")}),
        (_("Quantity and price"), {"fields": ("quantity", "from_stock", "price_of_one", "price")}),
        (_("Order"), {"fields": ("po_number", "note", "placed_by", "placed_at", "agreed_terms", "draft_id")}),
        (_("Licenses"), {"fields": ("license_list",)}),
    )
    readonly_fields = ("price_of_one", "price", "agreed_terms", "license_list")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Purchase], bool]:
        words = search_term.replace(NUL, "").split()
        for word in words:
            queryset = queryset.filter(Q(number=word.upper()) | Q(po_number=word) | _about(word))
        return queryset, False

    @admin.display(description=_("unit price"))
    def price_of_one(self, purchase: Purchase) -> str:
        return money_text(purchase.unit_price, purchase.currency)

    @admin.display(description=_("total"))
    def price(self, purchase: Purchase) -> str:
        return money_text(purchase.total, purchase.currency)

    @admin.display(description=_("terms"))
    def agreed_terms(self, purchase: Purchase) -> SafeString:
        return format_html_join("", "<div>{}: {}</div>", terms_in_words(purchase.terms))

    @admin.display(description=_("licenses"))
    def license_list(self, purchase: Purchase) -> SafeString:
        address = reverse("admin:purchases_license_changelist")
        return format_html(
            '<a href="{}?purchase__id__exact={}">{}</a>', address, purchase.pk, _("The licenses of this purchase")
        )


class StateFilter(admin.SimpleListFilter):
    """The states as the license tabs know them, on the server's day."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return LicenseState.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[License]) -> QuerySet[License]:
        chosen = self.value()
        if chosen is None or chosen not in LicenseState.values:
            return queryset
        return queryset & License.objects.in_state(LicenseState(chosen), on=timezone.localdate())


@admin.register(License)
class LicenseAdmin(ReadOnlyAdmin[License]):
    list_display = ("key", "reseller", "account", "product", "contract", "purchase", "starts_on", "ends_on", "state")
    list_filter = (StateFilter,)
    list_select_related = ("reseller", "account", "product", "contract", "purchase")
    search_fields = ("key",)
    search_help_text = _("Key, purchase number, reseller, contract, account or product.")
    sortable_by = ("key",)  # what an index keeps in order
    ordering = ("-pk",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[License], bool]:
        for word in search_term.replace(NUL, "").split():
            bought = Purchase.objects.filter(number=word.upper())
            queryset = queryset.filter(Q(key=word.upper()) | Q(purchase__in=bought) | _about(word))
        return queryset, False

    @admin.display(description=_("state"))
    def state(self, license: License) -> str:
        return str(license.state(on=timezone.localdate()).label)


@admin.register(PurchaseDraft)
class PurchaseDraftAdmin(ReadOnlyAdmin[PurchaseDraft]):
    list_display = ("id", "user", "reseller", "contract", "account", "product", "quantity", "updated_at")
    list_filter = ("updated_at",)
    list_select_related = ("user", "reseller", "contract", "account", "product")
    search_fields = ("user__email", "reseller__name", "contract__search_text", "account__search_text")


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin[Export]):
    list_display = ("started_at", "reseller", "exported_by", "content", "kind", "rows", "finished_at", "filters")
    list_filter = ("content", "kind", "started_at")
    list_select_related = ("reseller", "exported_by")
    search_fields = ("exported_by__email", "reseller__name")
    ordering = ("-pk",)


admin.site.unregister(StockLot)


@admin.register(StockLot)
class AuditedStockLotAdmin(StockLotAdmin):
    """The lot's page, which knows of licenses here: the app of stock does not."""

    def differences_of(self, lot: StockLot) -> list[str]:
        [(_pk, differences)] = audit(StockLot.objects.filter(pk=lot.pk))
        return differences


def _about(word: str) -> Q:
    """Rows of a reseller, contract, account or product that the word names.

    Subqueries instead of joins: they are looked up once, in small tables, however many rows are searched.
    """
    return (
        Q(reseller__in=Reseller.objects.filter(name__icontains=word))
        | Q(contract__in=Contract.objects.matching(word))
        | Q(account__in=Account.objects.matching(word))
        | Q(product__in=Product.objects.matching(word))
    )
