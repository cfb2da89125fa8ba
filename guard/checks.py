"""What Django checks about kept rows: `manage.py check --database default`, and every `migrate` before it begins."""

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.db import connections

from guard import triggers


def check_triggers(*, databases: Sequence[str] | None, **others: Any) -> list[checks.CheckMessage]:
    """Say which triggers a database lacks. It is no error, since `migrate`, the remedy, would refuse to begin."""
    return [
        checks.Warning(
            f"The database '{alias}' does not keep all records that must stay: it lacks the trigger {name}.",
            hint=f"Run 'manage.py migrate --database {alias}', which puts it back, and find out who took it away.",
            id="guard.W001",
        )
        for alias in databases or ()
        for name in triggers.missing(connections[alias])
    ]
