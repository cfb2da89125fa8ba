"""What was bought cannot be rewritten: not by the ORM, not by SQL, on neither engine."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import Tags, run_checks
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F
from django.utils import timezone

from guard import triggers
from guard.models import KeptRow
from purchases.models import Export, ExportIsFinal, Fulfilment, License, LicenseStaysAsBought, Purchase, PurchaseIsFinal
from purchases.services.give_back import give_back_purchase
from purchases.triggers import RECORDS
from tests.factories import ExportFactory
from tests.guard.unguarded import execute, unguarded
from tests.purchases.orders import TODAY, an_order, press_buy, stock_for

pytestmark = pytest.mark.django_db

sqlite_only = pytest.mark.skipif(connection.vendor != "sqlite", reason="shows what only SQLite does")

TABLES: dict[type[KeptRow], str] = {
    Purchase: "purchases_purchase",
    License: "purchases_license",
    Export: "purchases_export",
}
KEPT = [trigger.name for trigger in RECORDS.triggers(connection)]


@pytest.fixture(autouse=True)
def bought() -> Purchase:
    """Two licenses from stock and a new one, and an export that goes on."""
    draft = an_order(quantity=3, fulfilment=Fulfilment.STOCK_THEN_NEW)
    stock_for(draft, 2)
    ExportFactory(reseller=draft.reseller)
    purchase = press_buy(draft)
    connection.check_constraints()
    return purchase


def records() -> dict[str, list[Any]]:
    """Everything that stands in every record."""
    return {model.__name__: list(model._base_manager.order_by("pk").values()) for model in TABLES}


def warnings() -> list[str]:
    found = run_checks(tags=[Tags.database], databases=["default"])
    return [f"{warning.msg} {warning.hint}" for warning in found if warning.id == "guard.W001"]


# The ORM

REFUSALS: dict[type[KeptRow], tuple[type[Exception], dict[str, Any]]] = {
    Purchase: (PurchaseIsFinal, {"note": "Something else."}),
    License: (LicenseStaysAsBought, {"ends_on": TODAY + timedelta(days=3_000)}),
    Export: (ExportIsFinal, {"filters": {"account": "1"}}),
}

WAYS_TO_REWRITE: dict[str, Callable[[Any, dict[str, Any]], object]] = {
    "saving": lambda row, change: row.save(),
    "saving fields": lambda row, change: row.save(update_fields=list(change)),
    "forcing an update": lambda row, change: row.save(force_update=True),
    "deleting": lambda row, change: row.delete(),
    "updating many": lambda row, change: type(row).objects.update(**change),
    "updating a list": lambda row, change: type(row).objects.bulk_update([row], list(change)),
    "updating or creating": lambda row, change: type(row).objects.update_or_create(pk=row.pk, defaults=change),
    "deleting many": lambda row, change: type(row).objects.all().delete(),
    "deleting a reseller's": lambda row, change: type(row).objects.filter(reseller=row.reseller).delete(),
}


@pytest.mark.parametrize("model", REFUSALS)
@pytest.mark.parametrize("rewrite", WAYS_TO_REWRITE.values(), ids=WAYS_TO_REWRITE)
def test_orm_refuses_by_name_to_rewrite_a_record(
    model: type[KeptRow], rewrite: Callable[[Any, dict[str, Any]], object]
) -> None:
    refusal, change = REFUSALS[model]
    before = records()
    row = model._base_manager.order_by("pk")[0]
    for name, value in change.items():
        setattr(row, name, value)

    with pytest.raises(refusal), transaction.atomic():
        rewrite(row, change)

    assert records() == before


# The database


def fields_of(model: type[models.Model], *, but: set[str]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields if field.attname not in but]


COLUMNS = [
    *((Purchase, column) for column in fields_of(Purchase, but=set())),
    *((License, column) for column in fields_of(License, but={"cancelled_at"})),
    *((Export, column) for column in fields_of(Export, but={"rows", "finished_at"})),
]


def something_else(model: type[models.Model], column: str) -> str:
    """SQL for a value that the column does not have, and that its type takes."""
    field = next(field for field in model._meta.concrete_fields if field.attname == column)
    if field.is_relation or isinstance(field, models.IntegerField | models.DecimalField | models.AutoField):
        return f"COALESCE({column}, 0) + 1"
    if isinstance(field, models.DateTimeField):
        return "'2020-01-01 00:00:00+00:00'"
    if isinstance(field, models.DateField):
        return "'2020-01-01'"
    if isinstance(field, models.UUIDField):
        return "'00000000000000000000000000000001'"
    if isinstance(field, models.JSONField):
        return """'{"number": "C-0"}'"""
    return "'XYZ'"


@pytest.mark.parametrize(("model", "column"), COLUMNS, ids=lambda value: getattr(value, "__name__", value))
def test_database_refuses_to_change_any_column_but_those_that_are_written_later(
    model: type[KeptRow], column: str
) -> None:
    before = records()

    with (
        pytest.raises(IntegrityError, match=r"is never changed|stays what it was bought as"),
        transaction.atomic(),
    ):
        execute(f"UPDATE {TABLES[model]} SET {column} = {something_else(model, column)}")  # noqa: S608 - names of our own

    assert records() == before


@pytest.mark.parametrize("table", TABLES.values())
def test_database_refuses_to_delete_a_record(table: str) -> None:
    before = records()

    with pytest.raises(IntegrityError, match="is never deleted"), transaction.atomic():
        execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own

    assert records() == before


@pytest.mark.postgresql_only
@pytest.mark.parametrize("table", [*TABLES.values(), "accounts_user"])
def test_database_refuses_to_empty_the_records(table: str) -> None:
    before = records()

    with pytest.raises(IntegrityError, match="are never deleted"), transaction.atomic():
        execute(f"TRUNCATE {table} CASCADE")

    assert records() == before


@sqlite_only
@pytest.mark.parametrize(
    ("table", "unique"),
    [("purchases_purchase", column) for column in ("id", "number", "draft_id")]
    + [("purchases_license", column) for column in ("id", "key")]
    + [("purchases_export", "id")],
)
def test_database_refuses_to_replace_a_record(table: str, unique: str) -> None:
    before = records()
    columns = [
        field.attname for model, name in TABLES.items() if name == table for field in model._meta.concrete_fields
    ]
    replaced = [
        column if column == unique or column not in {"id", "number", "draft_id", "key"} else f"{column} || 1"
        for column in columns
    ]

    with pytest.raises(IntegrityError, match="is never replaced"), transaction.atomic():
        execute(
            f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) SELECT {', '.join(replaced)} FROM {table}"  # noqa: S608 - names of our own
        )

    assert records() == before


# What is written later


def test_license_is_cancelled_once(bought: Purchase) -> None:
    assert give_back_purchase(bought, buyer=bought.placed_by, on=TODAY) == 2
    before = records()

    for value in ("NULL", "'2020-01-01 00:00:00+00:00'", "cancelled_at"):
        with pytest.raises(IntegrityError, match="once its cancelled_at is set"), transaction.atomic():
            execute(f"UPDATE purchases_license SET cancelled_at = {value} WHERE cancelled_at IS NOT NULL")  # noqa: S608 - names of our own

    assert records() == before


def test_export_is_finished_once() -> None:
    export = Export.objects.get()
    export.rows = 3
    export.save(update_fields=["rows"])
    export.finished_at = timezone.now()
    export.save(update_fields=["rows", "finished_at"])

    with pytest.raises(IntegrityError, match="once its finished_at is set"), transaction.atomic():
        Export.objects.update(rows=F("rows") + 1)

    assert Export.objects.get().rows == 3


# What holds it


@pytest.mark.parametrize("name", KEPT)
def test_check_names_a_trigger_that_is_missing_and_migrate_puts_it_back(name: str) -> None:
    table = next(trigger.table for trigger in RECORDS.triggers(connection) if trigger.name == name)
    execute(f"DROP TRIGGER {name}" + (f" ON {table}" if connection.vendor == "postgresql" else ""))

    [warning] = warnings()
    call_command("migrate", verbosity=0)

    assert name in warning
    assert warnings() == []


def test_without_the_triggers_records_could_be_rewritten() -> None:
    """The control: what the tests above try would work."""
    with unguarded() as run:
        run("UPDATE purchases_purchase SET total = 0")
        run("UPDATE purchases_license SET ends_on = '2099-12-31'")
        run("DELETE FROM purchases_export")

    assert set(Purchase.objects.values_list("total", flat=True)) == {0}
    assert License.objects.filter(ends_on="2099-12-31").count() == 3
    assert not Export.objects.exists()


@sqlite_only
@pytest.mark.django_db(transaction=True)
def test_migrate_puts_back_what_the_rebuilding_of_a_table_drops() -> None:
    as_it_is = Purchase._meta.get_field("currency")
    longer: models.Field[Any, Any] = models.CharField(max_length=4)
    longer.set_attributes_from_name("currency")
    try:
        with connection.schema_editor() as editor:
            editor.alter_field(Purchase, as_it_is, longer)
        after_the_rebuilding = triggers.missing(connection)
        call_command("migrate", verbosity=0)
        after_migrate = triggers.missing(connection)
    finally:
        with connection.schema_editor() as editor:
            editor.alter_field(Purchase, longer, as_it_is)
        triggers.install_missing(connection)

    assert "purchase_not_changed" in after_the_rebuilding
    assert after_migrate == []


@pytest.mark.django_db(transaction=True)
def test_migration_is_reversible() -> None:
    try:
        call_command("migrate", "purchases", "0006", verbosity=0)
        expected, held = warnings(), RECORDS.present(connection)
    finally:
        call_command("migrate", verbosity=0)

    assert (expected, held) == ([], set())
    assert RECORDS.present(connection) == set(KEPT)


@pytest.mark.django_db(transaction=True)
def test_flush_empties_the_records_and_leaves_them_held() -> None:
    call_command("flush", interactive=False, verbosity=0)

    assert records() == {"Purchase": [], "License": [], "Export": []}
    assert RECORDS.present(connection) == set(KEPT)
