from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from guard.triggers import register
from stock.triggers import LEDGER


class StockConfig(AppConfig):
    name = "stock"
    verbose_name = _("Stock")

    def ready(self) -> None:
        register(LEDGER)
