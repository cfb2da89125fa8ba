"""Empty the database: `manage.py flush`, Django's own."""

from typing import Any

from django.core.management.commands import flush
from django.db import connections

from guard.triggers import lifted


class Command(flush.Command):
    """The one act that may remove kept rows, with everything else; tests do it after each that commits."""

    def handle(self, **options: Any) -> None:
        with lifted(connections[options["database"]]):
            super().handle(**options)
