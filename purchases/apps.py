from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from guard.triggers import register
from purchases.triggers import RECORDS


class PurchasesConfig(AppConfig):
    name = "purchases"
    verbose_name = _("Purchases")

    def ready(self) -> None:
        register(RECORDS)
