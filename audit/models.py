"""The audit log: one row per act, written in the act's own transaction."""

from datetime import UTC, date, datetime, time, timedelta
from ipaddress import ip_address
from typing import Self

from django.db import connection, models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from guard.models import KeptQuerySet, KeptRow, RowIsKept

LABEL_LIMIT = 200
"""The most characters that are kept of what an act was about."""


class Act(models.TextChoices):
    """What was done."""

    SIGNED_IN = "signed_in", _("Signed in")
    SIGN_IN_FAILED = "sign_in_failed", _("Sign-in failed")
    SIGNED_OUT = "signed_out", _("Signed out")
    INVITED = "invited", _("Invited")
    JOINED = "joined", _("Accepted an invitation")
    SECURITY_CHANGED = "security_changed", _("Changed how somebody signs in")
    REFUSED = "refused", _("Was refused")
    PURCHASED = "purchased", _("Bought")
    GAVE_BACK = "gave_back", _("Gave back to stock")
    STOCK_RECEIVED = "stock_received", _("Took stock in")
    STOCK_CORRECTED = "stock_corrected", _("Corrected stock")
    STOCK_LAPSED = "stock_lapsed", _("Wrote stock off")
    EXPORTED = "exported", _("Took a list away")
    GRANTS_CHANGED = "grants_changed", _("Changed grants")
    STATUS_CHANGED = "status_changed", _("Changed a contract's status")
    PRICES_CHANGED = "prices_changed", _("Changed prices")
    IMPORTED = "imported", _("Imported a file")
    ADDED = "added", _("Added")
    CHANGED = "changed", _("Changed")
    DELETED = "deleted", _("Deleted")


class AuditLogIsAppendOnly(RowIsKept):
    """An event would be changed or deleted."""

    def __init__(self) -> None:
        super().__init__("What somebody did stays in the log as it was.")


class AuditEventQuerySet(KeptQuerySet["AuditEvent"]):
    """Events, which stay as they are."""

    def matching(self, query: str) -> Self:
        """Those of the days in the query (2026-11-24), and of who, on what or from where the rest of it names.

        Names are given in full, but for what begins with a number: "C-1003" finds the contract of that number, whatever
        its title. Anything looser would read all events.
        """
        found, named = self, []
        for word in query.split():
            if (day := _day_written(word)) is None:
                named.append(word)
            else:
                begins = datetime.combine(day, time.min, tzinfo=UTC)
                found = found.filter(at__gte=begins, at__lt=begins + timedelta(days=1))
        name = " ".join(named)
        if not name:
            return found
        if connection.vendor != "sqlite":
            return found.filter(_names(name))
        # Nobody told SQLite what is rare: with a set of keys it begins with the name.
        return found.filter(pk__in=AuditEvent.objects.filter(_names(name)).order_by().values("pk"))


def _day_written(word: str) -> date | None:
    try:
        day = date.fromisoformat(word) if len(word) == len("2026-11-24") else None
    except ValueError:
        return None
    return None if day == date.max else day


def _names(name: str) -> Q:
    named = Q(actor=name) | Q(actor=name.lower()) | Q(object_label=name)
    if connection.vendor == "sqlite":  # which reads all rows for LIKE
        named |= Q(object_label__gte=f"{name} ", object_label__lt=f"{name}!")
    else:
        named |= Q(object_label__startswith=f"{name} ")
    try:
        return named | Q(address=str(ip_address(name)))
    except ValueError:
        return named


class AuditEvent(KeptRow):
    """Who did what, on what, from where, and when.

    It points to nothing: what it names by kind, key and words may be renamed or gone, and the event stays.
    """

    refusal = AuditLogIsAppendOnly

    at = models.DateTimeField(_("at"))
    act = models.CharField(_("act"), max_length=20, choices=Act)
    actor_id = models.BigIntegerField(_("user"), null=True, blank=True)
    actor = models.CharField(
        _("who"), max_length=254, blank=True, help_text=_("The e-mail address then. Empty: the system itself.")
    )
    object_type = models.CharField(_("kind"), max_length=60, blank=True)
    object_id = models.CharField(_("key"), max_length=40, blank=True)
    object_label = models.CharField(_("on what"), max_length=LABEL_LIMIT, blank=True)
    detail = models.CharField(_("detail"), max_length=LABEL_LIMIT, blank=True)
    address = models.GenericIPAddressField(_("from where"), null=True, blank=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta(KeptRow.Meta):
        verbose_name = _("audit event")
        verbose_name_plural = _("audit log")
        ordering = ["-pk"]
        indexes = [
            # The newest first: of somebody, about something, of a kind, from somewhere, of a day.
            models.Index(fields=["actor", "-id"], name="audit_by_actor"),
            # PostgreSQL finds beginnings by this order of characters alone.
            models.Index(
                fields=["object_label", "-id"], name="audit_by_label", opclasses=["varchar_pattern_ops", "int8_ops"]
            ),
            models.Index(fields=["act", "-id"], name="audit_by_act"),
            models.Index(fields=["address", "-id"], name="audit_by_address"),
            models.Index(fields=["at"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor} {self.act} {self.object_label}"
