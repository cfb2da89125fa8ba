"""The operator's roles: groups that are there from the first day, with the permissions that each needs.

Permissions are usually made after all migrations, so those that are missing are made here, as Django would.
A group that has the name of a role already is somebody else's, and is left alone both ways.
"""

from typing import Any

from django.apps.registry import Apps
from django.db import migrations

RECORDS = {
    "products": ["package", "product"],
    "accounts": ["reseller", "user", "account"],
    "contracts": ["contract", "contractproduct", "contractgrant", "import"],
    "stock": ["stocklot", "stockmovement"],
    "purchases": ["purchasedraft", "purchase", "license", "export"],
    "auth": ["group"],
}
IN_WORDS = {
    "contractproduct": "contract product",
    "contractgrant": "grant",
    "stocklot": "stock lot",
    "stockmovement": "stock movement",
    "purchasedraft": "purchase draft",
}
READING = {f"{app}.view_{model}" for app, models in RECORDS.items() for model in models}
EVERY_WAY = ["add", "change", "delete"]

ROLES = {
    "Contract manager": READING
    | {f"contracts.{way}_{model}" for model in ["contract", "contractproduct", "contractgrant"] for way in EVERY_WAY}
    | {f"accounts.{way}_{model}" for model in ["reseller", "user", "account"] for way in ["add", "change"]}
    | {"contracts.add_import", "contracts.change_import"}
    | {"stock.add_stocklot", "stock.change_stocklot"},
    "Catalogue manager": READING | {f"products.{way}_{model}" for model in ["package", "product"] for way in EVERY_WAY},
    "Support": READING,
}


def make_roles(apps: Apps, schema_editor: object) -> None:
    group_model = apps.get_model("auth", "Group")
    for name, permissions in ROLES.items():
        group, is_new = group_model.objects.get_or_create(name=name)
        if is_new:
            group.permissions.set([_permission(apps, permission) for permission in sorted(permissions)])


def take_roles_away(apps: Apps, schema_editor: object) -> None:
    for name, permissions in ROLES.items():
        for group in apps.get_model("auth", "Group").objects.filter(name=name):
            held = group.permissions.values_list("content_type__app_label", "codename")
            if {f"{app}.{codename}" for app, codename in held} == permissions:
                group.delete()


def _permission(apps: Apps, name: str) -> Any:
    app, codename = name.split(".")
    way, model = codename.split("_")
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(app_label=app, model=model)
    permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type, codename=codename, defaults={"name": f"Can {way} {IN_WORDS.get(model, model)}"}
    )
    return permission


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_history"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_roles, take_roles_away)]
