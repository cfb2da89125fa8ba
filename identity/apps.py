from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IdentityConfig(AppConfig):
    name = "identity"
    verbose_name = _("Sign-in")

    def ready(self) -> None:
        from identity import acts  # noqa: PLC0415 - models are there once all apps are

        acts.connect()
