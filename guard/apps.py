from typing import Any

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db import connections
from django.db.models.signals import post_migrate

from guard.checks import check_triggers
from guard.triggers import install_missing


class GuardConfig(AppConfig):
    name = "guard"

    def ready(self) -> None:
        register(check_triggers, Tags.database)
        post_migrate.connect(_put_triggers_back, sender=self)


def _put_triggers_back(*, using: str, **others: Any) -> None:
    install_missing(connections[using])
