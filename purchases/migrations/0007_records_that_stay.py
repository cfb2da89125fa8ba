from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from purchases.triggers import RECORDS


def install_triggers(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    RECORDS.install(schema_editor.connection)


def remove_triggers(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    RECORDS.remove(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("purchases", "0006_exports")]

    operations = [
        migrations.AlterModelOptions(
            name="export",
            options={
                "base_manager_name": "objects",
                "ordering": ["-started_at", "-pk"],
                "verbose_name": "export",
                "verbose_name_plural": "exports",
            },
        ),
        migrations.AlterModelOptions(
            name="license",
            options={
                "base_manager_name": "objects",
                "ordering": ["ends_on", "pk"],
                "verbose_name": "license",
                "verbose_name_plural": "licenses",
            },
        ),
        migrations.AlterModelOptions(
            name="purchase",
            options={
                "base_manager_name": "objects",
                "ordering": ["-placed_at", "-pk"],
                "verbose_name": "purchase",
                "verbose_name_plural": "purchases",
            },
        ),
        migrations.RunPython(install_triggers, remove_triggers),
    ]
