"""Look for migrations that the version before could not live with while they run, or that lock a table for long.

    python -m tests.upgrades        against the PostgreSQL that DATABASE_URL names

The database is only asked for its dialect. Ends with status 1 if an upgrade without downtime would break.
"""

import sys

import django
from django.conf import settings
from django_migration_linter import MigrationLinter

APPS = ["products", "accounts", "contracts", "stock", "purchases", "guard"]

BEFORE_THE_FIRST_RELEASE = ("0003_drafts_have_a_purpose",)
"""No version was in use that could have written a row meanwhile."""


def main() -> int:
    django.setup()
    linter = MigrationLinter(
        str(settings.BASE_DIR), include_apps=APPS, ignore_name=BEFORE_THE_FIRST_RELEASE, no_cache=True, quiet=["ok"]
    )
    linter.lint_all_migrations()
    linter.print_summary()
    return 1 if linter.has_errors else 0


if __name__ == "__main__":
    sys.exit(main())
