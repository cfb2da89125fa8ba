"""The database keeps every event as it was written."""

from guard.triggers import Guard, Kept

LOG = Guard(
    installed_by=("audit", "0001_events"),
    tables=(Kept("audit_event", "audit_auditevent", "an audit event", "audit events"),),
)
