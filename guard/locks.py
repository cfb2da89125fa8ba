"""Locks: which errors say that one was not to be had, and doing without when there is no time to wait."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection


def is_deadlock(error: OperationalError) -> bool:
    """Whether the database ended one of several transactions that waited for each other."""
    return getattr(error.__cause__, "sqlstate", None) == "40P01"


def is_about_locks(error: OperationalError) -> bool:
    """By SQLSTATE on PostgreSQL (lock not available, deadlock, statement too long); SQLite has words only."""
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    return sqlstate in {"55P03", "40P01", "57014"} or "database is locked" in str(error)


@contextmanager
def without_waiting() -> Iterator[None]:
    """Let SQLite not wait meanwhile for somebody else who writes. On PostgreSQL a new row waits for nobody anyway."""
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    database = connection.connection
    [patience] = database.execute("PRAGMA busy_timeout").fetchone()
    database.execute("PRAGMA busy_timeout = 0")
    try:
        yield
    finally:
        database.execute(f"PRAGMA busy_timeout = {patience}")
