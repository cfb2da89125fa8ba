"""What was bought: the list of purchases, the parts of one, and its licenses."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Q

from accounts.models import User
from listing.pages import At, Order, Page
from listing.tallies import Tally, tally
from purchases.models import License, LicenseState, Purchase, PurchaseQuerySet, state_of_period
from purchases.services.holdings import LICENSES, LICENSES_SHOWN, LINES
from purchases.services.search import purchases_found_by

PURCHASES_SHOWN = 25

PURCHASES = Order({"placed_at": datetime, "pk": int}, falling=True)
"""The newest first."""


def purchases_of(user: User, *, query: str, at: At) -> tuple[Page[Purchase], Tally]:
    """A page of the purchases that the search finds, the newest first, and how many it finds."""
    found: PurchaseQuerySet = Purchase.objects.visible_to(user).filter(purchases_found_by(query, user=user))
    rows = found.select_related("account", "product", "contract", "placed_by")
    return PURCHASES.page(rows, size=PURCHASES_SHOWN, at=at), tally(found)


@dataclass(frozen=True)
class PurchasePart:
    """The licenses of a purchase from one source that last from one day to another.

    `lot_id` is None for new ones. `line` is the name in addresses of the line they are in.
    """

    lot_id: int | None
    starts_on: date
    ends_on: date
    quantity: int
    cancelled: int
    state: LicenseState
    line: str


def parts_of(purchase: Purchase, *, on: date) -> list[PurchasePart]:
    """The parts of the purchase with the state they are in on the day, those from stock first."""
    groups = (
        License.objects.filter(purchase=purchase)
        .values("stock_lot_id", "starts_on", "ends_on", "account_id", "product_id", "contract_id")
        .annotate(quantity=Count("pk"), cancelled=Count("pk", filter=Q(cancelled_at__isnull=False)))
        .order_by("ends_on", "starts_on", "stock_lot_id")
    )
    parts = [
        PurchasePart(
            lot_id=group["stock_lot_id"],
            starts_on=group["starts_on"],
            ends_on=group["ends_on"],
            quantity=group["quantity"],
            cancelled=group["cancelled"],
            state=LicenseState.INVALID
            if group["cancelled"] == group["quantity"]
            else state_of_period(group["starts_on"], group["ends_on"], on=on),
            line=LINES.place_of(group),
        )
        for group in groups
    ]
    return sorted(parts, key=lambda part: part.lot_id is None)


def licenses_in(purchase: Purchase, *, at: At) -> Page[License]:
    """A page of the licenses of the purchase."""
    return LICENSES.page(License.objects.filter(purchase=purchase), size=LICENSES_SHOWN, at=at)
