"""What happens when a lock is not to be had in time, or two acts wait for each other."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps

from django.db import OperationalError, connection
from django.db.models import Model
from django.utils.translation import gettext as _

from accounts.models import User
from audit.models import Act
from audit.services import record
from purchases.services.rules import PurchaseRefused


class PortalBusy(PurchaseRefused):
    """Somebody else holds what this act needs; nothing was written."""

    code = "portal_busy"
    answer = ""


@contextmanager
def refused_when_busy() -> Iterator[None]:
    """Raise PortalBusy where the database gave up waiting for a lock, or broke a deadlock."""
    try:
        yield
    except OperationalError as error:
        if not _is_about_locks(error):
            raise
        raise PortalBusy(
            _("Somebody else is buying from the same contract or stock right now. Nothing was bought. Try again.")
        ) from error


def record_refusal(code: str, *, by: User, on: Model) -> None:
    """Write into the audit log that somebody was refused, unless it is because the portal was busy.

    Raises PortalBusy if that cannot be written in time: no refusal is told that the log does not know.
    """
    if code != PortalBusy.code:
        with refused_when_busy():
            record(Act.REFUSED, by=by, on=on, detail=code)


MOST_BEGINNINGS = 4
"""The first, and three more."""

_LONGEST_PAUSE = 0.1
"""Seconds before the second beginning; each later pause may be twice as long."""


def begun_again_after_deadlocks[**Arguments, Result](act: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let the act, which is a transaction of its own, begin anew if the database broke a deadlock by ending it.

    At most three times, each after a pause of random length, so that those who met do not meet again. Inside of
    another transaction nothing can begin anew: all of it is lost.
    """

    @wraps(act)
    def perform(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        for beginning in range(1, MOST_BEGINNINGS):
            try:
                return act(*arguments, **named)
            except OperationalError as error:
                if not _is_deadlock(error) or connection.in_atomic_block:
                    raise
            time.sleep(random.uniform(0, _LONGEST_PAUSE * 2**beginning / 2))  # noqa: S311 - nobody gains by guessing
        return act(*arguments, **named)

    return perform


def _is_deadlock(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) == "40P01"


def _is_about_locks(error: OperationalError) -> bool:
    """By SQLSTATE on PostgreSQL (lock not available, deadlock, statement too long); SQLite has words only."""
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    return sqlstate in {"55P03", "40P01", "57014"} or "database is locked" in str(error)
