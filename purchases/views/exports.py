"""Downloads of whole lists, and the list of those.

They are recorded, so they are posted: nothing that fetches links ahead makes one.
"""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from django.core.exceptions import BadRequest
from django.db.models import TextChoices
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.requests import ResellerRequest
from listing import csv_files, workbooks
from listing.pages import At
from listing.tables import Table
from purchases.models import Export, LicenseState
from purchases.services import sorting
from purchases.services.exports import exported_file, exports_of, start_export, table_of_licenses, table_of_lots
from purchases.services.filters import NothingNamed, read_license_filter
from purchases.services.sorting import Sort
from purchases.views.licenses import TABS
from purchases.views.stock import stock_filter_asked

CONTENT_TYPES = {Export.Kind.CSV: csv_files.CONTENT_TYPE, Export.Kind.XLSX: workbooks.CONTENT_TYPE}


@require_safe
def exports(request: ResellerRequest) -> HttpResponse:
    """Who took which list away, the newest first."""
    page = exports_of(request.user, at=At.asked(request.GET))
    context = {
        "section": "licenses",
        "exports": [(export, _list_of(export)) for export in page.rows],
        "previous_url": page.previous and reverse("exports", query={"before": page.previous}),
        "next_url": page.next and reverse("exports", query={"after": page.next}),
    }
    return render(request, "purchases/exports.html", context)


@require_POST
def licenses(request: ResellerRequest) -> StreamingHttpResponse:
    """The licenses of a tab, narrowed and sorted as its page was."""
    kind = _choice(request, "kind", Export.Kind)
    state = _choice(request, "state", LicenseState)
    try:
        narrowed = read_license_filter(request.POST, user=request.user, state=state)
    except NothingNamed:
        raise Http404 from None
    if narrowed.unread:
        raise BadRequest(narrowed.unread)  # else more would leave the house than was asked for
    sort = Sort.asked(request.POST)
    table = table_of_licenses(
        sort.narrowed(narrowed.licenses(request.user, on=request.today), user=request.user),
        order=sorting.LICENSES[sort],
        on=request.today,
        time_zone=ZoneInfo(request.reseller.time_zone),
    )
    export = start_export(
        content=Export.Content.LICENSES,
        kind=kind,
        filters={"state": state.value, **narrowed.parameters},
        exported_by=request.user,
        reseller=request.reseller,
    )
    in_words = [(_("State"), str(state.label)), *narrowed.in_words()]
    return _download(export, table, in_words, name=f"licenses-{state.value}-{request.today:%Y-%m-%d}")


@require_POST
def stock_lots(request: ResellerRequest) -> StreamingHttpResponse:
    """The lots in stock, or those that are over, narrowed as their page was."""
    kind = _choice(request, "kind", Export.Kind)
    shows_over = request.POST.get("show") == "over"
    narrowed = stock_filter_asked(request.POST, user=request.user)
    lots = narrowed.lots(request.user)
    export = start_export(
        content=Export.Content.STOCK_LOTS,
        kind=kind,
        filters=narrowed.parameters | ({"show": "over"} if shows_over else {}),
        exported_by=request.user,
        reseller=request.reseller,
    )
    in_words = [(_("State"), _("Used up or lapsed") if shows_over else _("In stock"))]
    if narrowed.product:
        in_words.append((_("Product"), str(narrowed.product)))
    if narrowed.contract:
        in_words.append((_("Contract"), narrowed.contract.number))
    table = table_of_lots(
        lots.over(on=request.today) if shows_over else lots.in_stock(on=request.today),
        time_zone=ZoneInfo(request.reseller.time_zone),
    )
    name = "stock-lots-over" if shows_over else "stock-lots"
    return _download(export, table, in_words, name=f"{name}-{request.today:%Y-%m-%d}")


def _list_of(export: Export) -> tuple[str, str]:
    """The list that was taken away, in words, and the address where it stands as it is now."""
    narrowed = dict(export.filters)
    if export.content == Export.Content.STOCK_LOTS:
        words = _("Stock: used up or lapsed") if "show" in narrowed else _("Stock")
        return words, reverse("stock", query=narrowed)
    state = LicenseState(narrowed.pop("state"))
    return _("Licenses: %(state)s") % {"state": state.label}, reverse(TABS[state], query=narrowed)


def _choice[Choice: TextChoices](request: ResellerRequest, name: str, choices: type[Choice]) -> Choice:
    try:
        return choices(request.POST.get(name, ""))
    except ValueError as error:
        raise BadRequest(name) from error


def _download(export: Export, table: Table, narrowed: Sequence[tuple[str, str]], *, name: str) -> StreamingHttpResponse:
    kind = Export.Kind(export.kind)
    disposition = content_disposition_header(as_attachment=True, filename=f"{name}.{kind.value}")
    return StreamingHttpResponse(
        exported_file(export, table, narrowed=narrowed),
        content_type=CONTENT_TYPES[kind],
        headers={"Content-Disposition": disposition or ""},
    )
