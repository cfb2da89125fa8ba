"""What is bought: drafts (the wizard's state), purchases (the record of one order) and licenses."""

import uuid
from datetime import date, timedelta
from typing import Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Reseller, User, reseller_of
from contracts.models import QUANTITY_LIMIT, Contract
from guard.models import KeptQuerySet, KeptRow, RowIsKept
from products.models import Product
from stock.models import StockLot

NOTE_LIMIT = 2_000
"""The most characters of an order note."""

PO_NUMBER_LIMIT = 35
"""The most characters of a PO number (the length of the order reference in UN/EDIFACT)."""

EXPIRING_WITHIN = timedelta(days=30)
"""How long before its end a license counts as expiring."""


class Fulfilment(models.TextChoices):
    """Where the licenses of a purchase come from."""

    NEW = "new", _("New licenses")
    STOCK = "stock", _("From stock")
    STOCK_THEN_NEW = "stock_then_new", _("From stock, the rest new")


class Purpose(models.TextChoices):
    """What a draft is for: what is asked, and in which words."""

    BUY = "buy", _("Licenses for an account")
    STOCK_UP = "stock_up", _("Licenses into stock")
    MOVE = "move", _("From stock to an account")


class PurchaseDraftQuerySet(models.QuerySet["PurchaseDraft"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The user's own drafts."""
        return self.filter(user=user.pk, reseller=reseller_of(user))

    def unbought(self) -> Self:
        """Those that no purchase came of."""
        return self.exclude(Exists(Purchase.objects.filter(draft_id=OuterRef("pk"))))

    def with_choices(self) -> Self:
        """With what was chosen, and `purchase_number` (null: not bought), in the same query."""
        bought_as = Purchase.objects.filter(draft_id=OuterRef("pk")).values("number")
        return self.select_related("contract", "account", "product").annotate(purchase_number=Subquery(bought_as))

    def locked(self, pk: uuid.UUID) -> "PurchaseDraft":
        """The draft, held until the end of the transaction."""
        return self.select_for_update(no_key=True, of=("self",)).get(pk=pk)


class PurchaseDraft(models.Model):
    """The state of one started wizard. Several may be open at once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        db_index=False,  # see draft_by_user
        related_name="purchase_drafts",
        verbose_name=_("user"),
    )
    reseller = models.ForeignKey(
        Reseller, on_delete=models.CASCADE, related_name="purchase_drafts", verbose_name=_("reseller")
    )
    contract = models.ForeignKey(
        Contract,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="purchase_drafts",
        verbose_name=_("contract"),
    )
    account = models.ForeignKey(
        Account,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="purchase_drafts",
        verbose_name=_("account"),
    )
    product = models.ForeignKey(
        Product,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="purchase_drafts",
        verbose_name=_("product"),
    )
    quantity = models.PositiveIntegerField(_("quantity"), null=True, blank=True)
    note = models.TextField(_("order note"), max_length=NOTE_LIMIT, blank=True)
    po_number = models.CharField(_("PO number"), max_length=PO_NUMBER_LIMIT, blank=True)
    purpose = models.CharField(_("purpose"), max_length=8, choices=Purpose, default=Purpose.BUY)
    fulfilment = models.CharField(
        _("fulfilment"), max_length=14, choices=Fulfilment, null=True, blank=True, help_text=_("Empty: not chosen yet.")
    )
    created_at = models.DateTimeField(_("started"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = PurchaseDraftQuerySet.as_manager()

    class Meta:
        verbose_name = _("purchase draft")
        verbose_name_plural = _("purchase drafts")
        ordering = ["-updated_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity=None) | Q(quantity__range=(1, QUANTITY_LIMIT)), name="draft_quantity_in_range"
            ),
            models.CheckConstraint(
                condition=Q(fulfilment=None) | Q(fulfilment__in=["new", "stock", "stock_then_new"]),
                name="draft_fulfilment_known",
            ),
            models.CheckConstraint(condition=Q(purpose__in=["buy", "stock_up", "move"]), name="draft_purpose_known"),
        ]
        indexes = [models.Index(fields=["user", "-updated_at"], name="draft_by_user")]

    def __str__(self) -> str:
        return str(self.pk)


class PurchaseIsFinal(RowIsKept):
    """A purchase would be changed or deleted."""

    def __init__(self) -> None:
        super().__init__("A purchase is never changed or deleted. What was taken from stock is given back by an act.")


class PurchaseQuerySet(KeptQuerySet["Purchase"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The purchases of the user's reseller."""
        return self.filter(reseller=reseller_of(user))


class Purchase(KeptRow):
    """The record of one order. Never edited after it is written."""

    refusal = PurchaseIsFinal

    class Kind(models.TextChoices):
        LICENSE = "license", _("Licenses for an account")
        STOCK = "stock", _("Licenses into stock")

    number = models.CharField(_("number"), max_length=20, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.LICENSE)
    draft_id = models.UUIDField(_("draft"), unique=True)
    reseller = models.ForeignKey(
        Reseller,
        on_delete=models.PROTECT,
        db_index=False,  # see purchase_by_date
        related_name="purchases",
        verbose_name=_("reseller"),
    )
    contract = models.ForeignKey(
        Contract,
        on_delete=models.PROTECT,
        db_index=False,  # see purchase_by_contract
        related_name="purchases",
        verbose_name=_("contract"),
    )
    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,  # see purchase_by_account
        related_name="purchases",
        verbose_name=_("account"),
    )
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="purchases", verbose_name=_("product"))
    quantity = models.PositiveIntegerField(_("quantity"))
    from_stock = models.PositiveIntegerField(_("from stock"), default=0)
    unit_price = models.DecimalField(_("unit price"), max_digits=12, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3)
    total = models.DecimalField(_("total"), max_digits=16, decimal_places=2)
    note = models.TextField(_("order note"), blank=True)
    po_number = models.CharField(_("PO number"), max_length=PO_NUMBER_LIMIT, blank=True)
    terms = models.JSONField(_("terms"))
    placed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="purchases", verbose_name=_("placed by"))
    placed_at = models.DateTimeField(_("placed at"))

    objects = PurchaseQuerySet.as_manager()

    class Meta(KeptRow.Meta):
        verbose_name = _("purchase")
        verbose_name_plural = _("purchases")
        ordering = ["-placed_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["license", "stock"]), name="purchase_kind_known"),
            models.CheckConstraint(condition=Q(quantity__range=(1, QUANTITY_LIMIT)), name="purchase_quantity_in_range"),
            models.CheckConstraint(
                condition=Q(from_stock__gte=0, from_stock__lte=F("quantity")),
                name="purchase_from_stock_within_quantity",
            ),
            models.CheckConstraint(condition=Q(unit_price__gte=0), name="purchase_unit_price_not_below_zero"),
            models.CheckConstraint(condition=Q(total__gte=0), name="purchase_total_not_below_zero"),
            models.CheckConstraint(
                condition=Q(kind="license", account__isnull=False)
                | Q(kind="stock", account__isnull=True, from_stock=0),
                name="purchase_account_fits_kind",
            ),
        ]
        indexes = [
            models.Index(fields=["reseller", "-placed_at", "-id"], name="purchase_by_date"),
            # The latest ones on the page of an account and on that of a contract.
            models.Index(fields=["account", "-placed_at", "-id"], name="purchase_by_account"),
            models.Index(fields=["contract", "-placed_at", "-id"], name="purchase_by_contract"),
            # The search by PO number in the license tabs, which reads all that a reseller gave.
            models.Index(
                fields=["reseller", "po_number", "id"], name="purchase_by_po_number", condition=~Q(po_number="")
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("purchase", args=[self.number])

    @property
    def new_quantity(self) -> int:
        """How many licenses were bought new: the ones that cost money."""
        return self.quantity - self.from_stock


class LicenseState(models.TextChoices):
    """The state of a license on a day; derived, never stored."""

    ACTIVE = "active", _("Active")
    EXPIRING = "expiring", _("Expiring")
    UPCOMING = "upcoming", _("Upcoming")
    EXPIRED = "expired", _("Expired")
    INVALID = "invalid", _("Invalid")


class LicenseStaysAsBought(RowIsKept):
    """More than the cancellation of a license would be changed, or a license deleted."""

    def __init__(self) -> None:
        super().__init__("A license stays what it was bought as, and is never deleted. It can only be cancelled.")


class LicenseQuerySet(KeptQuerySet["License"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The licenses of the user's reseller."""
        return self.filter(reseller=reseller_of(user))

    def valid(self) -> Self:
        """Those that were not cancelled."""
        return self.filter(cancelled_at=None)

    def in_state(self, state: LicenseState, *, on: date) -> Self:
        """Those that are in the state on the day. What is expiring is active too."""
        match state:
            case LicenseState.ACTIVE:
                return self.valid().filter(starts_on__lte=on, ends_on__gte=on)
            case LicenseState.EXPIRING:
                return self.valid().filter(starts_on__lte=on, ends_on__range=(on, on + EXPIRING_WITHIN))
            case LicenseState.UPCOMING:
                # The end follows from the start; said, it lets an index by end leave out what is over.
                return self.valid().filter(starts_on__gt=on, ends_on__gt=on)
            case LicenseState.EXPIRED:
                return self.valid().filter(ends_on__lt=on)
            case LicenseState.INVALID:
                return self.exclude(cancelled_at=None)


class License(KeptRow):
    """The right of one account to run one device. One row per license."""

    may_change = frozenset({"cancelled_at"})
    refusal = LicenseStaysAsBought

    key = models.CharField(_("key"), max_length=40, unique=True)
    reseller = models.ForeignKey(
        Reseller,
        on_delete=models.PROTECT,
        db_index=False,  # see license_line and license_cancelled
        related_name="licenses",
        verbose_name=_("reseller"),
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="licenses", verbose_name=_("account"))
    contract = models.ForeignKey(
        Contract, on_delete=models.PROTECT, related_name="licenses", verbose_name=_("contract")
    )
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="licenses", verbose_name=_("product"))
    purchase = models.ForeignKey(
        Purchase,
        on_delete=models.PROTECT,
        db_index=False,  # see license_by_purchase
        related_name="licenses",
        verbose_name=_("purchase"),
    )
    stock_lot = models.ForeignKey(
        StockLot,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,  # see license_by_lot
        related_name="licenses",
        verbose_name=_("stock lot"),
        help_text=_("Empty: bought new."),
    )
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"))
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"))

    objects = LicenseQuerySet.as_manager()

    class Meta(KeptRow.Meta):
        verbose_name = _("license")
        verbose_name_plural = _("licenses")
        ordering = ["ends_on", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="license_ends_after_it_starts"),
        ]
        indexes = [
            # The license tabs: lines of a reseller by soonest end, and the licenses of a line.
            models.Index(
                fields=["reseller", "ends_on", "account", "product", "contract", "starts_on", "id"],
                name="license_line",
                condition=Q(cancelled_at__isnull=True),
            ),
            # The same for the Upcoming tab: few start later, and many more end later.
            models.Index(
                fields=["reseller", "starts_on", "ends_on", "account", "product", "contract", "id"],
                name="license_upcoming",
                condition=Q(cancelled_at__isnull=True),
            ),
            # The same for the Invalid tab, which says when they were cancelled.
            models.Index(
                fields=["reseller", "ends_on", "account", "product", "contract", "starts_on", "id", "cancelled_at"],
                name="license_cancelled",
                condition=Q(cancelled_at__isnull=False),
            ),
            # The licenses on the page of a purchase and on that of a lot.
            models.Index(fields=["purchase", "id"], name="license_by_purchase"),
            models.Index(fields=["stock_lot", "id"], name="license_by_lot", condition=Q(stock_lot__isnull=False)),
            # The page of an account: its lines and the year to come, also where it has most licenses of all.
            models.Index(
                fields=["account", "ends_on", "product", "contract", "starts_on"],
                name="license_of_account",
                condition=Q(cancelled_at__isnull=True),
            ),
            # The license tabs narrowed to a product or a contract, or sorted by product, and what they offer of both.
            models.Index(
                fields=["reseller", "product", "ends_on", "account", "contract", "starts_on"],
                name="license_of_product",
                condition=Q(cancelled_at__isnull=True),
            ),
            models.Index(
                fields=["contract", "ends_on", "account", "product", "starts_on"],
                name="license_of_contract",
                condition=Q(cancelled_at__isnull=True),
            ),
            # What an account has of a product, by end (the effect sentence).
            models.Index(
                fields=["account", "product", "ends_on"],
                name="license_held",
                condition=Q(cancelled_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.key

    def get_absolute_url(self) -> str:
        return reverse("license", args=[self.key])

    def state(self, *, on: date) -> LicenseState:
        """The state on the day; `EXPIRING` for what is active and ends within 30 days."""
        if self.cancelled_at is not None:
            return LicenseState.INVALID
        return state_of_period(self.starts_on, self.ends_on, on=on)


def state_of_period(starts_on: date, ends_on: date, *, on: date) -> LicenseState:
    """The state, on the day, of valid licenses that last from one day to another."""
    if starts_on > on:
        return LicenseState.UPCOMING
    if ends_on < on:
        return LicenseState.EXPIRED
    if ends_on <= on + EXPIRING_WITHIN:
        return LicenseState.EXPIRING
    return LicenseState.ACTIVE


class ExportIsFinal(RowIsKept):
    """It would be changed who took what away, or an export deleted."""

    def __init__(self) -> None:
        super().__init__("Who took which list away stays as it was. Only the end of a download is written later.")


class ExportQuerySet(KeptQuerySet["Export"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The exports of the user's reseller."""
        return self.filter(reseller=reseller_of(user))


class Export(KeptRow):
    """The record that somebody took a list away as a file.

    It is written when the download begins, and completed when its last byte was made.
    """

    may_change = frozenset({"rows", "finished_at"})
    refusal = ExportIsFinal

    class Kind(models.TextChoices):
        CSV = "csv", _("CSV")
        XLSX = "xlsx", _("Excel workbook")

    class Content(models.TextChoices):
        LICENSES = "licenses", _("Licenses")
        STOCK_LOTS = "stock_lots", _("Stock lots")

    kind = models.CharField(_("kind"), max_length=4, choices=Kind)
    content = models.CharField(_("content"), max_length=10, choices=Content)
    filters = models.JSONField(_("filters"), help_text=_("What the list was narrowed by, as its address says it."))
    reseller = models.ForeignKey(
        Reseller,
        on_delete=models.PROTECT,
        db_index=False,  # see export_by_date
        related_name="exports",
        verbose_name=_("reseller"),
    )
    exported_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="exports", verbose_name=_("exported by")
    )
    rows = models.PositiveIntegerField(
        _("rows"), default=0, help_text=_("How many were written; of a download that was broken off, how many so far.")
    )
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(
        _("finished"), null=True, blank=True, help_text=_("Empty: broken off, or not finished yet.")
    )

    objects = ExportQuerySet.as_manager()

    class Meta(KeptRow.Meta):
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-started_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["csv", "xlsx"]), name="export_kind_known"),
            models.CheckConstraint(condition=Q(content__in=["licenses", "stock_lots"]), name="export_content_known"),
        ]
        indexes = [models.Index(fields=["reseller", "-started_at", "-id"], name="export_by_date")]

    def __str__(self) -> str:
        return f"{self.get_content_display()}, {self.started_at:%Y-%m-%d %H:%M}"
