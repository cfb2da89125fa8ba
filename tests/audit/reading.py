"""What stands in the audit log."""

from audit.models import AuditEvent
from tests.guard.unguarded import unguarded


def events() -> list[tuple[str, str, str, str]]:
    """Act, who, on what, and detail of each event, the first first."""
    return list(AuditEvent.objects.order_by("pk").values_list("act", "actor", "object_label", "detail"))


def forget_what_led_here() -> None:
    """Begin with an empty log."""
    with unguarded() as run:
        run("DELETE FROM audit_auditevent")
