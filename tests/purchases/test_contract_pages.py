"""The contracts as the reseller sees them: the list, the page of one, and Buy under a contract."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from contracts.models import Contract
from contracts.standing import standing_of
from purchases.models import PurchaseDraft
from purchases.services.contracts import ACCOUNTS_SHOWN, LOTS_SHOWN, PEOPLE_SHOWN, PRODUCTS_SHOWN
from tests.factories import (
    AccountFactory,
    ContractFactory,
    ContractGrantFactory,
    ContractProductFactory,
    PackageFactory,
    ProductFactory,
    PurchaseFactory,
    UserFactory,
    receive,
)

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def user(client: Client) -> User:
    """Somebody without grants, who has signed in."""
    user = UserFactory(full_name="Ayşe Yılmaz")
    client.force_login(user)
    return user


def a_contract(user: User, *, granted: bool = True, **terms: Any) -> Contract:
    """A contract of the user's reseller, under which the user may create licenses unless it is not granted."""
    contract = ContractFactory(reseller=user.reseller, **{"starts_on": date(2026, 1, 1), **terms})
    if granted:
        ContractGrantFactory(contract=contract, user=user)
    return contract


def page_of(contract: Contract) -> str:
    return f"/contracts/{contract.number}/"


def text_of(html: str) -> str:
    """What a reader sees, on one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<head>.*?</head>", "", html, flags=re.DOTALL)).split())


def rows_in(html: str, *, section: str = "") -> list[str]:
    """The body rows of the tables, or of those of one section, as text."""
    part = html[html.index(f'id="{section}-heading"') :].split("</section>", maxsplit=1)[0] if section else html
    bodies = re.findall(r"<tbody>(.*?)</tbody>", part, re.DOTALL)
    return [text_of(row) for body in bodies for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)]


def link_in(html: str, *, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]*)"', html)
    return found[1].replace("&amp;", "&") if found else ""


# How a contract stands


@pytest.mark.parametrize(
    ("terms", "words", "look"),
    [
        ({}, "Active", "active"),
        ({"ends_on": TODAY}, "Active", "active"),
        ({"starts_on": TODAY}, "Active", "active"),
        ({"ends_on": YESTERDAY}, "Ended on 23 November 2026", "expired"),
        ({"starts_on": TOMORROW}, "Begins on 25 November 2026", "upcoming"),
        ({"status": "suspended", "ends_on": YESTERDAY}, "Suspended", "invalid"),
        ({"status": "closed"}, "Closed", "expired"),
        ({"status": "draft"}, "Draft", "upcoming"),
    ],
)
def test_standing_says_in_a_few_words_what_rule_1_looks_at(terms: dict[str, Any], words: str, look: str) -> None:
    contract = ContractFactory(**{"starts_on": date(2026, 1, 1), **terms})

    standing = standing_of(contract, on=TODAY)

    assert (standing.words, standing.look) == (words, look)


# The list


def test_contracts_list_says_how_each_stands_and_where_one_may_buy(client: Client, user: User) -> None:
    sold = a_contract(user, number="C-1", title="Frame", ends_on=date(2027, 12, 31))
    ContractProductFactory(contract=sold)
    ContractProductFactory(contract=sold, is_active=False)
    ContractProductFactory(contract=sold, product=ProductFactory(is_active=False))
    a_contract(user, number="C-2", title="", granted=False, currency="USD")
    a_contract(user, number="C-3", title="", ends_on=YESTERDAY)
    a_contract(user, number="C-4", title="", status="suspended")
    a_contract(user, number="C-5", title="", status="draft")

    html = client.get("/contracts/").text

    assert rows_in(html) == [
        "C-1 Frame 1 Jan 2026 – 31 Dec 2027 EUR 1 Active You may buy",
        "C-2 1 Jan 2026 – open-ended USD 0 Active Looking only",
        "C-3 1 Jan 2026 – 23 Nov 2026 EUR 0 Ended on 23 November 2026 Looking only",
        "C-4 1 Jan 2026 – open-ended EUR 0 Suspended Looking only",
    ]
    assert "4 contracts" in text_of(html)


def test_a_grant_without_the_permission_is_looking_only(client: Client, user: User) -> None:
    contract = a_contract(user, granted=False)
    ContractGrantFactory(contract=contract, user=user, can_create_licenses=False)
    ContractGrantFactory(contract=contract)

    assert rows_in(client.get("/contracts/").text)[0].endswith("Looking only")


@pytest.mark.parametrize("query", ["cinar", "ÇINAR", "c-77"])
def test_contracts_list_finds_by_folded_number_and_title(client: Client, user: User, query: str) -> None:
    a_contract(user, number="C-77", title="Çınar walls")
    a_contract(user, number="C-78", title="Ege")

    rows = rows_in(client.get("/contracts/", {"q": query}).text)

    assert [row.split()[0] for row in rows] == ["C-77"]


def test_contracts_list_walks_all_pages_forward_and_back(client: Client, user: User) -> None:
    for number in range(55):
        a_contract(user, number=f"C~{number:02}")
    forward, url = [], "/contracts/"

    while url:
        html = client.get(url).text
        forward.append(rows_in(html))
        url = link_in(html, rel="next")
    back, url = [forward[-1]], link_in(html, rel="prev")
    while url:
        html = client.get(url).text
        back.insert(0, rows_in(html))
        url = link_in(html, rel="prev")

    assert link_in(client.get("/contracts/").text, rel="prev") == ""
    assert [len(rows) for rows in forward] == [25, 25, 5]
    assert len({row for rows in forward for row in rows}) == 55
    assert back == forward


def test_contracts_list_explains_itself_when_empty(client: Client, user: User) -> None:
    ContractFactory(number="STRANGER-1")

    assert "No contracts yet" in client.get("/contracts/").text
    assert "No contract matches" in client.get("/contracts/", {"q": "stranger"}).text


# The page of one


def test_contract_page_says_its_conditions_in_words(client: Client, user: User) -> None:
    contract = a_contract(
        user,
        minimum_quantity=5,
        requires_po_number=True,
        term_months=24,
        end_rule="month_end",
        billing="annual",
        conditions="One device each.\nNo moves.",
    )

    text = text_of(client.get(page_of(contract)).text)

    for words in (
        "State Active",
        "From 1 January 2026, open-ended",
        "24 months, to the end of the last month",
        "In EUR, each year in advance",
        "5 licenses a purchase",
        "Needed for each purchase",
        "One device each. No moves.",
    ):
        assert words in text


def test_contract_page_shows_products_prices_and_stock(client: Client, user: User) -> None:
    contract = a_contract(user)
    tablet = ProductFactory(name="Tablet", sku="T-1", package=PackageFactory(name="Professional"))
    ContractProductFactory(contract=contract, product=tablet, unit_price=Decimal("1250.50"), maximum_quantity=500)
    ContractProductFactory(contract=contract, product=ProductFactory(name="Wall", sku="W-1", is_active=False))
    lot = receive(contract, tablet, 3, use_by=date(2027, 1, 31))
    receive(contract, tablet, 4, use_by=date(2027, 6, 30))
    receive(a_contract(user), tablet, 9)

    html = client.get(page_of(contract)).text

    assert rows_in(html, section="products") == [
        "Tablet T-1 Professional 1,250.50 EUR 500 7",
        "Wall W-1 · no longer sold any package 100.00 EUR 10,000 0",
    ]
    assert rows_in(html, section="stock") == [
        "Tablet to be used by 31 January 2027 T-1 3 31 Jan 2027",
        "Tablet to be used by 30 June 2027 T-1 4 30 Jun 2027",
    ]
    assert f'href="/stock/{lot.pk}/"' in html


def test_contract_page_leaves_out_stock_that_lapsed(client: Client, user: User) -> None:
    contract, product = a_contract(user), ProductFactory()
    receive(contract, product, 3, use_by=YESTERDAY)

    assert rows_in(client.get(page_of(contract)).text, section="stock") == []


def test_contract_page_searches_its_products_where_they_are_many(client: Client, user: User) -> None:
    contract = a_contract(user)
    for number in range(PRODUCTS_SHOWN + 1):
        ContractProductFactory(contract=contract, product=ProductFactory(name=f"Ekran {number:02}"))
    ContractProductFactory(product=ProductFactory(name="Işık elsewhere"))
    ContractProductFactory(contract=contract, product=ProductFactory(name="Işık"))

    long = client.get(page_of(contract)).text
    found = client.get(page_of(contract), {"q": "ISIK"}).text
    none = client.get(page_of(contract), {"q": "nothing"}).text

    assert len(rows_in(long, section="products")) == PRODUCTS_SHOWN
    assert f"Showing {PRODUCTS_SHOWN} of {PRODUCTS_SHOWN + 2}" in text_of(long)
    assert 'name="q"' in long
    assert [row.split()[0] for row in rows_in(found, section="products")] == ["Işık"]
    assert 'value="ISIK"' in found
    assert "No product of this contract matches." in none


def test_contract_page_has_no_search_where_products_are_few(client: Client, user: User) -> None:
    contract = a_contract(user)
    ContractProductFactory(contract=contract)

    assert 'role="search"' not in client.get(page_of(contract)).text


def test_contract_page_names_who_may_buy(client: Client, user: User) -> None:
    contract = a_contract(user)
    people: dict[str, dict[str, Any]] = {
        "Zeki": {},
        "Left": {"is_active": False},
        "": {"email": "nameless@example.com"},
    }
    for name, fields in people.items():
        colleague = UserFactory(reseller=user.reseller, full_name=name, **fields)
        ContractGrantFactory(contract=contract, user=colleague)
    looking = UserFactory(reseller=user.reseller, full_name="Looking")
    ContractGrantFactory(contract=contract, user=looking, can_create_licenses=False)

    text = text_of(client.get(page_of(contract)).text)

    assert "Who may buy nameless@example.com, Ayşe Yılmaz (you), Zeki" in text
    assert "Left" not in text
    assert "Looking" not in text


def test_contract_page_names_the_accounts_that_it_serves_only(client: Client, user: User) -> None:
    contract = a_contract(user)
    contract.exclusive_accounts.add(AccountFactory(reseller=user.reseller, name="Ada", reference="A-1"))

    assert "Serves only Ada (A-1)" in text_of(client.get(page_of(contract)).text)
    assert "Serves only" not in client.get(page_of(a_contract(user))).text


def test_contract_page_shows_ten_latest_purchases(client: Client, user: User) -> None:
    contract = a_contract(user, number="C-55")
    numbers = [
        PurchaseFactory(contract=contract, number=f"P-{day}", placed_at=NOON - timedelta(days=day)).number
        for day in range(12)
    ]
    into_stock = PurchaseFactory(contract=contract, number="P-STOCK", kind="stock", account=None)
    PurchaseFactory(reseller=user.reseller, number="P-OTHER")

    html = client.get(page_of(contract)).text

    assert set(re.findall(r'href="/purchases/(P-\w+)/"', html)) == {into_stock.number, *numbers[:9]}
    assert any("Into stock" in row for row in rows_in(html, section="purchases"))
    assert 'href="/purchases/?q=C-55"' in html


@pytest.mark.parametrize("number", ["2026/117", "A/", "Ş 1", "100%", "C?x=1", "C#1"])
def test_contract_numbers_may_hold_any_sign(client: Client, user: User, number: str) -> None:
    contract = a_contract(user, number=number)

    link = re.search(r'<th scope="row"><a [^>]*href="([^"]*)"', client.get("/contracts/").text)

    assert link is not None
    assert contract.title in client.get(link[1]).text


def test_contracts_of_others_and_drafts_are_not_there(client: Client, user: User) -> None:
    stranger, draft = ContractFactory(), a_contract(user, status="draft")
    ContractGrantFactory(contract=stranger, user=user)

    answers = [
        client.get(page_of(stranger)),
        client.get(page_of(draft)),
        client.get("/contracts/%00/"),
        client.get("/contracts/no-such/"),
        client.post("/purchases/start/", {"contract": stranger.pk}),
        client.post("/purchases/start/", {"contract": draft.pk}),
    ]

    assert [answer.status_code for answer in answers] == [404] * 6
    assert not PurchaseDraft.objects.exists()


def test_contract_pages_only_show(client: Client, user: User) -> None:
    contract = a_contract(user)

    assert [client.post(url).status_code for url in ("/contracts/", page_of(contract))] == [405, 405]


# Buy under this contract


def test_buy_under_a_contract_opens_a_draft_with_it_chosen(client: Client, user: User) -> None:
    contract = a_contract(user)

    page = client.get(page_of(contract)).text
    answer = client.post("/purchases/start/", {"contract": contract.pk})

    assert f'name="contract" value="{contract.pk}"' in page
    draft = PurchaseDraft.objects.get()
    assert (draft.contract, draft.account) == (contract, None)
    assert answer.headers["Location"] == f"/purchases/{draft.pk}/account/"


def test_buy_under_a_contract_for_an_account_leaves_the_product_to_choose(client: Client, user: User) -> None:
    contract, account = a_contract(user), AccountFactory(reseller=user.reseller)

    answer = client.post("/purchases/start/", {"contract": contract.pk, "account": account.pk})

    draft = PurchaseDraft.objects.get()
    assert (draft.contract, draft.account) == (contract, account)
    assert answer.headers["Location"] == f"/purchases/{draft.pk}/product/"


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ({"ends_on": YESTERDAY}, "ended on 23 November 2026. Choose another contract."),
        ({"starts_on": TOMORROW}, "begins on 25 November 2026."),
        ({"status": "suspended"}, "is suspended. Ask the operator."),
        ({"status": "closed"}, "is closed. Choose another contract."),
        ({"granted": False}, "Ask your operator for the permission."),
    ],
)
def test_a_contract_that_a_rule_refuses_has_a_disabled_button_with_the_rule_s_sentence(
    client: Client, user: User, terms: dict[str, Any], sentence: str
) -> None:
    a_contract(user, number="C-OPEN")
    contract = a_contract(user, number="C-9", **terms)

    html = client.get(page_of(contract)).text
    answer = client.post("/purchases/start/", {"contract": contract.pk}, follow=True)

    assert re.search(r' disabled aria-describedby="no-grant">.*Buy under this contract</button>', html, re.DOTALL)
    assert re.search(rf'id="no-grant">[^<]*{re.escape(sentence)}', html)
    draft = PurchaseDraft.objects.get()
    assert answer.redirect_chain == [(f"/purchases/{draft.pk}/contract/", 303)]
    assert sentence in text_of(answer.text)


# Figures


def test_pages_of_contracts_cost_the_same_with_one_row_and_with_many(client: Client, user: User) -> None:
    contract = a_contract(user)
    receive(contract, ContractProductFactory(contract=contract).product, 1)
    PurchaseFactory(contract=contract)
    contract.exclusive_accounts.add(AccountFactory(reseller=user.reseller))

    def statements() -> list[int]:
        counted = []
        for url in ("/contracts/", page_of(contract)):
            with CaptureQueriesContext(connection) as asked:
                assert client.get(url).status_code == 200
            counted.append(len(asked))
        return counted

    few = statements()
    for _ in range(30):
        receive(contract, ContractProductFactory(contract=contract).product, 1)
        PurchaseFactory(contract=contract)
        contract.exclusive_accounts.add(AccountFactory(reseller=user.reseller))
        ContractGrantFactory(contract=contract)
        a_contract(user)

    assert statements() == few
    assert max(few) <= 10


def test_contract_page_says_how_much_it_leaves_out(client: Client, user: User) -> None:
    contract, product = a_contract(user), ProductFactory()
    for _ in range(LOTS_SHOWN + 1):
        receive(contract, product, 1)
    for number in range(PEOPLE_SHOWN):
        ContractGrantFactory(contract=contract, user=UserFactory(reseller=user.reseller, full_name=f"Person {number}"))
    contract.exclusive_accounts.set(AccountFactory(reseller=user.reseller) for _ in range(ACCOUNTS_SHOWN + 1))

    text = text_of(client.get(page_of(contract)).text)

    assert f"Showing {LOTS_SHOWN} of {LOTS_SHOWN + 1} lots." in text
    assert f"Showing {PEOPLE_SHOWN} of {PEOPLE_SHOWN + 1}." in text
    assert f"Showing {ACCOUNTS_SHOWN} of {ACCOUNTS_SHOWN + 1}." in text
