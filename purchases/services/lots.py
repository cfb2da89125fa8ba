"""Lots as the portal shows them: which can be narrowed to, and which purchase each came of."""

from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import User
from contracts.models import Contract
from listing.pages import At, Page
from products.models import Product
from purchases.models import License, Purchase
from purchases.services.holdings import LICENSES, LICENSES_SHOWN
from purchases.services.offered import OFFERED, Offer, offers
from stock.models import StockLot, StockLotQuerySet, StockMovement
from stock.services.ledger import StockFilter


def offered_lots(user: User, narrowed: StockFilter) -> dict[str, Offer]:
    """The contracts and products of which the user's reseller has, or had, stock; in one statement."""
    lots = StockLot.objects.visible_to(user).order_by()
    first: dict[str, QuerySet[Any]] = {
        "contract": Contract.objects.filter(pk__in=lots.values("contract")).order_by("number", "pk")[: OFFERED + 1],
        "product": Product.objects.filter(pk__in=lots.values("product")).order_by("name", "pk")[: OFFERED + 1],
    }
    return offers(first, chosen={"contract": narrowed.contract, "product": narrowed.product})


def purchase_of_lot(lot: StockLot) -> Purchase | None:
    """The purchase by which the lot came in; None if the operator took it in."""
    received = lot.movements.filter(reason=StockMovement.Reason.RECEIVED)
    purchases = Purchase.objects.filter(reseller=lot.reseller_id, kind=Purchase.Kind.STOCK)
    return purchases.filter(number__in=received.values("reference")).first()


def with_given(lots: StockLotQuerySet) -> StockLotQuerySet:
    """Annotate the lots with `given`: how many licenses came from each, given back or not."""
    of_lot = License.objects.filter(stock_lot=OuterRef("pk")).order_by().values("stock_lot").annotate(n=Count("pk"))
    return lots.annotate(given=Coalesce(Subquery(of_lot.values("n")), 0))


def licenses_from(lot: StockLot, *, at: At) -> Page[License]:
    """A page of the licenses that came from the lot, given back or not."""
    return LICENSES.page(lot.licenses.select_related("account"), size=LICENSES_SHOWN, at=at)


def lot_of_purchase(purchase: Purchase) -> StockLot | None:
    """The lot that the purchase brought in; None if its licenses went to an account."""
    if purchase.kind != Purchase.Kind.STOCK:
        return None
    lots = StockLot.objects.filter(contract=purchase.contract_id, product=purchase.product_id)
    return lots.filter(movements__reason=StockMovement.Reason.RECEIVED, movements__reference=purchase.number).first()
