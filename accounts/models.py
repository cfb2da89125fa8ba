"""Who is who: resellers (the tenants), their users, and the customer accounts that hold licenses."""

import zoneinfo
from datetime import date, datetime
from typing import Any, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import AnonymousUser, PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from desk.history import History, RecordedQuerySet
from products.models import Package
from text.fields import FoldedTextField, LoginEmailField
from text.folding import fold


def validate_time_zone(name: str) -> None:
    """Refuse what is not the IANA name of a time zone."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            _("%(name)s is no time zone. Use an IANA name like Europe/Istanbul."), params={"name": name}
        )


class Reseller(models.Model):
    """A company that sells licenses on: the tenant. Nothing of one reseller is ever visible to another."""

    class Language(models.TextChoices):
        ENGLISH = "en", _("English")
        TURKISH = "tr", _("Turkish")

    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("slug"), max_length=60, unique=True)
    time_zone = models.CharField(
        _("time zone"), max_length=60, default="Europe/Istanbul", validators=[validate_time_zone]
    )
    language = models.CharField(_("language"), max_length=5, choices=Language, default=Language.ENGLISH)
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Users of a reseller that is not active cannot sign in.")
    )

    objects = RecordedQuerySet["Reseller"].as_manager()
    history = History()

    class Meta:
        verbose_name = _("reseller")
        verbose_name_plural = _("resellers")
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(language__in=["en", "tr"]), name="reseller_language_known"),
        ]

    def __str__(self) -> str:
        return self.name

    def today(self, now: datetime | None = None) -> date:
        """The date in the reseller's time zone, now or at the given instant."""
        return timezone.localdate(now, zoneinfo.ZoneInfo(self.time_zone))


class UserManager(BaseUserManager["User"]):
    def get_queryset(self) -> RecordedQuerySet["User"]:
        return RecordedQuerySet(self.model, using=self._db)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a user; without a password nobody can sign in as it yet."""
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make an operator who may do everything in the admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in: of a reseller, or (without one) of the operator."""

    email = LoginEmailField(
        _("e-mail"), unique=True, error_messages={"unique": _("There is a user with this e-mail already.")}
    )
    full_name = models.CharField(_("full name"), max_length=200, blank=True)
    reseller = models.ForeignKey(
        Reseller,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="users",
        verbose_name=_("reseller"),
        help_text=_("Empty for the operator's own staff."),
    )
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Users who are not active cannot sign in."))
    is_staff = models.BooleanField(_("staff"), default=False, help_text=_("May enter the admin."))
    date_joined = models.DateTimeField(_("added"), default=timezone.now, editable=False)

    objects = UserManager()
    history = History(
        excluded=["password", "last_login"],
        many_to_many=["groups", "user_permissions"],
    )

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["email"]
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower_case"),
        ]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        super().clean()
        if self.is_staff and self.reseller_id is not None:
            raise ValidationError(
                {"is_staff": _("Staff belong to the operator. Take the reseller away, or the staff mark.")}
            )

    def get_full_name(self) -> str:
        return self.full_name or self.email

    def get_short_name(self) -> str:
        return self.get_full_name()

    def email_user(self, subject: str, message: str, from_email: str | None = None) -> None:
        send_mail(subject, message, from_email, [self.email])


class AccountQuerySet(RecordedQuerySet["Account"]):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The accounts of the user's reseller."""
        return self.filter(reseller=reseller_of(user))

    def matching(self, query: str) -> Self:
        """Those whose name or reference contains the query, as folded text."""
        return self.filter(search_text__contains=fold(query))


class Account(models.Model):
    """A customer of a reseller, under whom licenses are tracked."""

    class Tier(models.TextChoices):
        TRIAL = "trial", _("Trial")
        PAID = "paid", _("Paid")

    reseller = models.ForeignKey(
        Reseller, on_delete=models.PROTECT, related_name="accounts", verbose_name=_("reseller")
    )
    name = models.CharField(_("name"), max_length=200)
    reference = models.CharField(_("reference"), max_length=60)
    package = models.ForeignKey(
        Package,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="accounts",
        verbose_name=_("package"),
    )
    tier = models.CharField(_("tier"), max_length=10, choices=Tier, default=Tier.PAID)
    is_active = models.BooleanField(_("active"), default=True)
    search_text = FoldedTextField("name", "reference")

    objects = AccountQuerySet.as_manager()
    history = History(excluded=["search_text"])

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["reseller", "reference"],
                name="account_reference_unique",
                violation_error_message=_("This reseller has an account with this reference already."),
            ),
            models.CheckConstraint(condition=models.Q(tier__in=["trial", "paid"]), name="account_tier_known"),
        ]
        # The list of accounts, in which Ç stands beside C and İ beside I.
        indexes = [models.Index(fields=["reseller", "search_text", "id"], name="account_by_name")]

    def __str__(self) -> str:
        return f"{self.name} ({self.reference})"


def reseller_of(user: User | AnonymousUser) -> int:
    """The key of the tenant whose rows the user sees; 0, which no row has, for people without a reseller."""
    if isinstance(user, AnonymousUser) or user.reseller_id is None:
        return 0
    return user.reseller_id
