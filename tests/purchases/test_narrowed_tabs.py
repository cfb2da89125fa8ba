"""The license tabs narrowed, sorted, as single licenses, and with what needs the reader above them."""

import html
import itertools
import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account, User
from listing.pages import At, Page
from products.models import Product
from purchases.models import License, LicenseState
from purchases.services import sorting
from purchases.services.holdings import Line, SingleLicense, lines_of, single_licenses_of
from purchases.services.offered import OFFERED
from purchases.services.sorting import Sort
from tests.factories import (
    AccountFactory,
    ContractFactory,
    LicenseFactory,
    ProductFactory,
    PurchaseFactory,
    UserFactory,
    receive,
)
from tests.pages import links_in, text_of, weight

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def today() -> object:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def user() -> User:
    return UserFactory()


@pytest.fixture
def portal(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def give(user: User, **fields: object) -> License:
    purchase = PurchaseFactory(reseller=user.reseller, po_number=fields.pop("po_number", ""))
    return LicenseFactory(purchase=purchase, **fields)


def accounts_in(page: str) -> list[str]:
    """The account's reference of each row of the list."""
    table = page.rpartition('<table class="data-table">')[2]
    return re.findall(r'data-label="Account"><span>[^<]*<span class="cell-detail">([^<]*)<', table)


def chips_in(page: str) -> dict[str, str]:
    """What is said to narrow the list, and the address without it."""
    found = re.findall(r'<li class="max-w-full"><a[^>]* href="([^"]*)"[^>]*><span[^>]*>([^<]*)</span>', page)
    return {html.unescape(words): html.unescape(url) for url, words in found}


def options_in(page: str, name: str) -> list[str]:
    select = page.partition(f'<select class="select w-full" name="{name}"')[2].partition("</select>")[0]
    return [html.unescape(words) for words in re.findall(r">([^<]+)</option>", select)]


# Filters


def test_filters_narrow_the_list_together_and_stand_as_chips_that_take_them_away(portal: Client, user: User) -> None:
    one = give(user, ends_on=date(2027, 3, 1))
    give(user, account=one.account, ends_on=date(2027, 3, 1))
    give(user, product=one.product, ends_on=date(2027, 5, 1))
    both, march = f"account={one.account_id}&product={one.product_id}", "ends_from=2027-03-01&ends_to=2027-03-31"

    page = portal.get(f"/licenses/?{both}&{march}").text

    assert accounts_in(page) == [one.account.reference]
    assert chips_in(page) == {
        f"Account: {one.account}": f"/licenses/?product={one.product_id}&{march}",
        f"Product: {one.product}": f"/licenses/?account={one.account_id}&{march}",
        "Ends from: 1 March 2027": f"/licenses/?{both}&ends_to=2027-03-31",
        "Ends until: 31 March 2027": f"/licenses/?{both}&ends_from=2027-03-01",
    }
    assert len(accounts_in(portal.get(chips_in(page)[f"Product: {one.product}"]).text)) == 2


def test_the_page_of_an_account_leads_to_its_licenses_by_its_key(portal: Client, user: User) -> None:
    one = give(user)
    give(user)
    url = f"/licenses/?account={one.account_id}"

    assert accounts_in(portal.get(url).text) == [one.account.reference]


@pytest.mark.parametrize("tab", ["", "expiring/", "upcoming/", "expired/", "invalid/"])
@pytest.mark.parametrize("name", ["account", "contract"])
def test_a_strangers_account_and_contract_look_like_any_that_do_not_exist(
    portal: Client, user: User, name: str, tab: str
) -> None:
    foreign = getattr(LicenseFactory(), name)

    assert portal.get(f"/licenses/{tab}", {name: foreign.pk}).status_code == 404
    assert portal.get(f"/licenses/{tab}", {name: 99_999_999}).status_code == 404
    assert portal.get(f"/licenses/{tab}", {name: "x"}).status_code == 404


def test_a_date_that_cannot_be_read_is_told_and_leaves_the_list_whole(portal: Client, user: User) -> None:
    give(user)

    page = portal.get("/licenses/?ends_from=tomorrow").text

    assert "“Ends from” could not be read as a date" in text_of(page)
    assert len(accounts_in(page)) == 1
    assert chips_in(page) == {}


def test_filters_offer_only_what_exists_among_what_the_others_leave(portal: Client, user: User) -> None:
    one, other = give(user), give(user)
    AccountFactory(reseller=user.reseller, name="Without licenses")
    foreign = LicenseFactory()
    expired = give(user, starts_on=date(2025, 1, 1), ends_on=date(2026, 1, 1))

    every = portal.get("/licenses/").text
    narrowed = portal.get(f"/licenses/?account={one.account_id}").text

    assert options_in(every, "account") == ["All accounts", str(one.account), str(other.account)]
    assert options_in(every, "contract") == ["All contracts", one.contract.number, other.contract.number]
    assert str(foreign.product) not in options_in(every, "product")
    assert str(expired.product) not in options_in(every, "product")
    assert options_in(narrowed, "account") == ["All accounts", str(one.account), str(other.account)]
    assert options_in(narrowed, "product") == ["All products", str(one.product)]


def test_what_is_chosen_is_offered_even_where_it_narrows_to_nothing(portal: Client, user: User) -> None:
    account = AccountFactory(reseller=user.reseller)
    give(user)

    page = portal.get(f"/licenses/?account={account.pk}").text

    assert f'<option value="{account.pk}" selected>{account}</option>' in page
    assert "No license in this tab fits all of that" in text_of(page)


def test_long_choices_offer_the_first_by_name_and_the_search_finds_the_rest(portal: Client, user: User) -> None:
    purchase = PurchaseFactory(reseller=user.reseller)
    for number in range(OFFERED + 2):
        account = AccountFactory(reseller=user.reseller, name=f"Shop {number:03}", reference=f"S-{number}")
        LicenseFactory(purchase=purchase, account=account)

    page = portal.get("/licenses/").text
    found = portal.get("/licenses/?q=shop+051").text

    assert options_in(page, "account")[1:] == [f"Shop {n:03} (S-{n})" for n in range(OFFERED)]
    assert "The first 50 by name. Search to find the others." in text_of(page)
    assert options_in(found, "account")[1:] == ["Shop 051 (S-51)"]


def test_search_finds_a_po_number_in_whatever_case(portal: Client, user: User) -> None:
    one = give(user, po_number="PO-2026/Kırmızı")
    give(user, po_number="PO-2025/1")

    for query in ("2026/k", "po-2026"):
        assert accounts_in(portal.get("/licenses/", {"q": query}).text) == [one.account.reference]


def test_tabs_pager_and_lines_keep_filter_order_and_kind(portal: Client, user: User) -> None:
    contract, product = ContractFactory(reseller=user.reseller), ProductFactory()
    for _ in range(26):
        give(user, contract=contract, product=product)
    kept = f"contract={contract.pk}&sort=account"

    lines = html.unescape(portal.get(f"/licenses/?{kept}").text)
    single = html.unescape(portal.get(f"/licenses/?{kept}&show=single").text)

    assert f'href="/licenses/expired/?{kept}"' in lines
    assert f'href="/licenses/expired/?{kept}&show=single"' in single
    assert links_in(lines, rel="next")[0].startswith(f"/licenses/?{kept}&after=")
    assert re.findall(r'-toggle" href="([^"#]*)#', lines)[0].startswith(f"/licenses/?{kept}&line=")
    assert f'href="/licenses/?{kept}&show=single"' in lines
    assert f'id="show-lines" href="/licenses/?{kept}"' in single


def test_a_line_opens_on_a_later_page_of_another_order(portal: Client, user: User) -> None:
    for number in range(27):
        give(user, account=AccountFactory(reseller=user.reseller, name=f"Shop {number:03}"))
    later = portal.get(links_in(portal.get("/licenses/?sort=account").text, rel="next")[0]).text

    toggle = html.unescape(re.findall(r'-toggle" href="([^"#]*)#', later)[0])

    assert portal.get(toggle).text.count('aria-expanded="true"') == 1


@pytest.mark.parametrize(
    "wrong", ["sort=price", "show=everything", "sort=account&after=x", "sort=start&after=" + "9" * 999]
)
def test_what_an_address_says_wrongly_of_order_and_kind_is_passed_over(portal: Client, user: User, wrong: str) -> None:
    give(user)

    assert len(accounts_in(portal.get(f"/licenses/?{wrong}").text)) == 1


def test_the_foot_says_what_the_page_holds_and_what_the_filter_finds(
    portal: Client, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = give(user)
    for _ in range(2):
        LicenseFactory(purchase=one.purchase)
    give(user)

    found = text_of(portal.get(f"/licenses/?account={one.account_id}").text)
    monkeypatch.setattr("listing.tallies.COUNTED", 2)
    many = text_of(portal.get(f"/licenses/?account={one.account_id}").text)

    assert "1 line on this page, 3 licenses · 3 licenses in all" in found
    assert "1 line on this page, 3 licenses · 2+ licenses in all" in many


def test_empty_fields_of_the_form_leave_no_trace_in_the_address(portal: Client, user: User) -> None:
    sent = "/licenses/?q=device&account=&product=&sort=&ends_from="

    plain = portal.get(sent)
    part = portal.get(sent, headers={"HX-Request": "true"})

    assert (plain.status_code, plain.headers["Location"]) == (302, "/licenses/?q=device")
    assert (part.status_code, part.headers["HX-Push-Url"]) == (200, "/licenses/?q=device")


# Orders


@pytest.mark.parametrize(
    ("sort", "column", "direction", "order"),
    [
        ("", "Ends", "ascending", ["B", "C", "A"]),
        ("start", "Starts", "descending", ["A", "C", "B"]),
        ("account", "Account", "ascending", ["C", "A", "B"]),
        ("product", "Product", "ascending", ["A", "B", "C"]),
    ],
)
@pytest.mark.parametrize("show", ["", "single"])
def test_lists_can_be_sorted_and_say_by_what(
    portal: Client, user: User, sort: str, column: str, direction: str, order: list[str], show: str
) -> None:
    rows = {"A": ("İnci", "Kiosk", 10, 300), "B": ("Zeytin", "Menu", 30, 100), "C": ("Çınar", "Wall", 20, 200)}
    for reference, (name, product, since, until) in rows.items():
        give(
            user,
            account=AccountFactory(reseller=user.reseller, name=name, reference=reference),
            product=ProductFactory(name=product),
            starts_on=TODAY - timedelta(days=since),
            ends_on=TODAY + timedelta(days=until),
        )

    page = portal.get("/licenses/", {"sort": sort, "show": show}, follow=True).text

    assert accounts_in(page) == order
    assert re.findall(r'aria-sort="(\w+)"><a[^>]*>(\w+)', page) == [(direction, column)]


drawn = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=10)


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(at_first=drawn, meanwhile=drawn, size=st.integers(1, 3))
@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("sort", list(Sort))
def test_in_each_order_walking_there_and_back_meets_each_row_once_while_others_arrive(
    monkeypatch: pytest.MonkeyPatch,
    sort: Sort,
    single: bool,
    at_first: list[tuple[int, int, int]],
    meanwhile: list[tuple[int, int, int]],
    size: int,
) -> None:
    user = UserFactory()
    purchase = PurchaseFactory(reseller=user.reseller)
    accounts = [AccountFactory(reseller=user.reseller, name=name) for name in ("Same", "Same", "Çınar", "Zebra")]
    products = [ProductFactory(name=name) for name in ("Same", "Same", "Wall")]

    def add(account: int, product: int, days: int) -> None:
        LicenseFactory(
            purchase=purchase,
            account=accounts[account],
            product=products[product],
            starts_on=TODAY - timedelta(days=days),
            ends_on=TODAY + timedelta(days=days),
        )

    def read(at: At, shown: int) -> Page[Line] | Page[SingleLicense]:
        monkeypatch.setattr("purchases.services.holdings.LINES_SHOWN", shown)
        monkeypatch.setattr("purchases.services.holdings.SINGLE_LICENSES_SHOWN", shown)
        pages = single_licenses_of if single else lines_of
        return pages(user, LicenseState.ACTIVE, on=TODAY, found=Q(), at=at, sort=sort)

    def names(page: Page[Line] | Page[SingleLicense]) -> list[str]:
        return [row.key if isinstance(row, SingleLicense) else row.place for row in page.rows]

    def turn(at: At) -> Page[Line] | Page[SingleLicense]:
        page = read(at, size)
        for row in itertools.islice(arrivals, 1):
            add(*row)
        return page

    arrivals = iter(meanwhile)
    for row in at_first:
        add(*row)
    there_before = names(read(At(), 100))
    page = turn(At())
    forth = names(page)
    while page.next:
        page = turn(At(after=page.next))
        forth += names(page)
    back = names(page)
    while page.previous:
        page = turn(At(before=page.previous))
        back = names(page) + back

    assert len(forth) == len(set(forth))
    assert len(back) == len(set(back))
    assert set(there_before) <= set(forth) <= set(back)
    assert [name for name in forth if name in there_before] == there_before


def test_every_order_tells_lines_apart_by_the_same_things() -> None:
    alike = {"ends_on", "account_id", "product_id", "contract_id", "starts_on"}

    assert all(alike <= order.columns.keys() for order in sorting.LINES.values())
    assert all(order.columns.keys() >= {*alike, "pk"} for order in sorting.LICENSES.values())


# Single licenses


def test_single_licenses_stand_with_key_state_and_all_that_they_are(portal: Client, user: User) -> None:
    one = give(user, ends_on=TODAY + timedelta(days=6))
    two = LicenseFactory(purchase=one.purchase, ends_on=TODAY + timedelta(days=200))

    page = portal.get("/licenses/?show=single").text

    assert re.findall(r'<tr>\s*<th scope="row"><a[^>]* href="/licenses/([\w-]{20,})/"', page) == [one.key, two.key]
    assert f"{one.product.name} {one.product.sku} {one.account.name} {one.account.reference}" in text_of(page)
    assert "Expires in 6 days" in text_of(page)
    assert "2 licenses on this page · 2 licenses in all" in text_of(page)
    assert 'id="show-single"' in page
    assert weight(page) <= 10_000


def test_single_licenses_that_were_cancelled_say_when(portal: Client, user: User) -> None:
    give(user, cancelled_at=datetime(2026, 5, 2, 12, 0, tzinfo=UTC))

    assert "Cancelled on 2 May 2026" in text_of(portal.get("/licenses/invalid/?show=single").text)


# What needs the reader


def test_what_expires_within_30_60_and_90_days_leads_to_its_list(portal: Client, user: User) -> None:
    for days in (0, 30, 31, 60, 90, 91):
        give(user, ends_on=TODAY + timedelta(days=days))

    page = portal.get("/licenses/").text

    figures = re.findall(r'id="ending-(\d+)" href="([^"]*)"[^>]*>(\d+) licenses?<', page)
    assert figures == [
        ("30", "/licenses/?ends_to=2026-12-24", "2"),
        ("60", "/licenses/?ends_to=2027-01-23", "4"),
        ("90", "/licenses/?ends_to=2027-02-22", "5"),
    ]
    assert [len(accounts_in(portal.get(url).text)) for _days, url, _number in figures] == [2, 4, 5]


def test_each_bar_of_the_year_leads_to_what_it_counts(portal: Client, user: User) -> None:
    for day in (date(2026, 11, 24), date(2026, 11, 30), date(2027, 2, 28), date(2027, 10, 31), date(2027, 11, 1)):
        give(user, ends_on=day)

    bars = re.findall(r'<a href="([^"]*)" aria-label="(\w+ \d+): (\d+) licenses? ends?"', portal.get("/licenses/").text)

    assert [(month, number) for _url, month, number in bars] == [
        ("November 2026", "2"),
        ("February 2027", "1"),
        ("October 2027", "1"),
    ]
    assert [len(accounts_in(portal.get(html.unescape(url)).text)) for url, _month, _number in bars] == [2, 1, 1]


def test_stock_that_lapses_within_60_days_is_counted_and_leads_to_the_stock(portal: Client, user: User) -> None:
    contract = ContractFactory(reseller=user.reseller)
    for days, quantity in ((0, 1), (60, 2), (61, 40)):
        receive(contract, ProductFactory(), quantity, use_by=TODAY + timedelta(days=days))
    give(user)

    page = portal.get("/licenses/").text

    assert re.search(r'href="/stock/">3 licenses</a>', page)


@pytest.mark.parametrize("address", ["/licenses/?q=a", "/licenses/?ends_to=2027-12-31", "/licenses/upcoming/"])
def test_what_needs_the_reader_stands_above_the_whole_active_tab_only(portal: Client, user: User, address: str) -> None:
    give(user)

    assert "What needs you" in portal.get("/licenses/").text
    assert "What needs you" not in portal.get(address).text


# Figures


def test_narrowed_lists_cost_the_same_with_one_row_and_with_a_page(portal: Client, user: User) -> None:

    contract, product = ContractFactory(reseller=user.reseller), ProductFactory()
    first = give(user, contract=contract, product=product)
    everything = f"q=device&product={product.pk}&contract={contract.pk}&ends_from=2026-01-01&ends_to=2030-01-01"
    addresses = [
        f"/licenses/?{narrowed}{sort}{show}"
        for narrowed in ("", everything, f"{everything}&account={first.account_id}")
        for sort in ("", "&sort=start", "&sort=account", "&sort=product")
        for show in ("", "&show=single")
    ]

    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert portal.get(address).status_code == 200
        return len(captured)

    with_one = [cost(address) for address in addresses]
    for _ in range(30):
        give(user, contract=contract, product=product)

    assert [cost(address) for address in addresses] == with_one
    assert max(with_one) <= 10


def test_the_fullest_page_is_light(portal: Client, user: User) -> None:
    for number in range(60):
        account: Account = AccountFactory(reseller=user.reseller, name=f"Mağaza {number * 7919 % 1000} Şubesi")
        product: Product = ProductFactory()
        give(user, account=account, product=product, ends_on=TODAY + timedelta(days=number * 6))

    for address in ("/licenses/", "/licenses/?show=single", "/licenses/?q=magaza&sort=account"):
        assert weight(portal.get(address).text) <= 10_000
