"""What somebody could do to kept rows who takes the triggers away first."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from guard.triggers import lifted


def execute(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


@contextmanager
def unguarded() -> Iterator[Callable[..., None]]:
    """Have no triggers meanwhile, and a way to run SQL."""
    connection.check_constraints()  # PostgreSQL drops no trigger of a table that has checks left to do
    with lifted(connection):
        yield execute
        connection.check_constraints()
