"""Compare stock with its movements and licenses: `manage.py check_stock`."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from purchases.services.stock_audit import audit
from stock.models import StockLot


class Command(BaseCommand):
    help = (
        "Recompute every stock lot from its movements and from the licenses that came from it. Names each difference, "
        "and exits with status 1 if there is any. It changes nothing and can be run at any time."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        checked = different = 0
        for lot, differences in audit(StockLot.objects.all()):
            checked += 1
            different += bool(differences)
            for difference in differences:
                self.stdout.write(f"Lot {lot}: {difference}")
        self.stdout.write(f"Lots checked: {checked}. Lots that disagree: {different}.")
        if different:
            sys.exit(1)
