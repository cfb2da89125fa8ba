"""Licenses taken away as files: what is in them, whose they are, and the record of it."""

import csv
import re
import tracemalloc
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from io import BytesIO, StringIO
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import time_machine
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from listing.pages import Order
from purchases.models import Export, License
from purchases.services import exports
from purchases.services.sorting import LICENSES, Sort
from stock.models import StockLot
from tests.factories import (
    AccountFactory,
    ContractFactory,
    ContractProductFactory,
    LicenseFactory,
    ProductFactory,
    PurchaseFactory,
    ResellerFactory,
    UserFactory,
    receive,
)
from tests.pages import links_in, text_of

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
URL = "/exports/licenses/"

HEADINGS = [
    *("License key", "Product", "SKU", "Account", "Reference", "Contract", "Starts", "Ends", "State", "Cancelled"),
    *("Purchase", "PO number", "Stock lot"),
]

every_kind = pytest.mark.parametrize("kind", ["csv", "xlsx"])


@pytest.fixture(autouse=True)
def today() -> object:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def user() -> User:
    return UserFactory(email="viewer@example.com", reseller=ResellerFactory(name="Bosphorus Displays"))


@pytest.fixture
def portal(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def give(user: User, quantity: int = 1, **fields: Any) -> list[License]:
    """Licenses of one line for the user's reseller."""
    purchase = PurchaseFactory(reseller=user.reseller, quantity=quantity)
    return [LicenseFactory(purchase=purchase, **fields) for _ in range(quantity)]


def fill(user: User, quantity: int) -> None:
    """Very many licenses, quickly."""
    (one,) = give(user)
    License.objects.bulk_create(
        License(
            key=f"{one.key[:10]}-{number:07}",
            reseller=one.reseller,
            account=one.account,
            contract=one.contract,
            product=one.product,
            purchase=one.purchase,
            starts_on=one.starts_on,
            ends_on=one.ends_on + timedelta(days=number % 500),
            created_at=one.created_at,
        )
        for number in range(quantity - 1)
    )


def ask(portal: Client, kind: str = "csv", state: str = "active", **parameters: str) -> StreamingHttpResponse:
    answer = portal.post(URL, {"kind": kind, "state": state, **parameters})
    assert answer.status_code == 200
    assert isinstance(answer, StreamingHttpResponse)
    return answer


def bytes_of(answer: StreamingHttpResponse) -> bytes:
    return answer.getvalue()


def rows_of_csv(file: bytes) -> list[list[str]]:
    return list(csv.reader(StringIO(file.decode("utf-8-sig"), newline="")))


def workbook_of(answer: StreamingHttpResponse) -> openpyxl.Workbook:
    return openpyxl.load_workbook(BytesIO(bytes_of(answer)))


def keys_in(answer: StreamingHttpResponse) -> list[str]:
    """The license keys in a file of either kind, in their order."""
    if "csv" in answer.headers["Content-Type"]:
        return [row[0] for row in rows_of_csv(bytes_of(answer))[1:]]
    return [str(cell.value) for cell in workbook_of(answer)["Licenses"]["A"][1:]]


def a_license_with_everything(user: User) -> License:
    account = AccountFactory(reseller=user.reseller, name='İstanbul "Şişli" Okulları,\nmerkez', reference="=1+1")
    contract = ContractFactory(reseller=user.reseller, number="C-1001")
    product = ProductFactory(name="Standard device", sku="DEV-STD")
    lot = receive(contract, product, 3)
    purchase = PurchaseFactory(contract=contract, account=account, product=product, number="P-7QXM", po_number="+90")
    return LicenseFactory(
        purchase=purchase,
        key="ABCDE-FGHIJ",
        stock_lot=lot,
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 1),
        cancelled_at=datetime(2026, 5, 2, 21, 30, tzinfo=UTC),
    )


# What is in the files


def test_csv_holds_each_license_as_it_is(portal: Client, user: User) -> None:
    license = a_license_with_everything(user)

    file = bytes_of(ask(portal, state="invalid"))

    assert file.startswith(b"\xef\xbb\xbfLicense key,")
    assert file.endswith(b"\r\n")
    assert rows_of_csv(file) == [
        HEADINGS,
        [
            *("ABCDE-FGHIJ", "Standard device", "DEV-STD", 'İstanbul "Şişli" Okulları,\nmerkez', "'=1+1", "C-1001"),
            *("2026-01-01", "2026-12-01", "Invalid", "2026-05-03"),  # it was past midnight in Istanbul
            *("P-7QXM", "'+90", str(license.stock_lot_id)),
        ],
    ]


def test_workbook_holds_each_license_in_typed_cells(portal: Client, user: User) -> None:
    license = a_license_with_everything(user)

    sheet = workbook_of(ask(portal, "xlsx", state="invalid"))["Licenses"]

    assert [cell.value for cell in sheet[1]] == HEADINGS
    assert [cell.value for cell in sheet[2]] == [
        *("ABCDE-FGHIJ", "Standard device", "DEV-STD", 'İstanbul "Şişli" Okulları,\nmerkez', "=1+1", "C-1001"),
        *(datetime(2026, 1, 1), datetime(2026, 12, 1), "Invalid", datetime(2026, 5, 3)),  # noqa: DTZ001  # days
        *("P-7QXM", "+90", license.stock_lot_id),
    ]
    assert [cell.data_type for cell in sheet[2]] == ["s"] * 6 + ["d", "d", "s", "d", "s", "s", "n"]
    assert sheet.freeze_panes == "A2"


def test_workbook_says_what_it_holds_and_who_made_it_when(portal: Client, user: User) -> None:
    account = AccountFactory(reseller=user.reseller, name="Ege", reference="ACC-1")
    give(user, 3, account=account)

    book = workbook_of(ask(portal, "xlsx", account=str(account.pk), ends_from="2026-12-01", q="ege"))

    assert book.sheetnames == ["Licenses", "About"]
    assert [[cell.value for cell in row] for row in book["About"].iter_rows(min_row=2)] == [
        ["Content", "Licenses"],
        ["State", "Active"],
        ["Searched for", "ege"],
        ["Account", "Ege (ACC-1)"],
        ["Ends from", "1 December 2026"],
        ["Exported at", "2026-11-24 15:00 Europe/Istanbul"],
        ["Exported by", "viewer@example.com"],
        ["Reseller", "Bosphorus Displays"],
        ["Rows", 3],
    ]


@every_kind
def test_files_speak_the_language_of_the_reader(portal: Client, user: User, kind: str) -> None:
    portal.cookies["django_language"] = "tr"
    give(user)

    answer = ask(portal, kind)

    if kind == "csv":
        heading, row = rows_of_csv(bytes_of(answer))
        assert (heading[0], row[8]) == ("Lisans anahtarı", "Etkin")
    else:
        book = workbook_of(answer)
        assert (book.worksheets[0]["A1"].value, book.worksheets[0]["I2"].value) == ("Lisans anahtarı", "Etkin")


@pytest.mark.parametrize(
    ("state", "starts", "ends"),
    [("active", -90, 90), ("expiring", -90, 30), ("upcoming", 1, 90), ("expired", -90, -1)],
)
@every_kind
def test_a_file_holds_the_licenses_of_its_tab(
    portal: Client, user: User, kind: str, state: str, starts: int, ends: int
) -> None:
    for first, last in [(-90, 90), (-90, 30), (1, 90), (-90, -1)]:
        give(user, starts_on=TODAY + timedelta(days=first), ends_on=TODAY + timedelta(days=last))

    keys = keys_in(ask(portal, kind, state=state))

    wanted = License.objects.in_state(state, on=TODAY)  # type: ignore[arg-type]  # its value
    assert keys == [license.key for license in wanted.order_by("ends_on", "account", "pk")]
    assert License.objects.filter(
        key__in=keys, starts_on=TODAY + timedelta(days=starts), ends_on=TODAY + timedelta(days=ends)
    ).exists()


@every_kind
def test_a_file_holds_exactly_what_is_filtered(portal: Client, user: User, kind: str) -> None:
    wanted, other = give(user, ends_on=date(2027, 5, 1)), give(user, ends_on=date(2027, 5, 1))
    give(user, account=wanted[0].account, ends_on=date(2027, 7, 1))

    answer = ask(
        portal,
        kind,
        account=str(wanted[0].account_id),
        q=wanted[0].account.name,
        ends_from="2027-05-01",
        ends_to="2027-05-31",
    )

    assert keys_in(answer) == [wanted[0].key]
    assert other[0].key not in keys_in(ask(portal, kind, contract=str(wanted[0].contract_id)))


@pytest.mark.parametrize("sort", Sort)
def test_a_file_is_in_the_order_of_its_page(
    portal: Client, user: User, monkeypatch: pytest.MonkeyPatch, sort: Sort
) -> None:
    monkeypatch.setattr(exports, "BATCH", 3)
    for day in range(5):
        starts_on = TODAY - timedelta(days=day * 3 % 5)
        give(user, 2, starts_on=starts_on, ends_on=TODAY + timedelta(days=day * 2 % 5))
    html = portal.get("/licenses/", {"show": "single", "sort": sort.value}).text
    form = re.findall(r'<form method="post" action="/exports/licenses/">.*?</form>', html, re.DOTALL)[0]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))

    keys = keys_in(ask(portal, **fields))

    assert len(keys) == 10
    assert keys == re.findall(r'href="/licenses/(\w{5}[\w-]+)/"', html)


def test_a_file_of_nothing_has_its_header(portal: Client) -> None:
    assert rows_of_csv(bytes_of(ask(portal))) == [HEADINGS]
    assert workbook_of(ask(portal, "xlsx")).sheetnames == ["Licenses", "About"]


@every_kind
def test_a_file_is_named_for_what_it_holds(portal: Client, kind: str) -> None:
    answer = ask(portal, kind, state="expiring")

    assert answer.headers["Content-Disposition"] == f'attachment; filename="licenses-expiring-2026-11-24.{kind}"'
    assert "no-store" in answer.headers["Cache-Control"]


# Long files


@pytest.mark.parametrize("quantity", [1, 3, 4, 5, 8, 9])
@every_kind
def test_every_license_is_there_once_however_the_batches_fall(
    portal: Client, user: User, monkeypatch: pytest.MonkeyPatch, kind: str, quantity: int
) -> None:
    monkeypatch.setattr(exports, "BATCH", 4)
    give(user, quantity)  # all on one day, and so in the order of the keys

    keys = keys_in(ask(portal, kind))

    assert keys == list(License.objects.order_by("pk").values_list("key", flat=True))


def test_licenses_that_arrive_meanwhile_repeat_none(
    portal: Client, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "BATCH", 2)
    there = [license.key for license in give(user, 5, ends_on=date(2027, 5, 1))]

    chunks = []
    for chunk in ask(portal):
        chunks.append(chunk)
        if len(chunks) < 4:
            give(user, ends_on=date(2027, 1, 1))
            give(user, ends_on=date(2027, 9, 1))
    keys = [row[0] for row in rows_of_csv(b"".join(chunks))[1:]]

    assert len(keys) == len(set(keys))
    assert set(there) <= set(keys)


def test_a_license_cancelled_meanwhile_does_not_stop_the_file(
    portal: Client, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "BATCH", 2)
    give(user, 4)

    chunks = []
    for chunk in ask(portal):
        chunks.append(chunk)
        License.objects.update(cancelled_at=timezone.now())

    assert len(rows_of_csv(b"".join(chunks))) == 1  # the header had gone out before


@every_kind
def test_a_file_costs_a_few_statements_and_one_a_batch(
    portal: Client, user: User, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(exports, "BATCH", 10)

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            bytes_of(ask(portal, kind))
        return len(captured)

    fill(user, 9)
    with_one_batch = cost()
    fill(user, 50)

    assert cost() == with_one_batch + 5
    assert with_one_batch <= 8


@every_kind
def test_a_long_file_needs_no_more_memory_than_a_short_one(
    portal: Client, user: User, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(exports, "BATCH", 200)

    def peak() -> int:
        tracemalloc.start()
        try:
            for _chunk in ask(portal, kind):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    fill(user, 1_000)
    bytes_of(ask(portal, kind))
    short = peak()
    fill(user, 9_000)

    assert peak() < 1.5 * short


def test_batches_walk_all_rows_both_rising_and_falling(user: User) -> None:
    give(user, 7)
    keys = list(License.objects.order_by("pk").values_list("pk", flat=True))

    rising = [[row.pk for row in batch] for batch in Order({"pk": int}).batches(License.objects.all(), size=3)]
    falling = Order({"pk": int}, falling=True).batches(License.objects.all(), size=3)

    assert rising == [keys[:3], keys[3:6], keys[6:]]
    assert [row.pk for batch in falling for row in batch] == keys[::-1]


# The record


@every_kind
def test_an_export_is_recorded(portal: Client, user: User, kind: str) -> None:
    (license, _) = give(user, 2)

    bytes_of(ask(portal, kind, product=str(license.product_id), ends_to="2028-01-01", q="  device "))

    export = Export.objects.get()
    assert (export.exported_by, export.reseller) == (user, user.reseller)
    assert (export.content, export.kind, export.rows) == ("licenses", kind, 2)
    assert export.filters == {
        "state": "active",
        "q": "device",
        "product": str(license.product_id),
        "ends_to": "2028-01-01",
    }
    assert (export.started_at, export.finished_at) == (NOON, NOON)


def test_an_export_is_recorded_before_its_first_byte(portal: Client, user: User) -> None:
    give(user)

    ask(portal)

    assert Export.objects.get().finished_at is None


@pytest.mark.parametrize("kind", Export.Kind)
def test_a_download_that_is_broken_off_never_finishes(
    user: User, monkeypatch: pytest.MonkeyPatch, kind: Export.Kind
) -> None:
    monkeypatch.setattr(exports, "BATCH", 2)
    give(user, 9)
    assert user.reseller is not None
    export = exports.start_export(
        content=Export.Content.LICENSES, kind=kind, filters={}, exported_by=user, reseller=user.reseller
    )
    order, time_zone = LICENSES[Sort.END], ZoneInfo("UTC")
    table = exports.table_of_licenses(License.objects.visible_to(user), order=order, on=TODAY, time_zone=time_zone)

    with closing(exports.exported_file(export, table, narrowed=[])) as file:
        next(file)
        next(file)

    export.refresh_from_db()
    assert 0 < export.rows <= 4
    assert export.finished_at is None


def test_exports_are_visible_to_their_own_reseller(portal: Client, user: User) -> None:
    bytes_of(ask(portal))

    assert Export.objects.visible_to(user).count() == 1
    assert Export.objects.visible_to(UserFactory(reseller=user.reseller)).count() == 1
    assert Export.objects.visible_to(UserFactory()).count() == 0


# Who gets what


@every_kind
def test_another_resellers_licenses_are_in_no_file(portal: Client, user: User, kind: str) -> None:
    (mine,) = give(user)
    (theirs,) = give(UserFactory())

    assert keys_in(ask(portal, kind)) == [mine.key]
    assert keys_in(ask(portal, kind, q=theirs.key)) == []


@pytest.mark.parametrize("name", ["account", "contract"])
def test_another_resellers_account_or_contract_is_not_found(portal: Client, name: str) -> None:
    theirs = LicenseFactory()

    answer = portal.post(URL, {"kind": "csv", "state": "active", name: getattr(theirs, f"{name}_id")})

    assert answer.status_code == 404
    assert not Export.objects.exists()


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"kind": "csv"},
        {"state": "active"},
        {"kind": "pdf", "state": "active"},
        {"kind": "csv", "state": "all"},
        {"kind": "csv", "state": "active", "ends_from": "soon"},
    ],
)
def test_what_no_page_sends_is_refused_and_not_recorded(portal: Client, sent: dict[str, str]) -> None:
    assert portal.post(URL, sent).status_code == 400
    assert not Export.objects.exists()


def test_nothing_is_exported_by_following_a_link(portal: Client) -> None:
    assert portal.get(URL, {"kind": "csv", "state": "active"}).status_code == 405
    assert not Export.objects.exists()


def test_who_is_not_signed_in_exports_nothing(client: Client) -> None:
    assert client.post(URL, {"kind": "csv", "state": "active"}).status_code == 302
    assert not Export.objects.exists()


# Stock lots


def lots_of(user: User, *use_by: date) -> list[StockLot]:
    line = ContractProductFactory(reseller=user.reseller)
    return [receive(line.contract, line.product, 3, use_by=day) for day in use_by]


@every_kind
def test_stock_lots_are_exported_by_soonest_use(portal: Client, user: User, kind: str) -> None:
    late, soon, _ = lots_of(user, date(2027, 5, 1), date(2027, 3, 1), date(2026, 11, 23))
    lots_of(UserFactory(), date(2027, 5, 1))

    answer: Any = portal.post("/exports/stock-lots/", {"kind": kind})

    product, contract = soon.product, soon.contract
    if kind == "csv":
        assert rows_of_csv(bytes_of(answer)) == [
            ["Lot", "Product", "SKU", "Contract", "Remaining", "Quantity", "Use by", "Received"],
            *(
                [str(lot.pk), product.name, product.sku, contract.number, "3", "3", str(lot.use_by), "2026-11-24"]
                for lot in (soon, late)
            ),
        ]
    else:
        book = workbook_of(answer)
        assert [row[0].value for row in book["Stock lots"].iter_rows(min_row=2)] == [soon.pk, late.pk]
        assert [[cell.value for cell in row] for row in book["About"].iter_rows(min_row=2, max_row=3)] == [
            ["Content", "Stock lots"],
            ["State", "In stock"],
        ]
    export = Export.objects.get()
    assert (export.content, export.rows, export.finished_at) == ("stock_lots", 2, NOON)


def test_stock_lots_that_are_over_are_exported_as_their_page_is_narrowed(portal: Client, user: User) -> None:
    (over, _) = lots_of(user, date(2026, 11, 23), date(2027, 5, 1))
    lots_of(user, date(2026, 11, 23))

    answer: Any = portal.post(
        "/exports/stock-lots/",
        {"kind": "csv", "show": "over", "product": over.product_id, "contract": over.contract_id},
    )

    assert [row[0] for row in rows_of_csv(bytes_of(answer))[1:]] == [str(over.pk)]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="stock-lots-over-2026-11-24.csv"'
    assert Export.objects.get().filters == {
        "show": "over",
        "product": str(over.product_id),
        "contract": str(over.contract_id),
    }


def test_another_resellers_contract_has_no_stock_to_export(portal: Client) -> None:
    (theirs,) = lots_of(UserFactory(), date(2027, 5, 1))

    assert portal.post("/exports/stock-lots/", {"kind": "csv", "contract": theirs.contract_id}).status_code == 404
    assert not Export.objects.exists()


# Where it is offered


@pytest.mark.parametrize("tab", ["", "expiring/"])
def test_tabs_offer_to_export_exactly_what_they_show(portal: Client, user: User, tab: str) -> None:
    (license, _) = give(user, 2, ends_on=TODAY + timedelta(days=9))
    give(user, ends_on=TODAY + timedelta(days=9))

    html = portal.get(f"/licenses/{tab}?product={license.product_id}&ends_to=2028-01-01").text

    form = re.findall(r'<form method="post" action="/exports/licenses/">.*?</form>', html, re.DOTALL)[0]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
    answer: Any = portal.post(URL, {**fields, "kind": "csv"})
    assert fields.keys() == {"csrfmiddlewaretoken", "state", "product", "ends_to"}
    assert re.findall(r'name="kind" value="(\w+)"', form) == ["csv", "xlsx"]
    assert len(keys_in(answer)) == 2


def test_an_empty_tab_offers_no_export(portal: Client) -> None:
    assert "/exports/" not in portal.get("/licenses/").text


def test_stock_offers_to_export_what_it_shows(portal: Client, user: User) -> None:
    (lot,) = lots_of(user, date(2026, 11, 23))

    html = portal.get(f"/stock/?show=over&product={lot.product_id}").text

    form = re.findall(r'<form method="post" action="/exports/stock-lots/">.*?</form>', html, re.DOTALL)[0]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
    assert fields.keys() == {"csrfmiddlewaretoken", "show", "product"}


def exported(user: User, **fields: Any) -> Export:
    """The record that the user took a list away, of lots unless said otherwise."""
    assert user.reseller is not None
    said = {"content": "stock_lots", "kind": "csv", "filters": {}, "started_at": NOON, **fields}
    return Export.objects.create(exported_by=user, reseller=user.reseller, **said)


def test_exports_are_listed_with_who_when_and_what(portal: Client, user: User) -> None:
    give(user, 3)
    bytes_of(ask(portal, "xlsx", q="nobody has this"))
    bytes_of(ask(portal))
    exported(user, content="licenses", filters={"state": "expired"}, started_at=NOON - timedelta(days=1), rows=2_000)

    rows = rows_of_exports(portal.get("/exports/").text)

    assert [row[1:] for row in rows] == [
        ["Licenses: Active", user.get_full_name(), "CSV", "3"],
        ["Licenses: Active narrowed", user.get_full_name(), "Excel workbook", "0"],
        ["Licenses: Expired", user.get_full_name(), "CSV", "2,000 not complete"],
    ]


def test_an_export_leads_back_to_its_list(portal: Client, user: User) -> None:
    bytes_of(ask(portal, state="expired", q="şirket"))
    portal.post("/exports/stock-lots/", {"kind": "csv", "show": "over"})

    html = portal.get("/exports/").text

    assert re.findall(r'<td data-label="List">.*?href="([^"]*)"', html) == [
        "/stock/?show=over",
        "/licenses/expired/?q=%C5%9Firket",
    ]


def test_who_exported_nothing_yet_is_told_how(portal: Client) -> None:
    assert "Nothing exported yet" in portal.get("/exports/").text


def test_many_exports_come_in_pages_at_the_cost_of_a_few(portal: Client, user: User) -> None:
    def take_away(quantity: int) -> None:
        for colleague in UserFactory.create_batch(quantity, reseller=user.reseller):
            exported(colleague)

    take_away(1)
    with CaptureQueriesContext(connection) as few:
        portal.get("/exports/")
    take_away(exports.EXPORTS_SHOWN)
    with CaptureQueriesContext(connection) as many:
        first = portal.get("/exports/").text

    assert len(many) == len(few)
    assert len(rows_of_exports(first)) == exports.EXPORTS_SHOWN
    [onward] = links_in(first, rel="next")
    assert len(rows_of_exports(portal.get(onward).text)) == 1


def test_another_resellers_exports_are_not_listed(portal: Client) -> None:
    exported(UserFactory())

    assert "Nothing exported yet" in portal.get("/exports/").text


def rows_of_exports(html: str) -> list[list[str]]:
    """The cells of the list of exports, as they read."""
    body = html.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [[text_of(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)] for row in rows]
