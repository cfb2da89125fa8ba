"""The ledger cannot be rewritten: not by the ORM, not by SQL, and what holds it is watched and put back."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.checks import Tags, run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, ProtectedError
from django.utils import timezone

from guard import triggers
from stock.models import LedgerIsAppendOnly, StockLot, StockMovement
from stock.triggers import LEDGER
from tests.factories import ContractProductFactory, ProductFactory, ResellerFactory, UserFactory, receive

pytestmark = pytest.mark.django_db

TRIGGERS = {
    "sqlite": [
        "stock_movement_not_changed",
        "stock_movement_not_deleted",
        "stock_movement_not_replaced",
        "stock_lot_not_changed",
        "stock_lot_not_replaced",
    ],
    "postgresql": [
        "stock_movement_not_changed",
        "stock_movement_not_deleted",
        "stock_movement_not_emptied",
        "stock_lot_not_changed",
    ],
}[connection.vendor]

sqlite_only = pytest.mark.skipif(connection.vendor != "sqlite", reason="shows what only SQLite does")


@pytest.fixture
def movement() -> StockMovement:
    """How a lot of 5 came in."""
    line = ContractProductFactory()
    return receive(line.contract, line.product, 5, actor=UserFactory()).movements.get()


def execute(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def drop(name: str) -> None:
    table = "stock_stocklot" if "lot" in name else "stock_stockmovement"
    execute(f"DROP TRIGGER {name}" + (f" ON {table}" if connection.vendor == "postgresql" else ""))


def delete_all_lots_and_look_at_what_points_to_them() -> None:
    execute("DELETE FROM stock_stocklot")
    connection.check_constraints()


def warnings() -> list[str]:
    """What `check --database default` says about stock."""
    found = run_checks(tags=[Tags.database], databases=["default"])
    return [f"{warning.msg} {warning.hint}" for warning in found if warning.id == "guard.W001"]


def ledger() -> list[Any]:
    """Everything that stands in every movement."""
    return list(StockMovement.objects.order_by("pk").values())


# The ORM

WAYS_TO_REWRITE: dict[str, Callable[[StockMovement], object]] = {
    "saving": lambda movement: movement.save(),
    "saving fields": lambda movement: movement.save(update_fields=["change"]),
    "forcing an update": lambda movement: movement.save(force_update=True),
    "saving over": lambda movement: StockMovement(pk=movement.pk, lot_id=movement.lot_id, change=6).save(),
    "deleting": lambda movement: movement.delete(),
    "updating many": lambda movement: StockMovement.objects.update(change=6),
    "updating a list": lambda movement: StockMovement.objects.bulk_update([movement], ["change"]),
    "updating or creating": lambda movement: StockMovement.objects.update_or_create(
        pk=movement.pk, defaults={"change": 6}
    ),
    "deleting many": lambda movement: StockMovement.objects.filter(change=5).delete(),
    "updating a lot's": lambda movement: movement.lot.movements.update(change=6),
    "moving to another lot": lambda movement: receive(movement.lot.contract, movement.lot.product, 1).movements.add(
        movement
    ),
    "deleting a lot's": lambda movement: movement.lot.movements.all().delete(),
}


@pytest.mark.parametrize("rewrite", WAYS_TO_REWRITE.values(), ids=WAYS_TO_REWRITE)
def test_orm_refuses_to_change_or_delete_a_movement(
    movement: StockMovement, rewrite: Callable[[StockMovement], object]
) -> None:
    before = ledger()
    movement.change = 6

    with pytest.raises(LedgerIsAppendOnly, match="never changed or deleted"), transaction.atomic():
        rewrite(movement)

    assert ledger() == before


def test_lot_with_movements_is_not_deleted(movement: StockMovement) -> None:
    with pytest.raises(ProtectedError):
        movement.lot.delete()

    assert StockLot.objects.get() == movement.lot


def test_lot_with_movements_cannot_be_deleted_by_sql_and_committed(movement: StockMovement) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        delete_all_lots_and_look_at_what_points_to_them()

    assert StockLot.objects.get() == movement.lot


# The database

STATEMENTS = [
    "UPDATE stock_stockmovement SET change = 6",
    "UPDATE stock_stockmovement SET reference = 'something else'",
    "UPDATE stock_stockmovement SET change = change",
    "DELETE FROM stock_stockmovement",
    "DELETE FROM stock_stockmovement WHERE change = 5",
    (
        "INSERT INTO stock_stockmovement (id, lot_id, change, reason, reference, created_at) "
        "SELECT id, lot_id, 6, reason, reference, created_at FROM stock_stockmovement WHERE true "
        "ON CONFLICT (id) DO UPDATE SET change = 6"
    ),
]
OF_ONE_ENGINE = {
    "sqlite": [
        (
            "INSERT OR REPLACE INTO stock_stockmovement (id, lot_id, change, reason, reference, created_at) "
            "SELECT id, lot_id, 6, reason, reference, created_at FROM stock_stockmovement"
        ),
        "INSERT OR REPLACE INTO stock_stocklot SELECT * FROM stock_stocklot",
    ],
    "postgresql": ["TRUNCATE stock_stockmovement", "TRUNCATE accounts_user CASCADE"],
}[connection.vendor]


@pytest.mark.parametrize("statement", STATEMENTS + OF_ONE_ENGINE, ids=lambda statement: statement[:50])
def test_database_refuses_to_rewrite_the_ledger(movement: StockMovement, statement: str) -> None:
    before = ledger()
    connection.check_constraints()

    with pytest.raises(IntegrityError, match=r"stock (movement|lot)s? (is|are) never"), transaction.atomic():
        execute(statement)

    assert ledger() == before


def test_movements_are_written_one_after_the_other(movement: StockMovement) -> None:
    for change in (1, -1):
        execute(
            "INSERT INTO stock_stockmovement (lot_id, change, reason, reference, created_at) "
            "VALUES (%s, %s, 'corrected', '', %s)",
            movement.lot_id,
            change,
            timezone.now(),
        )

    assert list(StockMovement.objects.order_by("pk").values_list("change", flat=True)) == [5, 1, -1]


@pytest.mark.parametrize("fact", ["reseller", "contract", "product", "quantity", "received_at"])
def test_database_refuses_to_change_what_a_lot_came_in_as(movement: StockMovement, fact: str) -> None:
    other: dict[str, Callable[[], Any]] = {
        "reseller": ResellerFactory,
        "contract": lambda: ContractProductFactory().contract,
        "product": ProductFactory,
        "quantity": lambda: 6,
        "received_at": lambda: movement.lot.received_at - timedelta(days=1),
    }
    change = {fact: other[fact]()}

    with pytest.raises(IntegrityError, match="stays what it came in as"), transaction.atomic():
        StockLot.objects.update(**change)

    assert StockLot.objects.filter(pk=movement.lot.pk, quantity=5).exclude(**change).exists()


def test_rest_of_a_lot_may_change(movement: StockMovement) -> None:
    lot = movement.lot

    StockLot.objects.update(use_by=F("use_by"), term_months=6, end_rule="month_end", remaining=4)
    lot.use_by += timedelta(days=30)
    lot.save()

    changed = StockLot.objects.get()
    assert (changed.use_by, changed.quantity) == (lot.use_by, 5)


# What holds it


def test_check_is_content_where_the_triggers_are() -> None:
    assert warnings() == []


@pytest.mark.parametrize("name", TRIGGERS)
def test_check_names_a_trigger_that_is_missing_and_migrate_puts_it_back(name: str) -> None:
    drop(name)

    [warning] = warnings()
    call_command("migrate", verbosity=0)

    assert name in warning
    assert "manage.py migrate" in warning
    assert warnings() == []


def test_check_command_fails_when_a_trigger_is_missing() -> None:
    drop("stock_movement_not_changed")

    with pytest.raises(SystemCheckError, match="stock_movement_not_changed"):
        call_command("check", databases=["default"], fail_level="WARNING", stderr=StringIO())


@pytest.mark.postgresql_only
@pytest.mark.parametrize(
    "sabotage",
    [
        "ALTER TABLE stock_stockmovement DISABLE TRIGGER stock_movement_not_changed",
        "CREATE OR REPLACE FUNCTION stock_refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$",
    ],
)
def test_check_notices_a_trigger_that_does_nothing(sabotage: str) -> None:
    execute(sabotage)

    before = warnings()
    call_command("migrate", verbosity=0)

    assert "stock_movement_not_changed" in before[0]
    assert warnings() == []


@sqlite_only
def test_check_notices_a_trigger_of_the_same_name_that_does_nothing() -> None:
    drop("stock_movement_not_changed")
    execute("CREATE TRIGGER stock_movement_not_changed BEFORE UPDATE ON stock_stockmovement BEGIN SELECT 1; END")

    before = warnings()
    call_command("migrate", verbosity=0)

    assert "stock_movement_not_changed" in before[0]
    assert warnings() == []


@sqlite_only
@pytest.mark.django_db(transaction=True)
def test_migrate_puts_back_what_the_rebuilding_of_a_table_drops(movement: StockMovement) -> None:
    as_it_is = StockMovement._meta.get_field("reference")
    longer: models.Field[Any, Any] = models.CharField(max_length=300)
    longer.set_attributes_from_name("reference")
    try:
        with connection.schema_editor() as editor:
            editor.alter_field(StockMovement, as_it_is, longer)
        after_the_rebuilding = triggers.missing(connection)
        call_command("migrate", verbosity=0)
        after_migrate = triggers.missing(connection)
    finally:
        with connection.schema_editor() as editor:
            editor.alter_field(StockMovement, longer, as_it_is)
        triggers.install_missing(connection)

    assert "stock_movement_not_changed" in after_the_rebuilding
    assert after_migrate == []
    assert len(ledger()) == 1


@pytest.mark.django_db(transaction=True)
def test_migration_is_reversible(movement: StockMovement) -> None:
    try:
        call_command("migrate", "stock", "0001", verbosity=0)
        expected, held = warnings(), LEDGER.present(connection)
        execute("UPDATE stock_stockmovement SET reference = 'changed'")
    finally:
        call_command("migrate", verbosity=0)

    assert (expected, held) == ([], set())
    assert ledger()[0]["reference"] == "changed"
    assert LEDGER.present(connection) == set(TRIGGERS)


# Emptying the whole database


@pytest.mark.django_db(transaction=True)
def test_flush_empties_the_ledger_and_leaves_it_held(movement: StockMovement) -> None:
    call_command("flush", interactive=False, verbosity=0)

    assert ledger() == []
    assert warnings() == []


@pytest.mark.django_db(transaction=True)
def test_flush_that_is_not_confirmed_leaves_all_as_it_was(
    movement: StockMovement, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ledger()
    monkeypatch.setattr("builtins.input", lambda question: "no")

    call_command("flush", stdout=StringIO())

    assert ledger() == before
    assert LEDGER.present(connection) == set(TRIGGERS)
