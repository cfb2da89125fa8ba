"""Packages and products in the admin."""

from django.contrib import admin

from desk.pages import OperatorAdmin
from products.models import Package, Product


@admin.register(Package)
class PackageAdmin(OperatorAdmin[Package]):
    list_display = ("name", "code")
    search_fields = ("name", "code")


@admin.register(Product)
class ProductAdmin(OperatorAdmin[Product]):
    list_display = ("sku", "name", "kind", "package", "is_active")
    list_filter = ("is_active", "kind", "package")
    list_select_related = ("package",)
    search_fields = ("search_text",)
    autocomplete_fields = ("package",)
