"""Refusals in the audit log: rows that outlive the transaction of the act that was refused."""

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import OperationalError, connection, models

from audit.models import Act, AuditEvent
from audit.services import event
from guard.locks import is_about_locks, without_waiting

BUSY = "portal_busy"
"""The code of a refusal that is nobody's decision: somebody else held a lock for too long."""

_MOST_OWED = 10_000

_owed: deque[AuditEvent] = deque(maxlen=_MOST_OWED)
"""What this process could not write yet, the first first."""

_log = logging.getLogger("audit")


def record_refusal(code: str, *, by: AbstractBaseUser | None, on: models.Model | None = None) -> None:
    """Write that somebody was refused. It is called once the transaction of the refused act was rolled back.

    On SQLite whoever holds the lock that made the portal busy keeps this row out too. Then it is owed: it stands in the
    process's log at once, and in the audit log, with its own time and address, as soon as `write_owed` finds room.
    """
    refusal = event(Act.REFUSED, by=by, on=on, detail=code)
    try:
        _write(refusal, waits=code != BUSY)
    except OperationalError as error:
        if connection.vendor != "sqlite" or not is_about_locks(error):
            raise
        _owed.append(refusal)
        facts = {"act": Act.REFUSED, "code": code, "user": refusal.actor_id}
        _log.warning("owed to the audit log", extra={"facts": facts | {"on": refusal.object_type}})


@contextmanager
def refusals_recorded(
    *refusals: type[Exception], by: AbstractBaseUser | None, on: models.Model | None = None
) -> Iterator[None]:
    """Record when the act inside, which is a transaction of its own, raises one of the refusals. Each has a `code`."""
    try:
        yield
    except refusals as refusal:
        named: Any = refusal
        record_refusal(named.code, by=by, on=on)
        raise


def write_owed() -> None:
    """Write what is owed, as far as that needs no waiting."""
    while _owed:
        try:
            refusal = _owed.popleft()
        except IndexError:
            return  # another thread was quicker
        try:
            _write(refusal, waits=False)
        except OperationalError as error:
            _owed.appendleft(refusal)
            if not is_about_locks(error):
                raise
            return


def _write(refusal: AuditEvent, *, waits: bool) -> None:
    if waits:
        refusal.save(force_insert=True)
        return
    with without_waiting():
        refusal.save(force_insert=True)
