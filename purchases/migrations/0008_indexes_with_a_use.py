"""Foreign keys that another index begins with have none of their own any more.

Dropped and made anew without holding up who reads and writes, and without rebuilding a table.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

COVERED = [("License", "reseller"), ("Purchase", "reseller"), ("Export", "reseller"), ("PurchaseDraft", "user")]


def drop_covered(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    connection = schema_editor.connection
    for model_name, name in COVERED:
        model = apps.get_model("purchases", model_name)
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, model._meta.db_table)
        for index, about in found.items():
            if about["index"] and not about["unique"] and about["columns"] == [model._meta.get_field(name).column]:
                schema_editor.execute(f"DROP INDEX {_concurrently(schema_editor)} {schema_editor.quote_name(index)}")


def make_anew(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    quote = schema_editor.quote_name
    for model_name, name in COVERED:
        model = apps.get_model("purchases", model_name)
        table, column = model._meta.db_table, model._meta.get_field(name).column
        schema_editor.execute(
            f"CREATE INDEX {_concurrently(schema_editor)} {quote(f'{table}_{column}')} ON {quote(table)} ({quote(column)})"
        )


def _concurrently(schema_editor: BaseDatabaseSchemaEditor) -> str:
    return "CONCURRENTLY" if schema_editor.connection.vendor == "postgresql" else ""


class Migration(migrations.Migration):
    atomic = False  # nothing else can be done concurrently

    dependencies = [
        ("accounts", "0002_accounts_by_folded_name"),
        ("purchases", "0007_records_that_stay"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="export",
            index=models.Index(fields=["reseller", "-started_at", "-id"], name="export_by_date"),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                *(
                    migrations.AlterField(
                        model_name=model_name,
                        name="reseller",
                        field=models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name=related_name,
                            to="accounts.reseller",
                            verbose_name="reseller",
                        ),
                    )
                    for model_name, related_name in [
                        ("license", "licenses"),
                        ("purchase", "purchases"),
                        ("export", "exports"),
                    ]
                ),
                migrations.AlterField(
                    model_name="purchasedraft",
                    name="user",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="purchase_drafts",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            database_operations=[migrations.RunPython(drop_covered, make_anew, atomic=False)],
        ),
    ]
