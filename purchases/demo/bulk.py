"""Many licenses, to try the portal at full size: `seed_demo --licenses N`."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from django.core.management.base import OutputWrapper
from django.db import connection, reset_queries, transaction
from django.db.models import Count, Sum

from purchases.demo.crowd import SMALL_SHOPS, Shop, set_up_large_shop, set_up_products, set_up_small_shop
from purchases.demo.orders import Order, licenses_of, purchase_of
from purchases.demo.progress import Progress
from purchases.models import License, Purchase

CHUNK = 20_000
"""About so many licenses are held in memory and written in one transaction."""


def top_up_licenses(wanted: int, *, stream: OutputWrapper) -> None:
    """Bring the number of bulk licenses up to what is wanted, half of them in one large reseller.

    Each order follows from its place in its row of orders, and a row goes on where it ended: the same
    wish again adds nothing. The large reseller comes first, so the newest rows are other resellers'.
    """
    with transaction.atomic():
        products = set_up_products()
        large = [set_up_large_shop(products)]
        small = [set_up_small_shop(number, products) for number in range(1, SMALL_SHOPS + 1)]
        rows = [
            _continued("large", large, up_to=wanted - wanted // 2),
            _continued("small", small, up_to=wanted // 2),
        ]
    progress = Progress(sum(row.missing for row in rows), of="licenses", stream=stream)
    for chunk in _chunks(order for row in rows for order in _orders(row)):
        _write(chunk)
        progress.advance(sum(order.quantity for order in chunk))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


@dataclass(frozen=True)
class _Row:
    """A row of orders: of which shops, how many there are, and how many licenses are missing."""

    name: str
    shops: Sequence[Shop]
    length: int
    missing: int


def _continued(name: str, shops: Sequence[Shop], *, up_to: int) -> _Row:
    placed = Purchase.objects.filter(placed_by__in=[shop.buyer for shop in shops])
    so_far = placed.aggregate(orders=Count("pk"), licenses=Sum("quantity", default=0))
    return _Row(name, shops, length=so_far["orders"], missing=max(0, up_to - so_far["licenses"]))


def _orders(row: _Row) -> Iterator[Order]:
    """The orders that the row is short of; the last one is as small as it must be."""
    missing = row.missing
    for position in itertools.count(row.length):
        if missing == 0:
            return
        order = _order(f"demo: {row.name} {position}", row.shops, at_most=missing)
        missing -= order.quantity
        yield order


def _order(name: str, shops: Sequence[Shop], *, at_most: int) -> Order:
    """The order with the name: any shop, account, product, quantity and day of three years."""
    chance = Random(name)  # noqa: S311 - the same order each time is the point
    shop = chance.choice(shops)
    offer = chance.choice(shop.offers)
    today = offer.contract.reseller.today()
    starts_on = today - timedelta(days=chance.randrange(-45, 3 * 365))
    a_few_accounts_have_many = chance.random() ** 2
    return Order(
        name=name,
        contract=offer.contract,
        account_id=shop.account_ids[int(len(shop.account_ids) * a_few_accounts_have_many)],
        product_id=offer.product_id,
        quantity=min(chance.randint(1, 50), at_most),
        unit_price=offer.unit_price,
        terms=offer.terms,
        placed_by=shop.buyer,
        placed_on=min(starts_on, today - timedelta(days=1)),
        starts_on=starts_on,
        is_cancelled=chance.random() < 0.02,
    )


def _chunks(orders: Iterable[Order]) -> Iterator[list[Order]]:
    """The orders in lists of about CHUNK licenses each."""
    chunk: list[Order] = []
    licenses = 0
    for order in orders:
        chunk.append(order)
        licenses += order.quantity
        if licenses >= CHUNK:
            yield chunk
            chunk, licenses = [], 0
    if chunk:
        yield chunk


def _write(orders: Sequence[Order]) -> None:
    with transaction.atomic():
        purchases = Purchase.objects.bulk_create([purchase_of(order) for order in orders])
        licenses = (licenses_of(order, purchase) for order, purchase in zip(orders, purchases, strict=True))
        # Like statements again and again: SQLite keeps the last hundred prepared, however long they are.
        License.objects.bulk_create(itertools.chain.from_iterable(licenses), batch_size=1_000)
    reset_queries()  # with DEBUG on, Django keeps the text of every statement
