"""What is sold: packages and products."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from desk.history import History, RecordedQuerySet
from text.fields import FoldedTextField
from text.folding import fold


class Package(models.Model):
    """The level an account is on: Starter, Professional, …"""

    name = models.CharField(_("name"), max_length=100)
    code = models.CharField(_("code"), max_length=40, unique=True)

    objects = RecordedQuerySet["Package"].as_manager()
    history = History()

    class Meta:
        verbose_name = _("package")
        verbose_name_plural = _("packages")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class ProductQuerySet(RecordedQuerySet["Product"]):
    def matching(self, query: str) -> Self:
        """Those whose SKU or name contains the query, as folded text."""
        return self.filter(search_text__contains=fold(query))


class Product(models.Model):
    """A thing licenses are sold for."""

    class Kind(models.TextChoices):
        DEVICE = "device", _("Device")
        ADDON = "addon", _("Add-on")

    sku = models.CharField(_("SKU"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.DEVICE)
    package = models.ForeignKey(
        Package,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="products",
        verbose_name=_("package"),
        help_text=_("Only accounts on this package can have the product. Empty: it fits every account."),
    )
    description = models.TextField(_("description"), blank=True)
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Products that are not active cannot be bought.")
    )
    search_text = FoldedTextField("sku", "name")

    objects = ProductQuerySet.as_manager()
    history = History(excluded=["search_text"])

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=["device", "addon"]), name="product_kind_known"),
            models.CheckConstraint(condition=~models.Q(sku=""), name="product_sku_given"),
        ]
        # The license tabs by product: PostgreSQL goes from product to product, and sorts the licenses of one.
        indexes = [models.Index(fields=["name", "id"], name="product_by_name")]

    def __str__(self) -> str:
        return f"{self.name} ({self.sku})"
