"""The pages of stock: what lies there until when, and how one lot came and went."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from contracts.models import ContractProduct
from purchases.services.holdings import LICENSES_SHOWN
from stock.models import StockLot, StockMovement
from stock.services.ledger import LOTS_SHOWN, MOVEMENTS_SHOWN
from stock.services.take import Taking, take_stock
from tests.factories import (
    ContractProductFactory,
    LicenseFactory,
    OperatorFactory,
    PurchaseFactory,
    UserFactory,
    receive,
)
from tests.pages import links_in, text_of, without_token

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def user() -> User:
    return UserFactory(full_name="Ayşe Yılmaz")


@pytest.fixture
def portal(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


@pytest.fixture
def line(user: User) -> ContractProduct:
    return ContractProductFactory(reseller=user.reseller)


def lots_in(html: str) -> list[int]:
    """The lots of the list, which is the last thing on the page."""
    return [int(pk) for pk in re.findall(r'href="/stock/(\d+)/"', html.rpartition("<caption")[2])]


def rows_in(html: str) -> list[str]:
    """The rows of the last table, without its head."""
    body = re.findall(r"<tbody>(.*?)</tbody>", html, re.DOTALL)[-1]
    return [text_of(row) for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)]


def test_lots_are_listed_by_soonest_use_by(portal: Client, line: ContractProduct) -> None:
    lots = {days: receive(line.contract, line.product, 3, use_by=TODAY + timedelta(days)) for days in (300, 12, 100)}

    html = portal.get("/stock/").text

    assert lots_in(html) == [lots[12].pk, lots[100].pk, lots[300].pk]
    assert "9 licenses paid for and not yet given to an account, in 3 lots" in text_of(html)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0, "24 November 2026 Use today"),
        (1, "25 November 2026 Use within 1 day"),
        (12, "6 December 2026 Use within 12 days"),
        (60, "23 January 2027 Use within 60 days"),
        (61, "24 January 2027"),
    ],
)
def test_a_lot_says_until_when_it_can_be_used(portal: Client, line: ContractProduct, days: int, words: str) -> None:
    receive(line.contract, line.product, 3, use_by=TODAY + timedelta(days))

    (row,) = rows_in(portal.get("/stock/").text)

    assert f"3 of 3 {words} 24 Nov 2026" in row


def test_lots_that_are_used_up_or_lapsed_stand_apart(portal: Client, line: ContractProduct, user: User) -> None:
    left = receive(line.contract, line.product, 3)
    used = receive(line.contract, line.product, 2)
    lapsed = receive(line.contract, line.product, 2, use_by=TODAY - timedelta(days=1))
    take_stock([Taking(used, 2)], actor=user, reference="P-1")

    in_stock, over = portal.get("/stock/").text, portal.get("/stock/?show=over").text

    assert lots_in(in_stock) == [left.pk]
    assert lots_in(over) == [used.pk, lapsed.pk]
    assert "Used up" in rows_in(over)[0]
    assert "Lapsed on 23 November 2026" in rows_in(over)[1]


@pytest.mark.parametrize(
    ("url", "title", "next_move"),
    [
        ("/stock/", "Nothing in stock", "/licenses/"),
        ("/stock/?show=over", "No lot is used up or lapsed", "/stock/"),
        ("/stock/?show=nonsense", "Nothing in stock", "/licenses/"),
    ],
)
def test_empty_stock_explains_itself_and_offers_the_next_move(
    portal: Client, url: str, title: str, next_move: str
) -> None:
    empty = re.findall(r'<div class="empty">(.*?)</div>', portal.get(url).text, re.DOTALL)[0]

    assert title in empty
    assert f'href="{next_move}"' in empty


@pytest.mark.parametrize("show", ["", "over"])
def test_many_lots_come_in_pages(portal: Client, line: ContractProduct, show: str) -> None:
    use_by = TODAY - timedelta(days=1) if show else TODAY + timedelta(days=100)
    lots = {receive(line.contract, line.product, 1, use_by=use_by).pk for _ in range(LOTS_SHOWN + 2)}

    first = portal.get("/stock/", {"show": show}).text
    second = portal.get(links_in(first, rel="next")[0]).text
    back = portal.get(links_in(second, rel="prev")[0]).text

    assert [len(lots_in(first)), len(lots_in(second))] == [LOTS_SHOWN, 2]
    assert set(lots_in(first) + lots_in(second)) == lots
    assert lots_in(back) == lots_in(first)


def test_a_lot_shows_its_movements_as_a_running_balance(portal: Client, line: ContractProduct, user: User) -> None:
    lot = receive(line.contract, line.product, 10, actor=OperatorFactory())
    take_stock([Taking(lot, 3)], actor=user, reference="P-ABCD-EFGH")
    take_stock([Taking(lot, 2)], actor=user, reference="P-ABCD-EFGJ")

    html = portal.get(f"/stock/{lot.pk}/").text

    when = "24 Nov 2026, 15:00"
    assert rows_in(html) == [
        f"{when} Received The operator +10 10",
        f"{when} Given to an account P-ABCD-EFGH Ayşe Yılmaz -3 7",
        f"{when} Given to an account P-ABCD-EFGJ Ayşe Yılmaz -2 5",
    ]
    assert "5 of 10" in html
    assert 'href="/purchases/P-ABCD-EFGH/"' in html


def test_the_balance_goes_on_from_page_to_page(portal: Client, line: ContractProduct, user: User) -> None:
    lot = receive(line.contract, line.product, MOVEMENTS_SHOWN + 10)
    for _ in range(MOVEMENTS_SHOWN + 2):
        take_stock([Taking(lot, 1)], actor=user, reference="P-1")

    first = portal.get(f"/stock/{lot.pk}/").text
    second = portal.get(links_in(first, rel="next")[0]).text
    back = portal.get(links_in(second, rel="prev")[0]).text

    balances = [int(row.split()[-1]) for row in rows_in(first) + rows_in(second)]
    assert balances == list(range(MOVEMENTS_SHOWN + 10, 7, -1))
    assert rows_in(back) == rows_in(first)


def test_a_lot_lists_the_licenses_that_came_from_it(portal: Client, line: ContractProduct) -> None:
    lot = receive(line.contract, line.product, 3)
    purchase = PurchaseFactory(contract=line.contract, product=line.product, quantity=2)
    ours = LicenseFactory(purchase=purchase, stock_lot=lot)
    other = LicenseFactory(purchase=purchase)

    html = portal.get(f"/stock/{lot.pk}/").text

    assert ours.get_absolute_url() in html
    assert ours.account.name in html
    assert other.key not in html
    assert "1 of 1 shown" in html


def test_the_many_licenses_of_a_lot_come_in_pages(portal: Client, line: ContractProduct) -> None:
    lot = receive(line.contract, line.product, LICENSES_SHOWN + 1)
    purchase = PurchaseFactory(contract=line.contract, product=line.product, quantity=LICENSES_SHOWN + 1)
    licenses = LicenseFactory.create_batch(LICENSES_SHOWN + 1, purchase=purchase, stock_lot=lot)
    keys = [license.key for license in sorted(licenses, key=lambda license: license.pk)]

    first = portal.get(f"/stock/{lot.pk}/").text
    [onward] = links_in(first, rel="next")
    last = portal.get(onward).text

    assert [key for key in keys if key in first] == keys[:-1]
    assert [key for key in keys if key in last] == keys[-1:]


def test_a_lot_without_licenses_says_so(portal: Client, line: ContractProduct) -> None:
    lot = receive(line.contract, line.product, 3)

    assert "None given yet" in portal.get(f"/stock/{lot.pk}/").text


def test_another_resellers_lot_is_as_unknown_as_one_that_never_was(portal: Client) -> None:
    line = ContractProductFactory()
    lot = receive(line.contract, line.product, 3)

    theirs = portal.get(f"/stock/{lot.pk}/")
    nobodys = portal.get("/stock/999999999/")

    assert theirs.status_code == nobodys.status_code == 404
    assert without_token(theirs.text).replace(f"/stock/{lot.pk}/", "/stock/999999999/") == without_token(nobodys.text)
    assert lots_in(portal.get("/stock/").text) == []


@pytest.mark.parametrize("lot", ["0", "x", "-1", "1.5", "%00", "9" * 40, "9" * 5_000])
def test_no_lot_is_too_strange(portal: Client, lot: str) -> None:
    assert portal.get(f"/stock/{lot}/").status_code == 404


@pytest.mark.parametrize("place", ["x", "~", "2026-02-30~1", "9999-12-31~999999999999999999", "1" * 5_000])
@pytest.mark.parametrize("name", ["after", "before"])
def test_a_made_up_place_shows_the_first_page(portal: Client, line: ContractProduct, name: str, place: str) -> None:
    lot = receive(line.contract, line.product, 3)

    listed, single = portal.get("/stock/", {name: place}), portal.get(f"/stock/{lot.pk}/", {name: place})

    assert listed.status_code == single.status_code == 200
    assert lots_in(listed.text) == [lot.pk]
    assert len(rows_in(single.text)) == 1


def test_stock_costs_few_statements_however_many_rows_it_shows(
    portal: Client, line: ContractProduct, user: User
) -> None:
    lot = receive(line.contract, line.product, LOTS_SHOWN + 5)

    def cost(url: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            portal.get(url)
        return len(captured)

    urls = ["/stock/", f"/stock/{lot.pk}/"]
    with_one = [cost(url) for url in urls]
    purchase = PurchaseFactory(contract=line.contract, product=line.product, quantity=LOTS_SHOWN)
    for _ in range(LOTS_SHOWN):
        receive(ContractProductFactory(reseller=user.reseller).contract, line.product, 3)
        take_stock([Taking(lot, 1)], actor=UserFactory(reseller=user.reseller), reference="P-1")
        LicenseFactory(purchase=purchase, stock_lot=lot)

    assert [cost(url) for url in urls] == with_one
    assert max(with_one) <= 8


@pytest.mark.parametrize("url", ["/stock/", "/stock/?show=over"])
def test_stock_is_read_only(portal: Client, url: str) -> None:
    assert portal.post(url).status_code == 405
    assert StockLot.objects.count() == StockMovement.objects.count() == 0
