"""Which errors say that the database cannot be used right now."""

from django.db import InterfaceError, InternalError, OperationalError

_READ_ONLY = "25006"


def is_database_away(error: BaseException | None) -> bool:
    """Whether the error, or what led to it, is the database's state and not our request's.

    PostgreSQL and SQLite say so by OperationalError: no connection, no connection left, no disk, a server that stops, a
    lock or a statement that took too long. A server that only reads, as a replica does, says so by InternalError.
    """
    while error is not None:
        if isinstance(error, OperationalError | InterfaceError):
            return True
        if isinstance(error, InternalError) and getattr(error.__cause__, "sqlstate", None) == _READ_ONLY:
            return True
        error = error.__cause__ or error.__context__
    return False
