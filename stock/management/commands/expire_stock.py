"""Write off stock whose last day is over: `manage.py expire_stock`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.utils import timezone

from stock.services.lapse import lapse


class Command(BaseCommand):
    help = (
        "Write off what is left of stock lots whose last day is over in their reseller's time zone. Meant for a daily "
        "timer; it can be run at any time, on several machines at once, and again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            lapsed = lapse(at=timezone.now())
        except OperationalError as error:
            cause = str(error).splitlines()[0]
            raise CommandError(
                f"Broken off: {cause}. What was written off stays so. Run the command again for the rest."
            ) from error
        self.stdout.write(f"Lots written off: {lapsed.lots}. Licenses written off: {lapsed.licenses}.")
