"""Load the demo: `manage.py seed_demo [--licenses N] [--force]`."""

from argparse import ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from desk.history import recorded_as
from purchases.demo import agreements, bulk, catalogue, holdings, people


class Command(BaseCommand):
    help = (
        "Load the demo data, dated relative to today. Running it again puts the set-up back and adds what is missing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--licenses",
            type=whole_number,
            default=0,
            metavar="N",
            help="have N further licenses in all, spread over many resellers, half of them in one large reseller",
        )
        parser.add_argument("--force", action="store_true", help="load the demo although DEBUG is off")

    def handle(self, *args: Any, licenses: int, force: bool, **options: Any) -> None:
        if not settings.DEBUG and not force:
            raise CommandError(
                "The demo's users, an operator among them, all have a password that everybody knows, so it is "
                "loaded only where DEBUG is on. To load it here all the same, add --force."
            )
        with recorded_as(reason="The demo was loaded."):
            with transaction.atomic():
                _load()
            if licenses:
                bulk.top_up_licenses(licenses, stream=self.stderr)


def _load() -> None:
    packages = catalogue.set_up_packages()
    products = catalogue.set_up_products(packages)
    resellers = people.set_up_resellers()
    users = people.set_up_users(resellers)
    accounts = people.set_up_accounts(resellers, packages)
    contracts = agreements.set_up_contracts(resellers, products, accounts)
    agreements.set_up_grants(contracts, users)
    holdings.stock_up(contracts, products, operator=users["admin@example.com"])
    holdings.place_orders(contracts, accounts, products, users)


def whole_number(written: str) -> int:
    quantity = int(written)
    if quantity < 0:
        raise ArgumentTypeError("a number of licenses is not below zero")
    return quantity
