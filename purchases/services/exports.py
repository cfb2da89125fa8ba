"""Lists that somebody takes away as a file: the record of it, and the bytes."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Reseller, User
from audit.models import Act
from audit.services import record
from listing.csv_files import csv_file
from listing.pages import At, Order, Page
from listing.tables import Cells, Column, Table
from listing.workbooks import workbook
from purchases.models import Export, LicenseQuerySet, LicenseState, state_of_period
from stock.models import StockLotQuerySet
from stock.services.ledger import LOTS

BATCH = 2_000
"""So many rows are read by one statement, and sent together."""

EXPORTS_SHOWN = 25

EXPORTS = Order({"started_at": datetime, "pk": int}, falling=True)
"""The newest first."""

_OF_LICENSE = (
    *("key", "product__name", "product__sku", "account__name", "account__reference", "contract__number"),
    *("cancelled_at", "purchase__number", "purchase__po_number", "stock_lot_id"),
)
_OF_LOT = ("product__name", "product__sku", "contract__number", "remaining", "quantity", "received_at")


def start_export(
    *, content: Export.Content, kind: Export.Kind, filters: Mapping[str, str], exported_by: User, reseller: Reseller
) -> Export:
    """Record that the user takes the list away, whatever becomes of the download."""
    with transaction.atomic():
        export = Export.objects.create(
            content=content,
            kind=kind,
            filters=dict(filters),
            reseller=reseller,
            exported_by=exported_by,
            started_at=timezone.now(),
        )
        record(Act.EXPORTED, by=exported_by, on=export, detail=f"{content} {kind}")
    return export


def exports_of(user: User, *, at: At) -> Page[Export]:
    """A page of what the people of the user's reseller took away, the newest first."""
    rows = Export.objects.visible_to(user).select_related("exported_by")
    return EXPORTS.page(rows, size=EXPORTS_SHOWN, at=at)


def exported_file(export: Export, table: Table, *, narrowed: Sequence[tuple[str, str]]) -> Generator[bytes]:
    """The bytes of the file, a batch of rows at a time, with what narrowed the list as label and words.

    The record is completed after the last byte; a download that is broken off leaves it with the rows so far. All that
    depends on the language is said before the first byte: the bytes are made after the request is over.
    """
    counted = replace(table, batches=_counted(table.batches, export))
    if export.kind == Export.Kind.CSV:
        return _completing(export, csv_file(counted))
    return _completing(export, workbook(counted, _about(export, narrowed)))


def table_of_licenses(licenses: LicenseQuerySet, *, order: Order, on: date, time_zone: ZoneInfo) -> Table:
    """The licenses one by one in an order of the license tabs, with the state of each on the day."""
    columns = [
        Column(_("License key"), 32),
        Column(_("Product"), 24),
        Column(_("SKU"), 14),
        Column(_("Account"), 32),
        Column(_("Reference"), 14),
        Column(_("Contract"), 14),
        Column(_("Starts"), 12),
        Column(_("Ends"), 12),
        Column(_("State"), 12),
        Column(_("Cancelled"), 12),
        Column(_("Purchase"), 14),
        Column(_("PO number"), 18),
        Column(_("Stock lot"), 10),
    ]
    labels = {state: str(state.label) for state in LicenseState}

    def cells(row: dict[str, Any]) -> Cells:
        starts_on, ends_on, cancelled_at = row["starts_on"], row["ends_on"], row["cancelled_at"]
        state = LicenseState.INVALID if cancelled_at else state_of_period(starts_on, ends_on, on=on)
        return (
            row["key"],
            row["product__name"],
            row["product__sku"],
            row["account__name"],
            row["account__reference"],
            row["contract__number"],
            starts_on,
            ends_on,
            labels[state],
            timezone.localdate(cancelled_at, time_zone) if cancelled_at else None,
            row["purchase__number"],
            row["purchase__po_number"],
            row["stock_lot_id"],
        )

    fields = dict.fromkeys([*order.columns, "starts_on", "ends_on", *_OF_LICENSE])
    batches = order.batches(licenses.values(*fields), size=BATCH)
    return Table(_("Licenses"), columns, (list(map(cells, batch)) for batch in batches))


def table_of_lots(lots: StockLotQuerySet, *, time_zone: ZoneInfo) -> Table:
    """The lots, by soonest use-by."""
    columns = [
        Column(_("Lot"), 10),
        Column(_("Product"), 24),
        Column(_("SKU"), 14),
        Column(_("Contract"), 14),
        Column(_("Remaining"), 12),
        Column(_("Quantity"), 12),
        Column(_("Use by"), 12),
        Column(_("Received"), 12),
    ]

    def cells(row: dict[str, Any]) -> Cells:
        return (
            row["pk"],
            row["product__name"],
            row["product__sku"],
            row["contract__number"],
            row["remaining"],
            row["quantity"],
            row["use_by"],
            timezone.localdate(row["received_at"], time_zone),
        )

    batches = LOTS.batches(lots.values(*LOTS.columns, *_OF_LOT), size=BATCH)
    return Table(_("Stock lots"), columns, (list(map(cells, batch)) for batch in batches))


def _counted(batches: Iterable[Sequence[Cells]], export: Export) -> Iterator[Sequence[Cells]]:
    for batch in batches:
        export.rows += len(batch)
        yield batch


def _completing(export: Export, file: Iterator[bytes]) -> Generator[bytes]:
    try:
        yield from file
        export.finished_at = timezone.now()
    finally:
        export.save(update_fields=["rows", "finished_at"])


def _about(export: Export, narrowed: Sequence[tuple[str, str]]) -> Table:
    """What is in the file, and who took it away when."""
    time_zone = export.reseller.time_zone
    at = export.started_at.astimezone(ZoneInfo(time_zone))
    facts = [
        (_("Content"), str(export.get_content_display())),
        *narrowed,
        (_("Exported at"), f"{at:%Y-%m-%d %H:%M} {time_zone}"),
        (_("Exported by"), str(export.exported_by)),
        (_("Reseller"), export.reseller.name),
    ]
    rows = _("Rows")
    columns = [Column(_("About this file"), 24), Column(_("Value"), 60)]
    # The rows are known only when this sheet is written, after the others.
    return Table(_("About"), columns, ([*facts, (rows, export.rows)] for _once in range(1)))
