"""Licenses paid for and not yet given to an account, and the ledger of how they came and went."""

from datetime import date
from typing import Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Reseller, User, reseller_of
from contracts.models import Contract, EndRule
from guard.models import KeptQuerySet, KeptRow, RowIsKept
from products.models import Product

REFERENCE_LIMIT = 200
"""The most characters of what a movement belongs to, or of the reason for a correction."""


class StockLotQuerySet(models.QuerySet["StockLot"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The lots of the user's reseller."""
        return self.filter(reseller=reseller_of(user))

    def suitable(self, *, contract: Contract, product: Product, on: date) -> Self:
        """Those that a purchase of the product under the contract may take from on the day (rule 8)."""
        return self.filter(
            reseller=contract.reseller_id, contract=contract, product=product, remaining__gt=0, use_by__gte=on
        )

    def in_stock(self, *, on: date) -> Self:
        """Those that licenses can be taken from on the day."""
        return self.filter(remaining__gt=0, use_by__gte=on)

    def over(self, *, on: date) -> Self:
        """Those that are used up, or past their use-by on the day."""
        return self.filter(Q(remaining=0) | Q(use_by__lt=on))

    def in_order_of_use(self) -> Self:
        """The soonest to be used first, then the oldest (rule 8)."""
        return self.order_by("use_by", "received_at", "pk")

    def locked(self) -> Self:
        """The lots, held until the end of the transaction, taken in the one order that cannot deadlock."""
        return self.select_for_update(no_key=True).order_by("pk")


class StockLot(models.Model):
    """Licenses of one product that came in together."""

    reseller = models.ForeignKey(
        Reseller, on_delete=models.PROTECT, related_name="stock_lots", verbose_name=_("reseller")
    )
    contract = models.ForeignKey(
        Contract, on_delete=models.PROTECT, related_name="stock_lots", verbose_name=_("contract")
    )
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="stock_lots", verbose_name=_("product"))
    quantity = models.PositiveIntegerField(_("quantity"))
    remaining = models.PositiveIntegerField(_("remaining"))
    use_by = models.DateField(_("use by"), help_text=_("The last day on which licenses can be taken."))
    term_months = models.PositiveSmallIntegerField(_("term in months"))
    end_rule = models.CharField(_("licenses end"), max_length=12, choices=EndRule)
    received_at = models.DateTimeField(_("received"))

    objects = StockLotQuerySet.as_manager()

    class Meta:
        verbose_name = _("stock lot")
        verbose_name_plural = _("stock lots")
        ordering = ["use_by", "received_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gte=1), name="stock_lot_quantity_at_least_one"),
            models.CheckConstraint(
                condition=Q(remaining__gte=0, remaining__lte=F("quantity")), name="stock_lot_remaining_within_quantity"
            ),
            models.CheckConstraint(condition=Q(term_months__range=(1, 120)), name="stock_lot_term_in_range"),
            models.CheckConstraint(
                condition=Q(end_rule__in=["anniversary", "month_end", "contract_end"]), name="stock_lot_end_rule_known"
            ),
        ]
        indexes = [
            models.Index(fields=["contract", "product", "use_by"], name="stock_lot_suitable"),
            models.Index(fields=["reseller", "use_by", "id"], name="stock_lot_by_use_by"),
        ]

    def __str__(self) -> str:
        return f"{self.contract.number} · {self.product.sku} · {self.use_by:%Y-%m-%d}"


class LedgerIsAppendOnly(RowIsKept):
    """A movement would be changed or deleted. What is wrong with a lot is put right by a further movement."""

    def __init__(self) -> None:
        super().__init__("A stock movement is never changed or deleted. Correct its lot: stock.services.correct.")


class StockMovement(KeptRow):
    """One change of one lot. Append-only: the sum of a lot's movements is its `remaining`."""

    refusal = LedgerIsAppendOnly

    class Reason(models.TextChoices):
        RECEIVED = "received", _("Received")
        ALLOCATED = "allocated", _("Given to an account")
        RETURNED = "returned", _("Returned")
        EXPIRED = "expired", _("Lapsed")
        CORRECTED = "corrected", _("Corrected")

    lot = models.ForeignKey(StockLot, on_delete=models.PROTECT, related_name="movements", verbose_name=_("lot"))
    change = models.IntegerField(_("change"))
    reason = models.CharField(_("reason"), max_length=10, choices=Reason)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="stock_movements",
        verbose_name=_("actor"),
        help_text=_("Empty: the system itself."),
    )
    reference = models.CharField(
        _("reference"),
        max_length=REFERENCE_LIMIT,
        blank=True,
        help_text=_("What it belongs to, such as a purchase's number."),
    )
    created_at = models.DateTimeField(_("at"))

    objects = KeptQuerySet["StockMovement"].as_manager()

    class Meta(KeptRow.Meta):
        verbose_name = _("stock movement")
        verbose_name_plural = _("stock movements")
        ordering = ["pk"]  # as they were written, whatever the clock said
        constraints = [
            models.CheckConstraint(condition=~Q(change=0), name="stock_movement_changes_something"),
            models.CheckConstraint(
                condition=Q(reason__in=["received", "returned"], change__gt=0)
                | Q(reason__in=["allocated", "expired"], change__lt=0)
                | Q(reason="corrected"),
                name="stock_movement_sign_fits_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lot_id}: {self.change:+d} ({self.reason})"
