"""Compare all that was sold with itself: `manage.py check_integrity`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection, transaction

from purchases.services.integrity import disagreements


@contextmanager
def as_long_as_it_takes() -> Iterator[None]:
    """Let statements over whole tables take longer than those of pages may."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        yield


class Command(BaseCommand):
    help = (
        "Recompute what purchases, licenses, lots and movements say of each other: counts, sources, totals, terms, "
        "tenants and ledgers, and whether the database still keeps them. Names each difference, and exits with "
        "status 1 if there is any. It changes nothing and can be run at any time."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        with as_long_as_it_takes():
            for sentence in disagreements():
                wrong += 1
                self.stdout.write(sentence)
        self.stdout.write(f"Differences: {wrong}.")
        if wrong:
            sys.exit(1)
