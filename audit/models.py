"""The audit log: one row per act, written in the act's own transaction."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from guard.models import KeptQuerySet, KeptRow, RowIsKept

LABEL_LIMIT = 200
"""The most characters that are kept of what an act was about."""


class Act(models.TextChoices):
    """What was done."""

    SIGNED_IN = "signed_in", _("Signed in")
    SIGN_IN_FAILED = "sign_in_failed", _("Sign-in failed")
    SIGNED_OUT = "signed_out", _("Signed out")
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
            # The newest first, of somebody, about something, or of a kind.
            models.Index(fields=["actor", "-id"], name="audit_by_actor"),
            models.Index(fields=["object_label", "-id"], name="audit_by_object"),
            models.Index(fields=["act", "-id"], name="audit_by_act"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor} {self.act} {self.object_label}"
