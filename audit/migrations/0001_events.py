from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


from audit.triggers import LOG


def install_triggers(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    LOG.install(schema_editor.connection)


def remove_triggers(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    LOG.remove(schema_editor.connection)


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "act",
                    models.CharField(
                        choices=[
                            ("signed_in", "Signed in"),
                            ("sign_in_failed", "Sign-in failed"),
                            ("signed_out", "Signed out"),
                            ("refused", "Was refused"),
                            ("purchased", "Bought"),
                            ("gave_back", "Gave back to stock"),
                            ("stock_received", "Took stock in"),
                            ("stock_corrected", "Corrected stock"),
                            ("stock_lapsed", "Wrote stock off"),
                            ("exported", "Took a list away"),
                            ("grants_changed", "Changed grants"),
                            ("added", "Added"),
                            ("changed", "Changed"),
                            ("deleted", "Deleted"),
                        ],
                        max_length=20,
                        verbose_name="act",
                    ),
                ),
                ("actor_id", models.BigIntegerField(blank=True, null=True, verbose_name="user")),
                (
                    "actor",
                    models.CharField(
                        blank=True,
                        help_text="The e-mail address then. Empty: the system itself.",
                        max_length=254,
                        verbose_name="who",
                    ),
                ),
                ("object_type", models.CharField(blank=True, max_length=60, verbose_name="kind")),
                ("object_id", models.CharField(blank=True, max_length=40, verbose_name="key")),
                ("object_label", models.CharField(blank=True, max_length=200, verbose_name="on what")),
                ("detail", models.CharField(blank=True, max_length=200, verbose_name="detail")),
                ("address", models.GenericIPAddressField(blank=True, null=True, verbose_name="from where")),
            ],
            options={
                "verbose_name": "audit event",
                "verbose_name_plural": "audit log",
                "ordering": ["-pk"],
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["actor", "-id"], name="audit_by_actor"),
                    models.Index(fields=["object_label", "-id"], name="audit_by_object"),
                    models.Index(fields=["act", "-id"], name="audit_by_act"),
                ],
            },
        ),
        migrations.RunPython(install_triggers, remove_triggers),
    ]
