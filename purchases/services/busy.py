"""What happens when a lock is not to be had in time, or two acts wait for each other."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps

from django.db import OperationalError, connection
from django.utils.translation import gettext as _

from audit.refusals import BUSY
from guard.locks import is_about_locks, is_deadlock
from purchases.services.rules import PurchaseRefused


class PortalBusy(PurchaseRefused):
    """Somebody else holds what this act needs; nothing was written."""

    code = BUSY
    answer = ""


@contextmanager
def refused_when_busy() -> Iterator[None]:
    """Raise PortalBusy where the database gave up waiting for a lock, or broke a deadlock."""
    try:
        yield
    except OperationalError as error:
        if not is_about_locks(error):
            raise
        raise PortalBusy(
            _("Somebody else is buying from the same contract or stock right now. Nothing was bought. Try again.")
        ) from error


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
                if not is_deadlock(error) or connection.in_atomic_block:
                    raise
            time.sleep(random.uniform(0, _LONGEST_PAUSE * 2**beginning / 2))  # noqa: S311 - nobody gains by guessing
        return act(*arguments, **named)

    return perform
