"""Under what licenses are bought: contracts, their products and prices, and who may buy."""

from datetime import date
from typing import Self

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length, Upper
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Reseller, User, reseller_of
from desk.history import History, RecordedQuerySet
from products.models import Product
from text.amounts import currency_decimals
from text.fields import FoldedTextField
from text.folding import fold

models.CharField.register_lookup(Length)

QUANTITY_LIMIT = 10_000
"""The most licenses that one purchase may hold, whatever a contract says."""


class EndRule(models.TextChoices):
    """How the end of a license follows from its start and the term (see `contracts.periods`)."""

    ANNIVERSARY = "anniversary", _("On the anniversary")
    MONTH_END = "month_end", _("At the month's end")
    CONTRACT_END = "contract_end", _("With the contract")


def validate_currency(code: str) -> None:
    """Refuse what is no ISO 4217 currency, or one whose amounts need more than two decimals."""
    decimals = currency_decimals(code)
    if decimals is None:
        raise ValidationError(
            _("%(code)s is no currency code. Use three capital letters of ISO 4217, like EUR."), params={"code": code}
        )
    if decimals > 2:
        raise ValidationError(
            _("Prices have two decimals; %(code)s needs more. Choose another currency."), params={"code": code}
        )


class ContractQuerySet(RecordedQuerySet["Contract"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The contracts of the user's reseller that are no drafts."""
        return self.filter(reseller=reseller_of(user)).exclude(status=Contract.Status.DRAFT)

    def active(self, *, on: date) -> Self:
        """Those under which licenses may be bought on the day: rule 1."""
        return self.filter(Q(ends_on=None) | Q(ends_on__gte=on), status=Contract.Status.ACTIVE, starts_on__lte=on)

    def buyable_by(self, user: User | AnonymousUser) -> Self:
        """Those under which the user holds the permission to create licenses: rule 2."""
        granted = ContractGrant.objects.filter(user=user.pk, can_create_licenses=True)
        return self.filter(pk__in=granted.values("contract"))

    def matching(self, query: str) -> Self:
        """Those whose number or title contains the query, as folded text."""
        return self.filter(search_text__contains=fold(query))

    def locked(self, pk: int) -> "Contract":
        """The contract, held until the end of the transaction."""
        return self.select_for_update(no_key=True).get(pk=pk)


class Contract(models.Model):
    """What the operator and a reseller have agreed: products, prices, terms, and who may buy."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        ACTIVE = "active", _("Active")
        SUSPENDED = "suspended", _("Suspended")
        CLOSED = "closed", _("Closed")

    class Billing(models.TextChoices):
        UPFRONT = "upfront", _("Upfront")
        ANNUAL = "annual", _("Annual")
        MONTHLY = "monthly", _("Monthly")

    reseller = models.ForeignKey(
        Reseller, on_delete=models.PROTECT, related_name="contracts", verbose_name=_("reseller")
    )
    number = models.CharField(_("number"), max_length=40, unique=True)
    title = models.CharField(_("title"), max_length=200, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.DRAFT)
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(
        _("ends on"), null=True, blank=True, help_text=_("The last day. Empty: the contract is open-ended.")
    )
    currency = models.CharField(
        _("currency"), max_length=3, validators=[validate_currency], help_text=_("ISO 4217 code, like EUR.")
    )
    term_months = models.PositiveSmallIntegerField(
        _("term in months"), default=12, validators=[MinValueValidator(1), MaxValueValidator(120)]
    )
    end_rule = models.CharField(_("licenses end"), max_length=12, choices=EndRule, default=EndRule.ANNIVERSARY)
    billing = models.CharField(_("billing"), max_length=8, choices=Billing, default=Billing.UPFRONT)
    minimum_quantity = models.PositiveIntegerField(
        _("minimum quantity"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(QUANTITY_LIMIT)],
        help_text=_("The fewest licenses of one purchase."),
    )
    requires_po_number = models.BooleanField(_("needs a PO number"), default=False)
    stock_life_months = models.PositiveSmallIntegerField(
        _("stock life in months"),
        default=12,
        validators=[MinValueValidator(1), MaxValueValidator(120)],
        help_text=_("How long licenses bought into stock may wait to be given to an account."),
    )
    conditions = models.TextField(_("conditions"), blank=True, help_text=_("The buyer reads them before buying."))
    exclusive_accounts = models.ManyToManyField(
        Account,
        blank=True,
        related_name="exclusive_contracts",
        verbose_name=_("exclusive accounts"),
        help_text=_("If any are named, the contract serves only them, and they buy only under contracts naming them."),
    )
    search_text = FoldedTextField("number", "title")

    objects = ContractQuerySet.as_manager()
    history = History(excluded=["search_text"], many_to_many=["exclusive_accounts"])

    class Meta:
        verbose_name = _("contract")
        verbose_name_plural = _("contracts")
        ordering = ["number"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["draft", "active", "suspended", "closed"]), name="contract_status_known"
            ),
            models.CheckConstraint(
                condition=Q(end_rule__in=["anniversary", "month_end", "contract_end"]), name="contract_end_rule_known"
            ),
            models.CheckConstraint(
                condition=Q(billing__in=["upfront", "annual", "monthly"]), name="contract_billing_known"
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=models.F("starts_on")),
                name="contract_ends_after_it_starts",
                violation_error_message=_("The contract ends before it starts. Correct one of the two dates."),
            ),
            models.CheckConstraint(
                condition=~Q(end_rule="contract_end") | Q(ends_on__isnull=False),
                name="contract_end_rule_has_its_date",
                violation_error_message=_(
                    "Licenses that end with the contract need the contract's end date. "
                    "Give one, or choose another rule."
                ),
            ),
            models.CheckConstraint(condition=Q(term_months__range=(1, 120)), name="contract_term_in_range"),
            models.CheckConstraint(condition=Q(stock_life_months__range=(1, 120)), name="contract_stock_life_in_range"),
            models.CheckConstraint(
                condition=Q(minimum_quantity__range=(1, QUANTITY_LIMIT)), name="contract_minimum_in_range"
            ),
            models.CheckConstraint(
                condition=Q(currency=Upper("currency"), currency__length=3), name="contract_currency_three_capitals"
            ),
        ]
        indexes = [models.Index(fields=["reseller", "number"], name="contract_by_reseller")]

    def __str__(self) -> str:
        return f"{self.number} {self.title}".strip()


class ContractProductQuerySet(RecordedQuerySet["ContractProduct"]):
    def on_sale(self) -> Self:
        """Those that can be bought: active lines of active products (rule 3)."""
        return self.filter(is_active=True, product__is_active=True)


class ContractProduct(models.Model):
    """A product that can be bought under a contract, and its price there."""

    contract = models.ForeignKey(
        Contract, on_delete=models.CASCADE, related_name="contract_products", verbose_name=_("contract")
    )
    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, related_name="contract_products", verbose_name=_("product")
    )
    unit_price = models.DecimalField(
        _("unit price"),
        max_digits=12,
        decimal_places=2,
        validators=[MinValueValidator(0)],
        help_text=_("For one license and one whole term, in the contract's currency."),
    )
    maximum_quantity = models.PositiveIntegerField(
        _("maximum quantity"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(QUANTITY_LIMIT)],
        help_text=_("The most licenses of one purchase. Empty: 10,000."),
    )
    is_active = models.BooleanField(_("active"), default=True)

    objects = ContractProductQuerySet.as_manager()
    history = History(indexed=["contract"])

    class Meta:
        verbose_name = _("contract product")
        verbose_name_plural = _("contract products")
        ordering = ["product__name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "product"],
                name="contract_product_once",
                violation_error_message=_("The contract has this product already."),
            ),
            models.CheckConstraint(
                condition=Q(unit_price__gte=0),
                name="contract_product_price_not_below_zero",
                violation_error_message=_("A price cannot be below zero."),
            ),
            models.CheckConstraint(
                condition=Q(maximum_quantity=None) | Q(maximum_quantity__range=(1, QUANTITY_LIMIT)),
                name="contract_product_maximum_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contract.number} · {self.product.sku}"


class ContractGrant(models.Model):
    """A user's permission under a contract."""

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="grants", verbose_name=_("contract"))
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants", verbose_name=_("user"))
    can_create_licenses = models.BooleanField(_("may create licenses"), default=True)

    objects = RecordedQuerySet["ContractGrant"].as_manager()
    history = History(indexed=["contract", "user"])

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        ordering = ["user__email", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "user"],
                name="contract_grant_once",
                violation_error_message=_("This user has a grant on the contract already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contract.number} · {self.user.email}"


class Import(models.Model):
    """A file with contracts or prices that an operator sent in, and what became of it.

    The rows are kept as they were read until they are imported or lie for too long: what is imported is what was shown.
    """

    class Content(models.TextChoices):
        CONTRACTS = "contracts", _("Contracts")
        PRICES = "prices", _("Price lists")

    content = models.CharField(_("content"), max_length=10, choices=Content)
    file_name = models.CharField(_("file"), max_length=200)
    columns = models.JSONField(_("columns"), editable=False, help_text=_("What the columns of the file are called."))
    rows = models.JSONField(
        _("rows"), editable=False, help_text=_("The number of each row's line, and its cells. Empty once imported.")
    )
    row_count = models.PositiveIntegerField(_("rows"))
    uploaded_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="uploads", verbose_name=_("uploaded by")
    )
    uploaded_at = models.DateTimeField(_("uploaded"), db_index=True)
    imported_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="imports", verbose_name=_("imported by")
    )
    imported_at = models.DateTimeField(
        _("imported"), null=True, blank=True, help_text=_("Empty: shown, but not imported.")
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    new_count = models.PositiveIntegerField(_("new rows"), default=0)
    changed_count = models.PositiveIntegerField(_("changed rows"), default=0)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(content__in=["contracts", "prices"]), name="import_content_known"),
            models.CheckConstraint(
                condition=Q(imported_at__isnull=True, imported_by__isnull=True)
                | Q(imported_at__isnull=False, imported_by__isnull=False),
                name="import_has_its_importer",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name
