"""The list of purchases, and the permanent page of one."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from purchases.models import License, Purchase
from purchases.services.records import PURCHASES_SHOWN
from purchases.services.terms import contract_terms
from tests.factories import (
    AccountFactory,
    ContractFactory,
    ContractGrantFactory,
    LicenseFactory,
    ProductFactory,
    PurchaseDraftFactory,
    PurchaseFactory,
    UserFactory,
    receive,
)
from tests.pages import links_in, text_of, weight, without_token

pytestmark = pytest.mark.django_db

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


def numbers_in(html: str) -> list[str]:
    return re.findall(r'href="/purchases/(P-[\w-]+)/"', html)


# The list


def test_purchases_are_listed_the_newest_first(portal: Client, user: User) -> None:
    old, new, newer = (
        PurchaseFactory(reseller=user.reseller, placed_at=NOON - timedelta(days=days)).number for days in (3, 2, 1)
    )

    assert numbers_in(portal.get("/purchases/").text) == [newer, new, old]


def test_purchases_of_the_same_instant_keep_an_order(portal: Client, user: User) -> None:
    for _ in range(PURCHASES_SHOWN + 3):
        PurchaseFactory(reseller=user.reseller, placed_at=NOON)

    first = portal.get("/purchases/").text
    second = portal.get(links_in(first, rel="next")[0]).text
    back = portal.get(links_in(second, rel="prev")[0]).text

    assert len(set(numbers_in(first) + numbers_in(second))) == PURCHASES_SHOWN + 3
    assert numbers_in(back) == numbers_in(first)


def test_a_purchase_that_arrives_meanwhile_is_neither_repeated_nor_does_it_hide_one(portal: Client, user: User) -> None:
    placed = [
        PurchaseFactory(reseller=user.reseller, placed_at=NOON - timedelta(hours=hours)).number
        for hours in range(PURCHASES_SHOWN + 2)
    ]

    first = portal.get("/purchases/").text
    PurchaseFactory(reseller=user.reseller, placed_at=NOON + timedelta(seconds=1))
    second = portal.get(links_in(first, rel="next")[0]).text

    assert numbers_in(first) + numbers_in(second) == placed


@pytest.mark.parametrize(
    "place", ["x", "~", "20261124T120000000000~x", "99991231T235959999999~1", "00010101T000000000000~1", "1" * 5_000]
)
@pytest.mark.parametrize("name", ["after", "before"])
def test_a_made_up_place_shows_the_first_page(portal: Client, user: User, name: str, place: str) -> None:
    purchase = PurchaseFactory(reseller=user.reseller)

    answer = portal.get("/purchases/", {name: place})

    assert answer.status_code == 200
    assert numbers_in(answer.text) == [purchase.number]


def test_a_row_says_where_the_licenses_come_from(portal: Client, user: User) -> None:
    PurchaseFactory(reseller=user.reseller, quantity=3, from_stock=2, unit_price=Decimal("1250.50"))

    row = text_of(portal.get("/purchases/").text)

    assert "2 from stock, 1 new" in row
    assert "1,250.50\xa0EUR" in portal.get("/purchases/").text


def test_a_row_from_stock_alone_is_paid_already(portal: Client, user: User) -> None:
    PurchaseFactory(reseller=user.reseller, quantity=2, from_stock=2)

    row = text_of(portal.get("/purchases/").text)

    assert "all from stock" in row
    assert "already paid" in row


def test_a_purchase_into_stock_has_no_account(portal: Client, user: User) -> None:
    purchase = PurchaseFactory(reseller=user.reseller, kind=Purchase.Kind.STOCK, account=None, quantity=100)

    assert "Into stock" in portal.get("/purchases/").text
    assert "Into stock" in portal.get(purchase.get_absolute_url()).text


@pytest.mark.parametrize(
    "query", ["istanbul", "ACC-7", "sgn-7", "c-77", "po 4711", "PO 4711", "p-abcd", "P-ABCD-EFGH", "4711"]
)
def test_search_finds_by_number_po_number_and_names(portal: Client, user: User, query: str) -> None:
    wanted = PurchaseFactory(
        number="P-ABCD-EFGH",
        account=AccountFactory(reseller=user.reseller, name="İstanbul Şirketi", reference="ACC-7"),
        contract=ContractFactory(reseller=user.reseller, number="C-77"),
        product=ProductFactory(sku="SGN-7"),
        po_number="PO 4711",
    )
    PurchaseFactory(reseller=user.reseller)

    html = portal.get("/purchases/", {"q": query}).text

    assert numbers_in(html) == [wanted.number]
    assert "1 purchase found" in html


def test_lists_without_purchases_offer_the_next_move(portal: Client, user: User) -> None:
    nothing = portal.get("/purchases/").text
    PurchaseFactory(reseller=user.reseller)
    no_match = portal.get("/purchases/?q=xyz").text

    assert "No purchases yet" in nothing
    assert 'class="btn" href="/licenses/"' in nothing
    assert "Nothing found for “xyz”" in no_match
    assert 'class="btn" href="/purchases/"' in no_match


def test_drafts_are_offered_for_resuming(portal: Client, user: User) -> None:
    draft = PurchaseDraftFactory(user=user)
    PurchaseDraftFactory(reseller=user.reseller)

    html = portal.get("/purchases/").text

    assert re.findall(r'href="/purchases/([0-9a-f-]{36})/"', html) == [str(draft.pk)]


def test_another_resellers_purchases_are_nowhere(portal: Client) -> None:
    purchase = PurchaseFactory(number="P-ABCD-EFGH")

    assert numbers_in(portal.get("/purchases/").text) == []
    assert numbers_in(portal.get("/purchases/", {"q": purchase.number}).text) == []


def test_the_list_costs_few_statements_however_many_rows_it_shows(portal: Client, user: User) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            portal.get("/purchases/", {"q": "account"})
        return len(captured)

    PurchaseFactory(reseller=user.reseller)
    PurchaseDraftFactory(user=user)
    with_one = cost()
    for _ in range(PURCHASES_SHOWN + 5):
        PurchaseFactory(reseller=user.reseller)

    assert cost() == with_one <= 8


# One purchase


@pytest.fixture
def purchase(user: User) -> Purchase:
    contract = ContractFactory(
        reseller=user.reseller, number="C-77", title="Frame", conditions="One device each.", minimum_quantity=5
    )
    return PurchaseFactory(
        contract=contract,
        account=AccountFactory(reseller=user.reseller, name="Ege Market", reference="ACC-7"),
        product=ProductFactory(name="Panel", sku="SGN-7"),
        quantity=5,
        from_stock=2,
        unit_price=Decimal("1250.50"),
        note="First line\n<b>second</b>",
        po_number="PO-4711",
        terms=contract_terms(contract),
        placed_by=user,
        placed_at=datetime(2026, 5, 2, 21, 30, tzinfo=UTC),
    )


@pytest.fixture
def licenses(purchase: Purchase) -> list[License]:
    lot = receive(purchase.contract, purchase.product, 2)
    days = {"starts_on": date(2026, 5, 3)}
    return [
        *(LicenseFactory(purchase=purchase, stock_lot=lot, ends_on=date(2026, 12, 31), **days) for _ in range(2)),
        *(LicenseFactory(purchase=purchase, ends_on=date(2027, 5, 2), **days) for _ in range(3)),
    ]


def test_a_purchase_shows_everything_that_was_ordered(
    portal: Client, purchase: Purchase, licenses: list[License]
) -> None:
    html = portal.get(purchase.get_absolute_url()).text
    text = text_of(html)

    facts = [
        purchase.number,
        purchase.reseller.name,
        "Placed by Ayşe Yılmaz on 3 May 2026, 00:30",
        "Ege Market ACC-7",
        "Panel SGN-7",
        "C-77 Frame",
        "5 licenses 2 from stock, 3 new",
        "1,250.50\xa0EUR",
        "3,751.50\xa0EUR",
        "PO-4711",
        "One device each.",
        "5 licenses a purchase",
        *(license.key for license in licenses),
    ]
    assert [fact for fact in facts if " ".join(fact.split()) not in text] == []
    assert f"<title>Purchase {purchase.number} – License portal</title>" in html
    assert html.count("<h1") == 1


def test_a_note_is_plain_text(portal: Client, purchase: Purchase) -> None:
    html = portal.get(purchase.get_absolute_url()).text

    assert 'whitespace-pre-wrap">First line\n&lt;b&gt;second&lt;/b&gt;</dd>' in html


def test_a_purchase_shows_the_dates_of_each_part(portal: Client, purchase: Purchase, licenses: list[License]) -> None:
    table = re.findall(r"<table.*?</table>", portal.get(purchase.get_absolute_url()).text, re.DOTALL)[0]

    rows = [text_of(row) for row in re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)][1:]
    lot = licenses[0].stock_lot_id
    assert rows == [
        f"From stock, lot {lot} 2 3 May 2026 31 December 2026 Active",
        "New 3 3 May 2026 2 May 2027 Active",
    ]


def test_the_conditions_stay_as_they_were(portal: Client, purchase: Purchase) -> None:
    contract = purchase.contract
    contract.conditions, contract.minimum_quantity, contract.title = "Other ones.", 9, "Renamed"
    contract.save()

    html = portal.get(purchase.get_absolute_url()).text

    assert "One device each." in html
    assert "Other ones." not in html
    assert "5 licenses a purchase" in html
    assert "Renamed" not in html


def test_a_purchase_leads_to_its_lines_and_on_to_buying(
    portal: Client, user: User, purchase: Purchase, licenses: list[License]
) -> None:
    ContractGrantFactory(user=user)

    html = portal.get(purchase.get_absolute_url()).text
    active_tab = re.findall(r'href="(/licenses/\?[^"]*)">See in the Active tab', html)[0].replace("&amp;", "&")

    assert licenses[0].key in portal.get(active_tab).text
    assert re.search(r'action="/purchases/start/".*?Buy more licenses', html, re.DOTALL)


def test_a_purchase_of_expired_licenses_leads_to_their_tab(
    portal: Client, purchase: Purchase, licenses: list[License]
) -> None:
    with time_machine.travel(datetime(2028, 1, 1, 12, 0, tzinfo=UTC)):
        portal.force_login(purchase.placed_by)
        html = portal.get(purchase.get_absolute_url()).text

    assert "See in the Active tab" not in html
    assert 'href="/licenses/expired/?' in html


def test_cancelled_licenses_are_marked(portal: Client, purchase: Purchase, licenses: list[License]) -> None:
    License.objects.filter(pk=licenses[2].pk).update(cancelled_at=NOON)

    text = text_of(portal.get(purchase.get_absolute_url()).text)

    assert "New 3 1 cancelled" in text
    assert f"{licenses[2].key} cancelled" in text


def test_who_may_not_buy_is_not_asked_to(portal: Client, purchase: Purchase) -> None:
    assert "/purchases/start/" not in portal.get(purchase.get_absolute_url()).text


def test_many_licenses_come_in_pages_of_a_hundred(portal: Client, user: User) -> None:
    purchase = PurchaseFactory(reseller=user.reseller, quantity=205)
    keys = [LicenseFactory(purchase=purchase).key for _ in range(205)]

    shown, url = [], purchase.get_absolute_url()
    while url:
        html = portal.get(url).text
        shown.append(re.findall(r'href="/licenses/([\w-]{20,})/"', html))
        url = next(iter(links_in(html, rel="next")), "")
    back = portal.get(links_in(html, rel="prev")[0]).text

    assert [len(page) for page in shown] == [100, 100, 5]
    assert [key for page in shown for key in page] == keys
    assert re.findall(r'href="/licenses/([\w-]{20,})/"', back) == shown[1]


def test_a_purchase_costs_few_statements_and_little_weight(portal: Client, user: User) -> None:
    def cost(purchase: Purchase) -> int:
        with CaptureQueriesContext(connection) as captured:
            answer = portal.get(purchase.get_absolute_url())
        assert weight(answer.text) <= 10_000
        return len(captured)

    small = PurchaseFactory(reseller=user.reseller)
    LicenseFactory(purchase=small)
    large = PurchaseFactory(reseller=user.reseller, quantity=101)
    for _ in range(101):
        LicenseFactory(purchase=large)

    assert cost(small) == cost(large) <= 8


def test_a_purchase_without_frozen_terms_has_a_page(portal: Client, user: User) -> None:
    assert portal.get(PurchaseFactory(reseller=user.reseller, terms={}).get_absolute_url()).status_code == 200


def test_another_resellers_purchase_is_as_unknown_as_one_that_never_was(portal: Client) -> None:
    theirs = portal.get(PurchaseFactory(number="P-ABCD-EFGH").get_absolute_url())
    nobodys = portal.get("/purchases/P-ABCD-EFGJ/")

    assert theirs.status_code == nobodys.status_code == 404
    assert without_token(theirs.text).replace("EFGH", "EFGJ") == without_token(nobodys.text)


@pytest.mark.parametrize("number", ["x", "%00", "P-%00", "%C4%B0", "9" * 5_000, "x/y"])
def test_no_number_is_too_strange(portal: Client, number: str) -> None:
    assert portal.get(f"/purchases/{number}/").status_code == 404
