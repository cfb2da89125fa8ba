from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from audit.triggers import LOG
from guard.triggers import register


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = _("Audit")

    def ready(self) -> None:
        register(LOG)
        from audit import sign_ins  # noqa: PLC0415 - models are there once all apps are

        sign_ins.connect()
