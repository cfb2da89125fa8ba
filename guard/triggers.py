"""Triggers by which the database itself keeps what must stay, whoever writes to it and however.

An app says in `triggers.py` which columns of its tables are kept, in a `Guard`, and registers it when it is ready. A
migration of the app installs the triggers, and `migrate` puts back at its end what is missing: SQLite drops a table's
triggers when a migration rebuilds the table. They name only columns that exist after that migration.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder


@dataclass(frozen=True)
class Trigger:
    """A trigger, its table, and the statement that makes it."""

    name: str
    table: str
    sql: str


@dataclass(frozen=True)
class Kept:
    """What is kept of a table's rows, and in which words a change is refused.

    `columns` never change; None stands for all of them. From the moment on at which the column `sealed_by` is set,
    nothing of the row changes. `unique` are the columns by which an INSERT OR REPLACE could find a row to replace.
    """

    name: str
    table: str
    one: str
    many: str
    columns: tuple[str, ...] | None = None
    sealed_by: str | None = None
    unique: tuple[str, ...] = ("id",)
    may_be_deleted: bool = False
    changed: str = "is never changed"

    def triggers(self, vendor: str, *, function: str) -> Iterator[Trigger]:
        """The triggers on the engine. On PostgreSQL they call the function."""
        make = {"sqlite": self._sqlite, "postgresql": self._postgresql}[vendor]
        yield make("not_changed", self._changes, f"{self.one} {self.changed}", function, when=self._is_changed(vendor))
        if self.sealed_by is not None:
            words = f"{self.one} is never changed once its {self.sealed_by} is set"
            yield make("not_changed_later", "UPDATE", words, function, when=f"OLD.{self.sealed_by} IS NOT NULL")
        if not self.may_be_deleted:
            yield make("not_deleted", "DELETE", f"{self.one} is never deleted", function)
        if vendor == "sqlite":
            # INSERT OR REPLACE deletes what is in its way, and no trigger hears of that.
            same = " OR ".join(f"{column} = NEW.{column}" for column in self.unique)
            is_there = f"EXISTS (SELECT 1 FROM {self.table} WHERE {same})"  # noqa: S608  # names of ours
            yield make("not_replaced", "INSERT", f"{self.one} is never replaced", function, when=is_there)
        elif not self.may_be_deleted:
            yield make("not_emptied", "TRUNCATE", f"{self.many} are never deleted", function)

    @property
    def _changes(self) -> str:
        return "UPDATE" if self.columns is None else f"UPDATE OF {', '.join(self.columns)}"

    def _is_changed(self, vendor: str) -> str:
        if self.columns is None:
            return ""
        old, new = (", ".join(f"{row}.{column}" for column in self.columns) for row in ("OLD", "NEW"))
        differs_from = "IS NOT" if vendor == "sqlite" else "IS DISTINCT FROM"
        return f"({old}) {differs_from} ({new})"

    def _sqlite(self, suffix: str, event: str, words: str, _function: str, *, when: str = "") -> Trigger:
        name = f"{self.name}_{suffix}"
        condition = f"WHEN {when} " if when else ""
        return Trigger(
            name,
            self.table,
            f"CREATE TRIGGER {name} BEFORE {event} ON {self.table} {condition}"
            f"BEGIN SELECT RAISE(ABORT, '{words}'); END",
        )

    def _postgresql(self, suffix: str, event: str, words: str, function: str, *, when: str = "") -> Trigger:
        name = f"{self.name}_{suffix}"
        each = "STATEMENT" if event == "TRUNCATE" else "ROW"
        condition = f"WHEN ({when}) " if when else ""
        return Trigger(
            name,
            self.table,
            f"CREATE TRIGGER {name} BEFORE {event} ON {self.table} FOR EACH {each} {condition}"
            f"EXECUTE FUNCTION {function}('{words}')",
        )


_REFUSE = "BEGIN RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'restrict_violation'; END"
"""What the triggers of PostgreSQL do."""


@dataclass(frozen=True)
class Guard:
    """What an app keeps, and the migration after which the triggers are expected."""

    installed_by: tuple[str, str]
    tables: tuple[Kept, ...]

    @property
    def _function(self) -> str:
        return f"{self.installed_by[0]}_refuse"

    def triggers(self, connection: BaseDatabaseWrapper) -> list[Trigger]:
        """The triggers that hold it on the connection's engine."""
        return [
            trigger for kept in self.tables for trigger in kept.triggers(connection.vendor, function=self._function)
        ]

    def install(self, connection: BaseDatabaseWrapper) -> None:
        """Make the triggers, anew where they exist."""
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(
                    f"CREATE OR REPLACE FUNCTION {self._function}() RETURNS trigger LANGUAGE plpgsql AS $${_REFUSE}$$"
                )
            for trigger in self.triggers(connection):
                cursor.execute(_drop(trigger, connection))
                cursor.execute(trigger.sql)

    def remove(self, connection: BaseDatabaseWrapper) -> None:
        """Drop the triggers."""
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            for trigger in self.triggers(connection):
                cursor.execute(_drop(trigger, connection))
            if connection.vendor == "postgresql":
                cursor.execute(f"DROP FUNCTION IF EXISTS {self._function}()")

    def missing(self, connection: BaseDatabaseWrapper) -> list[str]:
        """The names of the triggers that should be there and are not, or are switched off, or do something else."""
        if not self._is_expected(connection):
            return []
        there = self.present(connection)
        return [trigger.name for trigger in self.triggers(connection) if trigger.name not in there]

    def present(self, connection: BaseDatabaseWrapper) -> set[str]:
        """The names of the triggers that are there, switched on and as they should be."""
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(
                    "SELECT tgname FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid "
                    "WHERE tgrelid IN (SELECT to_regclass(name) FROM unnest(%s::text[]) AS name) "
                    "AND tgenabled IN ('O', 'A') AND proname = %s AND prosrc = %s",
                    [[kept.table for kept in self.tables], self._function, _REFUSE],
                )
                return {name for (name,) in cursor.fetchall()}
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            ours = {trigger.sql for trigger in self.triggers(connection)}
            return {name for name, sql in cursor.fetchall() if sql in ours}

    def install_missing(self, connection: BaseDatabaseWrapper) -> None:
        """Make the triggers again if one is missing."""
        if self.missing(connection):
            self.install(connection)

    def _is_expected(self, connection: BaseDatabaseWrapper) -> bool:
        recorder = MigrationRecorder(connection)
        app, name = self.installed_by
        return recorder.has_table() and recorder.migration_qs.filter(app=app, name=name).exists()


_guards: list[Guard] = []


def register(guard: Guard) -> None:
    """Have `migrate`, the system check and `flush` know of the guard."""
    if guard not in _guards:
        _guards.append(guard)


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """The names of the triggers that the database lacks, of every guard."""
    return [name for guard in _guards for name in guard.missing(connection)]


def install_missing(connection: BaseDatabaseWrapper) -> None:
    """Put back what is missing, of every guard."""
    for guard in _guards:
        guard.install_missing(connection)


@contextmanager
def lifted(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Have no triggers meanwhile: to empty the whole database, and for nothing else."""
    for guard in _guards:
        guard.remove(connection)
    try:
        yield
    finally:
        install_missing(connection)


def _drop(trigger: Trigger, connection: BaseDatabaseWrapper) -> str:
    on_table = f" ON {trigger.table}" if connection.vendor == "postgresql" else ""
    return f"DROP TRIGGER IF EXISTS {trigger.name}{on_table}"
