"""Support reads everything, and so the audit log; a role that was renamed or taken away meanwhile is left alone."""

from typing import Any

from django.apps.registry import Apps
from django.db import migrations


def let_support_read(apps: Apps, schema_editor: object) -> None:
    for group in _support(apps):
        group.permissions.add(_permission(apps))


def let_support_read_no_more(apps: Apps, schema_editor: object) -> None:
    for group in _support(apps):
        group.permissions.remove(_permission(apps))


def _support(apps: Apps) -> Any:
    return apps.get_model("auth", "Group").objects.filter(name="Support")


def _permission(apps: Apps) -> Any:
    """The permission, made here as Django would after all migrations, if it is not there yet."""
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="audit", model="auditevent"
    )
    permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type, codename="view_auditevent", defaults={"name": "Can view audit event"}
    )
    return permission


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_roles"),
        ("audit", "0001_events"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(let_support_read, let_support_read_no_more)]
