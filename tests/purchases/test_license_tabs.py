"""The license tabs: which licenses stand in which, as which lines, found by what."""

import itertools
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from listing.pages import At, Page
from purchases.models import License, LicenseState
from purchases.services.holdings import LINES_SHOWN, Line, lines_of
from purchases.services.search import licenses_found_by
from purchases.views.licenses import TABS
from tests.factories import (
    AccountFactory,
    ContractFactory,
    ContractGrantFactory,
    LicenseFactory,
    ProductFactory,
    PurchaseDraftFactory,
    PurchaseFactory,
    ResellerFactory,
    UserFactory,
)
from tests.pages import links_in, text_of, weight

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

URLS = {
    LicenseState.ACTIVE: "/licenses/",
    LicenseState.EXPIRING: "/licenses/expiring/",
    LicenseState.UPCOMING: "/licenses/upcoming/",
    LicenseState.EXPIRED: "/licenses/expired/",
    LicenseState.INVALID: "/licenses/invalid/",
}

every_tab = pytest.mark.parametrize("url", URLS.values())


@pytest.fixture(autouse=True)
def today() -> object:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def user() -> User:
    return UserFactory(email="viewer@example.com")


@pytest.fixture
def portal(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def give(user: User, quantity: int = 1, **fields: object) -> list[License]:
    """Licenses of one line for the user's reseller."""
    purchase = PurchaseFactory(reseller=user.reseller, quantity=quantity)
    return [LicenseFactory(purchase=purchase, **fields) for _ in range(quantity)]


def lines_in(html: str) -> list[str]:
    """The first row of each line, as text."""
    return [text_of(row) for row in re.findall(r'<tbody id="line-[^"]*">\s*<tr>(.*?)</tr>', html, re.DOTALL)]


@pytest.mark.parametrize(
    ("starts", "ends", "tabs", "words"),
    [
        (-300, 31, {"active"}, "Active"),
        (-300, 30, {"active", "expiring"}, "Expires in 30 days"),
        (-300, 1, {"active", "expiring"}, "Expires in 1 day"),
        (-300, 0, {"active", "expiring"}, "Expires today"),
        (-300, -1, {"expired"}, "Expired on 23 November 2026"),
        (0, 364, {"active"}, "Active"),
        (0, 0, {"active", "expiring"}, "Expires today"),
        (1, 365, {"upcoming"}, "Starts on 25 November 2026"),
    ],
)
def test_a_license_stands_in_the_tabs_of_its_days(
    portal: Client, user: User, starts: int, ends: int, tabs: set[str], words: str
) -> None:
    give(user, starts_on=TODAY + timedelta(days=starts), ends_on=TODAY + timedelta(days=ends))

    shown = {state.value: lines_in(portal.get(url).text) for state, url in URLS.items()}

    assert {state for state, lines in shown.items() if lines} == tabs
    assert all(words in shown[state][0] for state in tabs)


def test_a_cancelled_license_is_invalid_and_nothing_else(portal: Client, user: User) -> None:
    give(user, cancelled_at=datetime(2026, 5, 2, 21, 30, tzinfo=UTC))

    shown = {state: lines_in(portal.get(url).text) for state, url in URLS.items()}

    assert [state for state, lines in shown.items() if lines] == [LicenseState.INVALID]
    assert "Cancelled on 3 May 2026" in shown[LicenseState.INVALID][0]  # it was past midnight in Istanbul


def test_states_follow_the_resellers_own_midnight(client: Client) -> None:
    east = UserFactory(reseller=ResellerFactory(time_zone="Europe/Istanbul"))
    west = UserFactory(reseller=ResellerFactory(time_zone="America/New_York"))
    for user in (east, west):
        give(user, starts_on=date(2025, 12, 1), ends_on=date(2026, 11, 30))

    shown = {}
    with time_machine.travel(datetime(2026, 11, 30, 20, 30, tzinfo=UTC), tick=False):  # 23:30 in Istanbul
        for user in (east, west):
            client.force_login(user)
            shown[user] = client.get("/licenses/").text
    with time_machine.travel(datetime(2026, 11, 30, 21, 0, tzinfo=UTC), tick=False):  # midnight there
        client.force_login(east)
        after, expired = client.get("/licenses/").text, client.get("/licenses/expired/").text
        client.force_login(west)
        still = client.get("/licenses/").text

    assert "Expires today" in shown[east]
    assert "Expires today" in shown[west]
    assert lines_in(after) == []
    assert "Expired on 30 November 2026" in expired
    assert "Expires today" in still


def test_a_line_is_what_is_alike_and_carries_its_quantity(portal: Client, user: User) -> None:
    give(user, 3, ends_on=date(2027, 3, 1))
    give(user, 2, ends_on=date(2027, 1, 1))

    lines = lines_in(portal.get("/licenses/").text)

    assert [re.findall(r" (\d+) 24 Nov 2026", line) for line in lines] == [["2"], ["3"]]
    assert "1 Jan 2027" in lines[0]


@pytest.mark.parametrize("field", ["account", "contract", "product", "starts_on", "ends_on"])
def test_what_differs_in_one_thing_is_another_line(portal: Client, user: User, field: str) -> None:
    others = {
        "account": AccountFactory(reseller=user.reseller),
        "contract": ContractFactory(reseller=user.reseller),
        "product": ProductFactory(),
        "starts_on": date(2026, 10, 1),
        "ends_on": date(2027, 10, 1),
    }
    (license,) = give(user)

    LicenseFactory(purchase=license.purchase)
    LicenseFactory(purchase=license.purchase, **{field: others[field]})

    assert len(lines_in(portal.get("/licenses/").text)) == 2


def test_the_soonest_end_comes_first_in_every_tab(portal: Client, user: User) -> None:
    for days in (300, 100, 200):
        give(user, ends_on=TODAY + timedelta(days=days))
        give(user, starts_on=TODAY - timedelta(days=900), ends_on=TODAY - timedelta(days=days))

    active = [re.findall(r"20\d\d", line)[-1] for line in lines_in(portal.get("/licenses/").text)]
    ends = [line.split(" Expired on ")[1] for line in lines_in(portal.get("/licenses/expired/").text)]

    assert active == sorted(active)
    assert ends == ["28 January 2026", "8 May 2026", "16 August 2026"]


def test_tabs_count_and_name_the_current_one(portal: Client, user: User) -> None:
    give(user, 3, ends_on=TODAY + timedelta(days=5))
    give(user, 2, starts_on=TODAY + timedelta(days=5), ends_on=TODAY + timedelta(days=50))

    html = portal.get("/licenses/upcoming/").text

    tabs = re.findall(r'<a id="tab-(\w+)"[^>]*?(aria-current="page")?>.*?tab-count">(\d+)<', html)
    assert tabs == [
        ("active", "", "3"),
        ("expiring", "", "3"),
        ("upcoming", 'aria-current="page"', "2"),
        ("expired", "", "0"),
        ("invalid", "", "0"),
    ]


@pytest.mark.parametrize(("quantity", "summary"), [(0, "No active licenses"), (1, "1 active license on 1 account")])
def test_the_summary_counts_licenses_and_accounts(portal: Client, user: User, quantity: int, summary: str) -> None:
    for _ in range(quantity):
        give(user)

    assert summary in text_of(portal.get("/licenses/").text)


def test_counting_stops_at_ten_thousand(portal: Client, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("listing.tallies.COUNTED", 3)
    give(user, 4)

    html = portal.get("/licenses/").text

    assert '<span class="tab-count">3+</span>' in html
    assert "More than 3 active licenses" in html


# Opening a line


def test_a_line_opens_to_its_licenses_without_javascript(portal: Client, user: User) -> None:
    licenses = give(user, 3)
    give(user, 1, ends_on=date(2028, 1, 1))
    closed = portal.get("/licenses/").text

    toggle = re.findall(r'-toggle" href="([^"#]*)#', closed)[0].replace("&amp;", "&")
    opened = portal.get(toggle).text

    assert "/licenses/" + licenses[0].key not in closed
    assert [license.key for license in licenses] == re.findall(r'href="/licenses/([\w-]{20,})/"', opened)
    assert opened.count('aria-expanded="true"') == 1
    assert re.findall(r'-toggle" href="([^"#]*)#', opened)[0] == "/licenses/"


def test_the_licenses_of_a_long_line_come_in_pages(portal: Client, user: User) -> None:
    keys = [license.key for license in give(user, 205)]
    place = re.findall(r"line=([^&#\"]*)#", portal.get("/licenses/").text)[0]

    shown, url = [], f"/licenses/?line={place}"
    while url:
        html = portal.get(url).text
        shown.append(re.findall(r'href="/licenses/([\w-]{20,})/"', html))
        more = re.findall(r'href="([^"#]*license_after=[^"#]*)#', html)
        url = more[0].replace("&amp;", "&") if more else ""

    assert [len(page) for page in shown] == [100, 100, 5]
    assert [key for page in shown for key in page] == keys
    assert "license_before" in html


def test_a_line_in_one_tab_does_not_show_what_stands_in_another(portal: Client, user: User) -> None:
    valid, cancelled = give(user, 2)
    License.objects.filter(pk=cancelled.pk).update(cancelled_at=timezone.now())
    place = re.findall(r"line=([^&#\"]*)#", portal.get("/licenses/").text)[0]

    active = portal.get(f"/licenses/?line={place}").text
    invalid = portal.get(f"/licenses/invalid/?line={place}").text

    assert valid.key in active
    assert cancelled.key not in active
    assert cancelled.key in invalid
    assert valid.key not in invalid


# Search


@pytest.mark.parametrize(
    "query",
    [
        "istanbul",
        "İSTANBUL",
        "ISTANBUL",
        "sirket",
        "ŞİRKETİ",
        "acc-77",
        "panel",
        "sgn-7",
        "c-77",
        "istanbul sgn",
        "  istanbul  ",
    ],
)
def test_search_finds_by_folded_names_references_and_numbers(portal: Client, user: User, query: str) -> None:
    account = AccountFactory(reseller=user.reseller, name="İstanbul Taşıma Şirketi", reference="ACC-77")
    contract = ContractFactory(reseller=user.reseller, number="C-77")
    give(user, account=account, contract=contract, product=ProductFactory(sku="SGN-7", name="Işık Panel"))
    give(user, account=AccountFactory(reseller=user.reseller, name="Ankara", reference="ACC-1"))

    lines = lines_in(portal.get("/licenses/", {"q": query}).text)

    assert len(lines) == 1
    assert "İstanbul" in lines[0]


def test_every_word_of_a_search_counts(portal: Client, user: User) -> None:
    give(user, account=AccountFactory(reseller=user.reseller, name="Ege Market"))

    assert lines_in(portal.get("/licenses/", {"q": "ege market"}).text)
    assert not lines_in(portal.get("/licenses/", {"q": "ege lojistik"}).text)


@pytest.mark.parametrize("length", [4, 5, 8, 29])
def test_search_finds_a_key_by_its_beginning(portal: Client, user: User, length: int) -> None:
    (license,) = give(user, key="QQQQW-BCDEF-GHJKM-NPQRS-TVWXY")
    give(user)

    lines = lines_in(portal.get("/licenses/", {"q": license.key[:length].lower()}).text)

    assert len(lines) == 1
    assert license.account.name in lines[0]


@pytest.mark.parametrize(
    "query",
    [
        "%",
        "_",
        "\\",
        "%%%",
        "a_b",
        "\0",
        "a\0b",
        "'",
        '"><script>',
        "é" * 5_000,
        "x " * 2_500,
        "9" * 5_000,
        "\u0301",
        "İ" * 70_000,
    ],
    ids=lambda query: f"{query[:4]!r}×{len(query)}",
)
@pytest.mark.parametrize("url", ["/licenses/", "/purchases/"])
def test_no_search_is_too_strange(portal: Client, user: User, url: str, query: str) -> None:
    give(user)

    answer = portal.get(url, {"q": query})

    assert answer.status_code == 200
    assert "<script>" not in answer.text


@pytest.mark.parametrize("sign", ["%", "_"])
def test_signs_that_mean_something_to_the_database_are_plain_text(portal: Client, user: User, sign: str) -> None:
    give(user, account=AccountFactory(reseller=user.reseller, name=f"Half{sign}price"))
    give(user, account=AccountFactory(reseller=user.reseller, name="Halfxprice"))

    assert len(lines_in(portal.get("/licenses/", {"q": f"half{sign}price"}).text)) == 1


def test_a_word_that_names_very_many_finds_them_all(portal: Client, user: User) -> None:
    purchase = PurchaseFactory(reseller=user.reseller, quantity=60)
    for _ in range(60):
        LicenseFactory(purchase=purchase, account=AccountFactory(reseller=user.reseller, name="Şube"))

    found = licenses_found_by("sube", user=user)

    assert License.objects.filter(found).count() == 60


def test_search_stays_in_the_addresses_of_tabs_and_pages(portal: Client, user: User) -> None:
    account = AccountFactory(reseller=user.reseller, name="Ege & Oğulları")
    for day in range(LINES_SHOWN + 1):
        give(user, account=account, ends_on=date(2027, 1, 1) + timedelta(days=day))

    html = portal.get("/licenses/", {"q": "ege &"}).text

    assert 'href="/licenses/expired/?q=ege+%26"' in html
    assert links_in(html, rel="next")[0].startswith("/licenses/?q=ege+%26&after=")


# Pages


MOST_PAGES = 60
"""More than any list of these tests has."""

ends_of_lines = st.lists(st.integers(0, 40), min_size=1, max_size=14)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(at_first=ends_of_lines, meanwhile=st.lists(st.integers(0, 40), max_size=8), size=st.integers(1, 4))
def test_walking_there_and_back_meets_each_line_once_while_others_arrive(
    monkeypatch: pytest.MonkeyPatch, at_first: list[int], meanwhile: list[int], size: int
) -> None:
    monkeypatch.setattr("purchases.services.holdings.LINES_SHOWN", size)
    user = UserFactory()
    arrivals = iter(meanwhile)
    for days in at_first:
        give(user, ends_on=TODAY + timedelta(days=days))

    def turn(at: At) -> Page[Line]:
        page = lines_of(user, LicenseState.ACTIVE, on=TODAY, found=Q(), at=at)
        for days in itertools.islice(arrivals, 1):
            give(user, ends_on=TODAY + timedelta(days=days))
        return page

    there_before = {line.place for line in lines_of_all(user)}
    pages_there = walk(turn, lambda page: At(after=page.next) if page.next else None, first=At())
    there_at_the_end = {line.place for line in lines_of_all(user)}
    last = pages_there[-1]
    pages_back = (
        walk(turn, lambda page: At(before=page.previous) if page.previous else None, first=At(before=last.previous))
        if last.previous
        else []
    )

    forth = [line.place for page in pages_there for line in page.rows]
    back = [line.place for page in [*pages_back[::-1], last] for line in page.rows]
    assert len(forth) == len(set(forth))
    assert there_before <= set(forth) <= there_at_the_end
    assert len(back) == len(set(back))
    assert set(forth) <= set(back)


def walk(
    turn: Callable[[At], Page[Line]], onwards: Callable[[Page[Line]], At | None], *, first: At
) -> list[Page[Line]]:
    """The pages from the first one on, as long as they lead onwards; no more than there can be."""
    pages = [turn(first)]
    while (at := onwards(pages[-1])) and len(pages) < MOST_PAGES:
        pages.append(turn(at))
    return pages


def lines_of_all(user: User) -> list[Line]:
    """The lines of the Active tab, from single pages that are long enough."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("purchases.services.holdings.LINES_SHOWN", 100)
        return lines_of(user, LicenseState.ACTIVE, on=TODAY, found=Q(), at=At()).rows


def test_pages_lead_there_and_back(portal: Client, user: User) -> None:
    for day in range(2 * LINES_SHOWN + 1):
        give(user, ends_on=date(2027, 1, 1) + timedelta(days=day))

    first = portal.get("/licenses/").text
    second = portal.get(links_in(first, rel="next")[0]).text
    third = portal.get(links_in(second, rel="next")[0]).text
    second_again = portal.get(links_in(third, rel="prev")[0]).text
    first_again = portal.get(links_in(second_again, rel="prev")[0]).text

    assert [len(lines_in(page)) for page in (first, second, third)] == [LINES_SHOWN, LINES_SHOWN, 1]
    assert lines_in(second_again) == lines_in(second)
    assert lines_in(first_again) == lines_in(first)
    assert links_in(first, rel="prev") == links_in(first_again, rel="prev") == links_in(third, rel="next") == []


@pytest.mark.parametrize(
    "place",
    [
        "x",
        "~~~~",
        "2026-11-30~1~1~1",
        "2026-02-30~1~1~1~2026-01-01",
        "2026-11-30~1~1~1~2025-11-15~9",
        "2026-11-30~-1~1~1~2025-11-15",
        "2026-11-30~٣~1~1~2025-11-15",
        "2026-11-30~1_0~1~1~2025-11-15",
        "2026-11-30~999999999999999999999~1~1~2025-11-15",
        "9999-12-31~999999999999999999~1~1~9999-12-31",
        "2026-11-30~1~1~1~2025-11-15\0",
        "9" * 5_000,
    ],
    ids=lambda place: place[:30],
)
@pytest.mark.parametrize("name", ["after", "before", "from", "line", "license_after", "license_before"])
def test_a_made_up_place_shows_the_first_page(portal: Client, user: User, name: str, place: str) -> None:
    give(user)
    expected = lines_in(portal.get("/licenses/").text)

    answer = portal.get("/licenses/", {name: place})

    assert answer.status_code == 200
    assert lines_in(answer.text) == expected


@pytest.mark.parametrize("name", ["license_after", "license_before"])
def test_a_made_up_place_in_an_open_line_shows_its_first_licenses(portal: Client, user: User, name: str) -> None:
    (license,) = give(user)
    place = re.findall(r"line=([^&#\"]*)#", portal.get("/licenses/").text)[0]

    for made_up in ("x", "-1", "9" * 18, "9" * 5_000, "0"):
        answer = portal.get("/licenses/", {"line": place, name: made_up})

        assert license.key in answer.text


def test_the_address_of_a_line_shows_it_first_and_open(portal: Client, user: User) -> None:
    give(user, ends_on=date(2027, 1, 1))
    (wanted,) = give(user, ends_on=date(2027, 2, 1))

    back = re.findall(r'class="back-link" href="([^"]*)"', portal.get(f"/licenses/{wanted.key}/").text)[0]
    html = portal.get(back.replace("&amp;", "&")).text

    assert "1 Feb 2027" in lines_in(html)[0]
    assert wanted.key in html
    assert len(links_in(html, rel="prev")) == 1


# What is shown to whom


@every_tab
def test_another_resellers_licenses_are_nowhere(portal: Client, url: str) -> None:
    stranger = UserFactory()
    give(stranger)
    give(stranger, starts_on=TODAY + timedelta(days=1), ends_on=TODAY + timedelta(days=9))
    give(stranger, starts_on=TODAY - timedelta(days=9), ends_on=TODAY - timedelta(days=1))
    give(stranger, cancelled_at=timezone.now())

    html = portal.get(url).text

    assert lines_in(html) == []
    assert set(re.findall(r'tab-count">(\d+)<', html)) == {"0"}


def test_another_resellers_line_does_not_open(portal: Client, user: User, client: Client) -> None:
    stranger = UserFactory()
    (license,) = give(stranger)
    give(user)
    place = lines_of(stranger, LicenseState.ACTIVE, on=TODAY, found=Q(), at=At()).rows[0].place

    html = portal.get("/licenses/", {"line": place, "from": place}).text

    assert license.key not in html
    assert license.account.name not in lines_in(html)[0]


def test_search_names_no_account_of_another_reseller(portal: Client, user: User) -> None:
    give(user)
    give(UserFactory(), key="QQQQW-BCDEF-GHJKM-NPQRS-TVWXY")

    assert lines_in(portal.get("/licenses/", {"q": "QQQQW-BCDEF-GHJKM-NPQRS-TVWXY"}).text) == []


def test_buy_starts_a_purchase_for_who_holds_a_grant(portal: Client, user: User) -> None:
    ContractGrantFactory(user=user)

    html = portal.get("/licenses/").text

    assert re.search(r'<form[^>]* action="/purchases/start/".*?Buy licenses', html, re.DOTALL)
    assert "disabled" not in html


@pytest.mark.parametrize("grant", [None, False])
def test_buy_is_disabled_with_its_reason_for_who_holds_none(portal: Client, user: User, grant: bool | None) -> None:
    if grant is not None:
        ContractGrantFactory(user=user, can_create_licenses=grant)

    html = portal.get("/licenses/").text

    assert re.search(r'<button[^>]* disabled aria-describedby="no-grant">', html)
    assert re.search(r'id="no-grant">You may look, but not create licenses under any contract.', html)
    assert 'action="/purchases/start/"' not in html


@pytest.mark.parametrize("url", list(URLS.values())[1:])
def test_buy_stands_in_the_active_tab_only(portal: Client, user: User, url: str) -> None:
    ContractGrantFactory(user=user)

    assert "Buy licenses" not in portal.get(url).text


def test_drafts_are_offered_for_resuming_in_the_active_tab(portal: Client, user: User) -> None:
    draft = PurchaseDraftFactory(user=user)

    assert f"/purchases/{draft.pk}/" in portal.get("/licenses/").text
    assert f"/purchases/{draft.pk}/" not in portal.get("/licenses/expired/").text


@pytest.mark.parametrize(
    ("url", "title", "next_move"),
    [
        ("/licenses/", "No active licenses", "/purchases/"),
        ("/licenses/expiring/", "No license expires in the next 30 days", "/licenses/"),
        ("/licenses/upcoming/", "No upcoming licenses", "/licenses/"),
        ("/licenses/expired/", "No expired licenses", "/licenses/expiring/"),
        ("/licenses/invalid/", "No invalid licenses", "/licenses/"),
        ("/licenses/?q=xyz", "Nothing found for “xyz”", "/licenses/"),
        ("/licenses/expired/?q=xyz", "Nothing found for “xyz”", "/licenses/expired/"),
    ],
)
def test_an_empty_tab_explains_itself_and_offers_the_next_move(
    portal: Client, url: str, title: str, next_move: str
) -> None:
    html = portal.get(url).text

    empty = re.findall(r'<div class="empty">(.*?)</div>', html, re.DOTALL)[0]
    assert f"<h2>{title}</h2>" in empty
    assert f'href="{next_move}"' in empty


def test_an_empty_active_tab_leads_to_what_is_upcoming(portal: Client, user: User) -> None:
    give(user, starts_on=TODAY + timedelta(days=3), ends_on=TODAY + timedelta(days=9))

    assert 'class="btn" href="/licenses/upcoming/"' in portal.get("/licenses/").text


# How it is answered


@every_tab
def test_htmx_gets_the_part_that_it_swaps_and_its_title(portal: Client, url: str) -> None:
    whole = portal.get(url).text
    part = portal.get(url, headers={"HX-Request": "true"}).text
    restored = portal.get(url, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"}).text

    title = re.findall(r"<title>(.*?)</title>", whole)
    assert re.findall(r"<title>(.*?)</title>", part) == title
    assert part.count('id="lines"') == 1
    assert "<html" not in part
    assert "<html" in restored


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_lists_are_read_only(portal: Client, method: str) -> None:
    assert getattr(portal, method)("/licenses/").status_code == 405


@every_tab
def test_a_tab_costs_few_statements_however_many_rows_it_shows(portal: Client, user: User, url: str) -> None:
    state = next(state for state in URLS if URLS[state] == url)
    ContractGrantFactory(user=user)
    for _ in range(3):
        PurchaseDraftFactory(user=user, contract=ContractFactory(reseller=user.reseller))

    def cost(path: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert portal.get(path).status_code == 200
        return len(captured)

    def another_line() -> None:
        starts = TODAY + timedelta(days=3 if state is LicenseState.UPCOMING else -90)
        ends = TODAY - timedelta(days=1) if state is LicenseState.EXPIRED else TODAY + timedelta(days=10)
        cancelled_at = timezone.now() if state is LicenseState.INVALID else None
        give(user, 2, starts_on=starts, ends_on=ends, cancelled_at=cancelled_at)

    another_line()
    (place,) = [line.place for line in lines_of(user, state, on=TODAY, found=Q(), at=At()).rows]
    addresses = [url, f"{url}?q=account+device", f"{url}?line={place}", f"{url}?q=account&line={place}"]
    with_one = [cost(path) for path in addresses]
    for _ in range(LINES_SHOWN + 5):
        another_line()

    assert [cost(path) for path in addresses] == with_one
    assert max(with_one) <= 10


def test_a_full_page_is_light(portal: Client, user: User) -> None:
    for day in range(LINES_SHOWN + 1):
        give(user, 1 if day else 120, ends_on=date(2027, 1, 1) + timedelta(days=day))
    place = re.findall(r"line=([^&#\"]*)#", portal.get("/licenses/").text)[0]

    assert weight(portal.get("/licenses/").text) <= 10_000
    assert weight(portal.get(f"/licenses/?line={place}").text) <= 10_000


def test_the_tabs_have_an_address_each() -> None:
    assert {state: reverse(name) for state, name in TABS.items()} == URLS
