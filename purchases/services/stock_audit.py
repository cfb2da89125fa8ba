"""Whether stock agrees with the licenses that came from it."""

from collections import Counter
from collections.abc import Iterator

from django.db.models import Count, Value
from django.utils.translation import gettext as _

from purchases.models import License
from stock.models import StockLotQuerySet
from stock.services.audit import differences_from_movements, gather, statements_of_stock, sums_stated
from text.amounts import count_text


def audit(lots: StockLotQuerySet) -> Iterator[tuple[int, list[str]]]:
    """Each lot's primary key, and where the lot, its movements and its licenses disagree, a sentence each.

    Where nothing is said, what remains is what came in, less what is out and has lapsed, and as corrected.
    """
    licenses = License.objects.filter(stock_lot__in=lots.order_by().values("pk")).order_by()
    statements = [
        *statements_of_stock(lots),
        licenses.values_list("stock_lot", Value("made")).annotate(Count("pk")),
        licenses.values_list("stock_lot", Value("cancelled")).annotate(Count("cancelled_at")),
    ]
    for lot, stated in gather(statements):
        yield lot, differences_from_movements(stated) + _differences_from_licenses(stated)


def _differences_from_licenses(stated: Counter[str]) -> list[str]:
    """A license from stock is cancelled by giving it back, and in no other way."""
    sums = sums_stated(stated)
    differences = []
    if -sums.allocated != stated["made"]:
        differences.append(
            _("By the movements, %(allocated)s went to accounts; by the licenses, %(made)s.")
            % {"allocated": count_text(-sums.allocated), "made": count_text(stated["made"])}
        )
    if sums.returned != stated["cancelled"]:
        differences.append(
            _("By the movements, %(returned)s came back; by the licenses, %(cancelled)s.")
            % {"returned": count_text(sums.returned), "cancelled": count_text(stated["cancelled"])}
        )
    return differences
