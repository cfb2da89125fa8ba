from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from stock.triggers import LEDGER


def install_triggers(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    LEDGER.install(schema_editor.connection)


def remove_triggers(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    LEDGER.remove(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("stock", "0001_lots_and_movements")]

    operations = [
        migrations.AlterModelOptions(
            name="stockmovement",
            options={
                "base_manager_name": "objects",
                "ordering": ["created_at", "pk"],
                "verbose_name": "stock movement",
                "verbose_name_plural": "stock movements",
            },
        ),
        migrations.RunPython(install_triggers, remove_triggers),
    ]
