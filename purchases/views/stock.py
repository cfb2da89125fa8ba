"""Stock: the lots, what lapses soon and for whom it could be used, and one lot with its movements."""

from django.db.models import Model, QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.requests import ResellerRequest
from contracts.models import Contract
from contracts.services.permission import may_create_any_licenses
from listing.pages import At
from products.models import Product
from purchases.services.lapsing import lapsing_lots
from purchases.services.lots import licenses_from, offered_lots, purchase_of_lot, with_given
from stock.models import StockLot
from stock.services.ledger import (
    StockFilter,
    entries_of,
    lots_in_stock,
    lots_that_are_over,
    stock_by_product,
    totals_of,
)
from stock.wording import use_by_in_words
from text.keys import key_written


@require_safe
def stock(request: ResellerRequest) -> HttpResponse:
    """The lots that can be taken from, the soonest to be used first; or those that are over."""
    user, today = request.user, request.today
    shows_over = request.GET.get("show") == "over"
    narrowed = stock_filter_asked(request.GET, user=user)
    lots_shown = lots_that_are_over if shows_over else lots_in_stock
    page = lots_shown(user, narrowed=narrowed, on=today, at=At.asked(request.GET))
    kept = narrowed.parameters | ({"show": "over"} if shows_over else {})
    is_first_page = not (shows_over or narrowed.parameters or {"after", "before"} & set(request.GET))
    context = {
        "section": "stock",
        "shows_over": shows_over,
        "narrowed": narrowed,
        "offered": offered_lots(user, narrowed),
        "kept": kept,
        "totals": totals_of(user, on=today),
        "by_product": stock_by_product(user, on=today) if is_first_page else [],
        "lapsing": lapsing_lots(user, on=today) if is_first_page else [],
        "may_buy": may_create_any_licenses(user),
        "lots": [(lot, use_by_in_words(lot, on=today)) for lot in page.rows],
        "all_url": reverse("stock", query={"show": "over"} if shows_over else {}),
        "in_stock_url": reverse("stock", query=narrowed.parameters),
        "over_url": reverse("stock", query={**narrowed.parameters, "show": "over"}),
        "previous_url": page.previous and reverse("stock", query={**kept, "before": page.previous}),
        "next_url": page.next and reverse("stock", query={**kept, "after": page.next}),
    }
    return render(request, "stock/stock.html", context)


@require_safe
def lot(request: ResellerRequest, lot_id: int) -> HttpResponse:
    """One lot: how it came and went, and the licenses that came from it."""
    rows = StockLot.objects.visible_to(request.user).select_related("contract", "product")
    lot = get_object_or_404(with_given(rows), pk=lot_id)
    entries = entries_of(lot, at=At.asked(request.GET))
    licenses = licenses_from(lot, at=At.asked(request.GET, prefix="license_"))
    here = reverse("stock_lot", args=[lot.pk])
    context = {
        "section": "stock",
        "lot": lot,
        "purchase": purchase_of_lot(lot),
        "use_by": use_by_in_words(lot, on=request.today),
        "may_move": lot.remaining > 0 and lot.use_by >= request.today and may_create_any_licenses(request.user),
        "entries": entries.rows,
        "earlier_entries_url": entries.previous and f"{here}?before={entries.previous}",
        "later_entries_url": entries.next and f"{here}?after={entries.next}",
        "licenses": licenses.rows,
        "previous_licenses_url": licenses.previous and f"{here}?license_before={licenses.previous}",
        "next_licenses_url": licenses.next and f"{here}?license_after={licenses.next}",
    }
    return render(request, "stock/lot.html", context)


def stock_filter_asked(parameters: QueryDict, *, user: User) -> StockFilter:
    """As an address or a form says it; 404 for a contract or product that the user cannot see or that is none."""
    return StockFilter(
        product=_row_named(parameters, "product", Product.objects.all()),
        contract=_row_named(parameters, "contract", Contract.objects.visible_to(user)),
    )


def _row_named[Row: Model](parameters: QueryDict, name: str, rows: QuerySet[Row]) -> Row | None:
    """The row whose key is named; 404 if there is none among the rows."""
    if not (written := parameters.get(name, "")):
        return None
    return get_object_or_404(rows, pk=key_written(written))
