"""The accounts: the list, the page of one, the forms, and Buy for an account."""

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from accounts.models import Account, User
from products.models import Package
from purchases.models import License, PurchaseDraft
from purchases.services.ending import MONTHS, ending_by_month
from tests.factories import (
    AccountFactory,
    ContractFactory,
    ContractGrantFactory,
    ContractProductFactory,
    LicenseFactory,
    PackageFactory,
    ProductFactory,
    PurchaseDraftFactory,
    PurchaseFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def viewer(client: Client) -> User:
    """Somebody without grants, who has signed in."""
    user = UserFactory()
    client.force_login(user)
    return user


@pytest.fixture
def buyer(viewer: User) -> User:
    """The same with a grant on a contract that sells one product."""
    contract = ContractFactory(reseller=viewer.reseller, number="C-1")
    ContractGrantFactory(contract=contract, user=viewer)
    ContractProductFactory(contract=contract)
    return viewer


def text_of(html: str) -> str:
    """What a reader sees, on one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<head>.*?</head>", "", html, flags=re.DOTALL)).split())


def rows_in(html: str) -> list[str]:
    """The body rows of every table of the page, as text."""
    bodies = re.findall(r"<tbody>(.*?)</tbody>", html, re.DOTALL)
    return [text_of(row) for body in bodies for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)]


def link_in(html: str, *, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]*)"', html)
    return found[1].replace("&amp;", "&") if found else ""


def give(account: Account, quantity: int = 1, *, ends_in: int, starts_in: int = -10, **fields: Any) -> None:
    """Licenses of one line for the account, counted in days from today."""
    purchase = PurchaseFactory(account=account, quantity=quantity, **fields.pop("purchase", {}))
    for _ in range(quantity):
        LicenseFactory(
            purchase=purchase,
            starts_on=TODAY + timedelta(days=starts_in),
            ends_on=TODAY + timedelta(days=ends_in),
            **fields,
        )


def facts(**changes: Any) -> dict[str, Any]:
    """What the form of a new account sends, with other answers where given."""
    return {"name": "Çınar Hastaneleri", "reference": "H-1", "package": "", "tier": "paid", **changes}


def accounts_written() -> list[tuple[Any, ...]]:
    return list(Account.objects.order_by("pk").values_list())


# The list


def test_accounts_list_says_what_each_is_and_has(client: Client, viewer: User) -> None:
    package = PackageFactory(name="Professional")
    first = AccountFactory(reseller=viewer.reseller, name="Ada", reference="A-1", package=package)
    AccountFactory(reseller=viewer.reseller, name="Bora", reference="B-1", tier="trial", is_active=False)
    give(first, 2, ends_in=0)
    give(first, 1, starts_in=5, ends_in=400)
    give(first, 4, ends_in=-1)
    give(first, 8, ends_in=30, cancelled_at=NOON)

    page = client.get("/accounts/")

    assert rows_in(page.text) == ["Ada A-1 Professional Paid 3 Active", "Bora B-1 – Trial 0 Not active"]
    assert "2 accounts" in text_of(page.text)


def test_accounts_list_is_in_the_order_of_folded_names(client: Client, viewer: User) -> None:
    for name in ("Zeytin", "Çınar", "İnci", "Deniz", "ışık", "Ceviz"):
        AccountFactory(reseller=viewer.reseller, name=name, reference="X-" + name)

    rows = rows_in(client.get("/accounts/").text)

    assert [row.split()[0] for row in rows] == ["Ceviz", "Çınar", "Deniz", "İnci", "ışık", "Zeytin"]


@pytest.mark.parametrize("query", ["istanbul", "İSTANBUL", "ISTANBUL", "tasimacilik", "acc-77"])
def test_accounts_list_finds_by_folded_name_and_reference(client: Client, viewer: User, query: str) -> None:
    AccountFactory(reseller=viewer.reseller, name="İstanbul Taşımacılık", reference="ACC-77")
    AccountFactory(reseller=viewer.reseller, name="Ege", reference="ACC-78")

    page = client.get("/accounts/", {"q": query})

    assert [row.split()[0] for row in rows_in(page.text)] == ["İstanbul"]


def test_accounts_list_explains_itself_when_nothing_matches(client: Client, viewer: User) -> None:
    AccountFactory(reseller=viewer.reseller)

    page = client.get("/accounts/", {"q": "nobody\0 there"})

    assert "No account matches" in text_of(page.text)


def test_accounts_list_walks_all_pages_forward_and_back(client: Client, viewer: User) -> None:
    for number in range(60):
        AccountFactory(reseller=viewer.reseller, name=f"Same {number // 30}", reference=f"R~{number:02}")
    forward, url = [], "/accounts/?q=same"

    while url:
        page = client.get(url)
        forward.append(rows_in(page.text))
        url = link_in(page.text, rel="next")
    back, url = [forward[-1]], link_in(page.text, rel="prev")
    while url:
        page = client.get(url)
        back.insert(0, rows_in(page.text))
        url = link_in(page.text, rel="prev")

    assert link_in(client.get("/accounts/").text, rel="prev") == ""
    assert [len(rows) for rows in forward] == [25, 25, 10]
    assert len({row for rows in forward for row in rows}) == 60
    assert back == forward


@pytest.mark.parametrize("place", ["x", "~", "%00~1", "w6E~9999999999999999999", "7aCA~1", "QQ~1~2"])
def test_accounts_list_begins_anew_at_a_made_up_place(client: Client, viewer: User, place: str) -> None:
    AccountFactory(reseller=viewer.reseller)

    assert client.get("/accounts/", {"after": place}).status_code == 200
    assert client.get("/accounts/", {"before": place}).status_code == 200


def test_accounts_list_shows_nothing_of_another_reseller(client: Client, viewer: User) -> None:
    AccountFactory(name="Stranger")

    assert "Stranger" not in client.get("/accounts/").text
    assert "Stranger" not in client.get("/accounts/?q=stranger").text


def test_accounts_list_offers_a_new_account_to_buyers_only(client: Client, viewer: User) -> None:
    before = client.get("/accounts/").text
    ContractGrantFactory(user=viewer)

    assert "/accounts/new/" not in before
    assert "/accounts/new/" in client.get("/accounts/").text


# The page of one


def test_account_page_says_what_it_is(client: Client, viewer: User) -> None:
    account = AccountFactory(
        reseller=viewer.reseller, name="Ada", reference="A-1", package=PackageFactory(name="Starter")
    )

    text = text_of(client.get(f"/accounts/{account.pk}/").text)

    assert "State Active Package Starter Tier Paid Valid licenses 0" in text
    assert "No active license ends by 31 October 2027." in text
    assert "Nothing was bought yet." in text


def test_account_page_shows_lines_by_soonest_end(client: Client, viewer: User) -> None:
    account = AccountFactory(reseller=viewer.reseller)
    product = ProductFactory(name="Tablet", sku="T-1")
    bought = {"product": product, "contract": ContractFactory(reseller=viewer.reseller, number="C-9")}
    give(account, 3, ends_in=40, purchase=bought)
    give(account, 2, ends_in=6, purchase=bought)
    give(account, 1, starts_in=1, ends_in=400, purchase=bought)
    give(account, 1, ends_in=-1, purchase=bought)
    give(account, 1, ends_in=9, purchase=bought, cancelled_at=NOON)
    LicenseFactory(reseller=viewer.reseller)

    html = client.get(f"/accounts/{account.pk}/").text

    lines = rows_in(html[html.index("lines-heading") : html.index("purchases-heading")])
    assert lines == [
        "Tablet T-1 C-9 2 14 Nov 2026 30 Nov 2026 Expires in 6 days",
        "Tablet T-1 C-9 3 14 Nov 2026 3 Jan 2027 Active",
        "Tablet T-1 C-9 1 25 Nov 2026 29 Dec 2027 Starts on 25 November 2026",
    ]
    assert "All licenses of this account" not in html


def test_account_page_says_how_many_of_each_product_it_has(client: Client, viewer: User) -> None:
    account = AccountFactory(reseller=viewer.reseller)
    tablet, camera = ProductFactory(name="Tablet", sku="T-1"), ProductFactory(name="Camera", sku="C-1")
    give(account, 3, ends_in=40, purchase={"product": tablet})
    give(account, 2, ends_in=6, purchase={"product": tablet})
    give(account, 1, starts_in=1, ends_in=400, purchase={"product": tablet})
    give(account, 4, starts_in=1, ends_in=9, purchase={"product": camera})
    give(account, 1, ends_in=-1, purchase={"product": camera})
    give(account, 1, ends_in=2, purchase={"product": camera}, cancelled_at=NOON)

    html = client.get(f"/accounts/{account.pk}/").text

    products = html[html.index("products-heading") : html.index("lines-heading")]
    assert rows_in(products) == ["Camera C-1 0 4 3 Dec 2026", "Tablet T-1 5 1 30 Nov 2026"]
    assert re.findall(r'href="([^"]*)"', products) == [
        f"/licenses/upcoming/?account={account.pk}&amp;product={camera.pk}",
        f"/licenses/?account={account.pk}&amp;product={tablet.pk}",
        f"/licenses/upcoming/?account={account.pk}&amp;product={tablet.pk}",
    ]
    assert "Valid licenses 10" in text_of(html)


def test_account_page_leads_to_the_lines_that_it_does_not_show(client: Client, viewer: User) -> None:
    account = AccountFactory(reseller=viewer.reseller)
    for days in range(26):
        give(account, ends_in=days)

    html = client.get(f"/accounts/{account.pk}/").text

    assert f'href="/licenses/?account={account.pk}">All licenses of this account<' in html


def test_account_page_shows_ten_latest_purchases(client: Client, viewer: User) -> None:
    account = AccountFactory(reseller=viewer.reseller)
    numbers = [
        PurchaseFactory(account=account, number=f"P-{day}", placed_at=NOON - timedelta(days=day)).number
        for day in range(12)
    ]
    PurchaseFactory(reseller=viewer.reseller, number="P-OTHER")

    html = client.get(f"/accounts/{account.pk}/").text

    assert re.findall(r'href="/purchases/(P-\w+)/"', html) == numbers[:10]
    assert f'href="/purchases/?q={account.reference}"' in html


def test_account_page_names_the_contracts_that_it_is_bound_to(client: Client, viewer: User) -> None:
    account = AccountFactory(reseller=viewer.reseller)
    binding = ContractFactory(reseller=viewer.reseller, number="C-7", title="Walls")
    closed = ContractFactory(reseller=viewer.reseller, number="C-8", status="closed")
    for contract in (binding, closed):
        contract.exclusive_accounts.add(account)

    text = text_of(client.get(f"/accounts/{account.pk}/").text)

    assert "Buys only under C-7 Walls Valid licenses" in text


def test_account_page_draws_a_year_of_ending_licenses(client: Client, viewer: User) -> None:
    account = AccountFactory(reseller=viewer.reseller, reference="A-1")
    give(account, 2, ends_in=0)
    give(account, 1, ends_in=6)
    give(account, 5, ends_in=60)
    give(account, 1, ends_in=-1)

    html = client.get(f"/accounts/{account.pk}/").text

    chart = html[html.index("<figure") : html.index("</figure>")]
    labels = re.findall(r'<a href="([^"]*)" aria-label="([^"]*)"', chart)
    assert [label for _, label in labels] == ["November 2026: 3 licenses end", "January 2027: 5 licenses end"]
    assert [url.replace("&amp;", "&") for url, _ in labels] == [
        f"/licenses/?account={account.pk}&ends_from=2026-11-24&ends_to=2026-11-30",
        f"/licenses/?account={account.pk}&ends_from=2027-01-01&ends_to=2027-01-31",
    ]
    assert [row.split()[-1] for row in rows_in(chart)] == ["3", "0", "5", *["0"] * 9]
    assert "style=" not in chart


def test_account_pages_of_another_reseller_are_not_there(client: Client, buyer: User) -> None:
    stranger = AccountFactory(tier="trial")
    before = accounts_written()

    answers = [
        client.get(f"/accounts/{stranger.pk}/"),
        client.get(f"/accounts/{stranger.pk}/edit/"),
        client.post(f"/accounts/{stranger.pk}/edit/", {"name": "Mine", "package": ""}),
        client.post(f"/accounts/{stranger.pk}/make-paid/"),
        client.post("/purchases/start/", {"account": stranger.pk}),
        client.get("/accounts/99999999999999999999/"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 6
    assert accounts_written() == before
    assert not PurchaseDraft.objects.exists()


# The months


def test_ending_by_month_counts_from_today_over_twelve_months() -> None:
    license = LicenseFactory(starts_on=TODAY, ends_on=TODAY)
    for day in (date(2026, 11, 23), date(2026, 11, 30), date(2026, 12, 1), date(2027, 10, 31), date(2027, 11, 1)):
        LicenseFactory(purchase=license.purchase, starts_on=date(2026, 1, 1), ends_on=day)
    LicenseFactory(purchase=license.purchase, starts_on=date(2026, 11, 25), ends_on=date(2026, 12, 5))
    LicenseFactory(purchase=license.purchase, ends_on=date(2026, 12, 5), cancelled_at=NOON)

    months = ending_by_month(License.objects.all(), on=TODAY)

    assert len(months) == MONTHS == 12
    assert [month.quantity for month in months] == [2, 1, *[0] * 9, 1]
    assert (months[0].starts_on, months[0].ends_on) == (TODAY, date(2026, 11, 30))
    assert (months[-1].starts_on, months[-1].ends_on) == (date(2027, 10, 1), date(2027, 10, 31))
    assert months[1].parameters == {"ends_from": "2026-12-01", "ends_to": "2026-12-31"}


@pytest.mark.parametrize("on", [date(2028, 1, 31), date(2028, 2, 29), date(2027, 12, 31), date(2027, 3, 1)])
def test_the_months_leave_no_day_out(on: date) -> None:
    months = ending_by_month(License.objects.none(), on=on)

    for earlier, later in itertools.pairwise(months):
        assert later.starts_on == earlier.ends_on + timedelta(days=1)
    assert months[0].starts_on == on
    assert (months[-1].ends_on + timedelta(days=1)).day == 1


# Buy for this account


def test_buy_for_an_account_opens_a_draft_for_it(client: Client, buyer: User) -> None:
    account = AccountFactory(reseller=buyer.reseller)

    page = client.get(f"/accounts/{account.pk}/").text
    answer = client.post("/purchases/start/", {"account": account.pk})

    assert f'name="account" value="{account.pk}"' in page
    draft = PurchaseDraft.objects.get()
    assert (draft.account, draft.contract) == (account, None)
    assert answer.headers["Location"] == f"/purchases/{draft.pk}/contract/"


def test_a_draft_for_an_account_skips_that_question(client: Client, buyer: User) -> None:
    account = AccountFactory(reseller=buyer.reseller, name="Ada")
    client.post("/purchases/start/", {"account": account.pk})
    draft = PurchaseDraft.objects.get()

    resumed = client.get(f"/purchases/{draft.pk}/")
    too_far = client.get(f"/purchases/{draft.pk}/preview/", follow=True)
    offered = client.get("/licenses/").text
    contract = buyer.grants.get().contract
    chosen = client.post(f"/purchases/{draft.pk}/contract/", {"contract": contract.pk})

    assert resumed.headers["Location"] == f"/purchases/{draft.pk}/contract/"
    assert too_far.redirect_chain == [(f"/purchases/{draft.pk}/contract/", 303)]
    assert "Nothing chosen yet" not in offered
    assert re.search(r"Ada\s+<span class=\"muted\">", offered)
    assert chosen.headers["Location"] == f"/purchases/{draft.pk}/product/"


def test_an_account_that_the_contract_does_not_serve_is_cleared_and_named(client: Client, buyer: User) -> None:
    account = AccountFactory(reseller=buyer.reseller, name="Ada", reference="A-1", tier="trial")
    client.post("/purchases/start/", {"account": account.pk})
    draft = PurchaseDraft.objects.get()

    contract = buyer.grants.get().contract
    page = client.post(f"/purchases/{draft.pk}/contract/", {"contract": contract.pk}, follow=True)

    draft.refresh_from_db()
    assert (draft.contract, draft.account) == (contract, None)
    assert page.redirect_chain[-1][0] == f"/purchases/{draft.pk}/account/"
    assert "Ada (A-1) is on trial, and only paid accounts buy." in text_of(page.text)


@pytest.mark.parametrize("key", ["", "0", "x", "-1", "٣", "1" * 40, "1\0", "1.5"])
@pytest.mark.parametrize("name", ["account", "contract"])
def test_start_knows_no_made_up_rows(client: Client, buyer: User, name: str, key: str) -> None:
    AccountFactory(reseller=buyer.reseller)

    answer = client.post("/purchases/start/", {name: key})

    assert answer.status_code == 404
    assert not PurchaseDraft.objects.exists()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tier": "trial"}, "This account is on trial, and only paid accounts buy. Make it paid first."),
        ({"is_active": False}, "This account is not active. Ask the operator."),
    ],
)
def test_buy_is_shown_disabled_with_the_reason(
    client: Client, buyer: User, changes: dict[str, Any], reason: str
) -> None:
    account = AccountFactory(reseller=buyer.reseller, **changes)

    html = client.get(f"/accounts/{account.pk}/").text

    assert re.search(
        r'<button[^>]* disabled aria-describedby="no-grant">.*Buy for this account</button>', html, re.DOTALL
    )
    assert f'id="no-grant">{reason}' in html
    assert 'name="account"' not in html


def test_viewers_see_no_way_to_change_an_account_and_why_they_cannot_buy(client: Client, viewer: User) -> None:
    account = AccountFactory(reseller=viewer.reseller, tier="trial")

    html = client.get(f"/accounts/{account.pk}/").text
    start = client.post("/purchases/start/", {"account": account.pk})

    assert "/edit/" not in html
    assert "/make-paid/" not in html
    assert "You may look, but not create licenses under any contract." in html
    assert start.status_code == 403
    assert not PurchaseDraft.objects.exists()


# Adding and editing


def test_a_buyer_creates_an_account(client: Client, buyer: User) -> None:
    package = PackageFactory()

    answer = client.post("/accounts/new/", facts(package=package.pk, name="  Çınar   Hastaneleri "), follow=True)

    account = Account.objects.get()
    assert (account.name, account.reference, account.package) == ("Çınar Hastaneleri", "H-1", package)
    assert account.reseller == buyer.reseller
    assert answer.redirect_chain == [(f"/accounts/{account.pk}/", 303)]
    assert "Account Çınar Hastaneleri (H-1) was created." in answer.text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "Enter the name of the account."),
        ({"name": " \t "}, "Enter the name of the account."),
        ({"name": "x" * 201}, "at most 200 characters (it has 201)"),
        ({"name": "a\0b"}, "This holds characters that cannot be shown."),
        ({"name": "a\u202eb"}, "This holds characters that cannot be shown."),
        ({"reference": ""}, "Enter a reference"),
        ({"reference": "x" * 61}, "at most 60 characters (it has 61)"),
        ({"reference": "TAKEN"}, "has this reference already. Choose another one, or use that account."),
        ({"package": "x"}, "There is no such package. Choose one of the list."),
        ({"package": "9" * 30}, "There is no such package. Choose one of the list."),
        ({"package": "1\0"}, "Null characters are not allowed."),
        ({"tier": ""}, "Choose whether the account is on trial or paid."),
        ({"tier": "gold"}, "Choose trial or paid."),
    ],
)
def test_bad_input_for_a_new_account_is_kept_and_nothing_written(
    client: Client, buyer: User, changes: dict[str, str], sentence: str
) -> None:
    AccountFactory(reseller=buyer.reseller, reference="TAKEN")
    before = accounts_written()

    page = client.post("/accounts/new/", facts(**{"reference": "MINE-77", "name": "Mine", **changes}))

    assert page.status_code == 422
    assert "<title>Error: New account" in page.text
    assert page.text.count(sentence) == 2  # in the summary and at the field
    assert {"name": "Mine", "reference": "MINE-77", **changes}["reference"] in page.text
    assert accounts_written() == before


def test_a_name_that_exists_is_asked_about_and_created_all_the_same(client: Client, buyer: User) -> None:
    existing = AccountFactory(reseller=buyer.reseller, name="Işık Şirketi", reference="I-1")
    AccountFactory(name="Işık Şirketi", reference="STRANGER")
    before = accounts_written()

    asked = client.post("/accounts/new/", facts(name="ISIK SIRKETI"))

    assert asked.status_code == 422
    assert accounts_written() == before
    assert "1 account has this name already" in asked.text
    assert f'<a href="/accounts/{existing.pk}/">Işık Şirketi (I-1)</a>' in asked.text
    assert "STRANGER" not in asked.text
    confirmation = re.search(r'name="confirmed_name" value="([^"]*)">Create it all the same<', asked.text)
    assert confirmation is not None
    created = client.post("/accounts/new/", facts(name="ISIK SIRKETI", confirmed_name=confirmation[1]))
    assert created.status_code == 303
    assert Account.objects.get(reference="H-1").name == "ISIK SIRKETI"


def test_an_account_is_renamed_and_moved_to_another_package(client: Client, buyer: User) -> None:
    old, new = PackageFactory(), PackageFactory()
    account = AccountFactory(reseller=buyer.reseller, package=old, reference="A-1")
    give(account, 2, ends_in=90, purchase={"product": ProductFactory(package=old)})
    url = f"/accounts/{account.pk}/edit/"

    form = client.get(url).text
    answer = client.post(url, {"name": "Ada", "package": new.pk, "reference": "A-2", "tier": "trial"})

    account.refresh_from_db()
    assert f'<option value="{old.pk}" selected>' in form
    assert 'name="reference"' not in form
    assert answer.headers["Location"] == f"/accounts/{account.pk}/"
    assert (account.name, account.package, account.reference, account.tier) == ("Ada", new, "A-1", "paid")
    assert License.objects.valid().filter(account=account).count() == 2


def test_bad_input_for_an_edit_is_kept_and_nothing_written(client: Client, buyer: User) -> None:
    account = AccountFactory(reseller=buyer.reseller, name="Ada")
    AccountFactory(reseller=buyer.reseller, name="Işık")
    before = accounts_written()

    empty = client.post(f"/accounts/{account.pk}/edit/", {"name": "", "package": "x"})
    alike = client.post(f"/accounts/{account.pk}/edit/", {"name": "ISIK", "package": ""})

    assert (empty.status_code, alike.status_code) == (422, 422)
    assert "<title>Error: Edit account" in empty.text
    assert 'value="ISIK">Save it all the same<' in alike.text
    assert accounts_written() == before


def test_a_trial_account_is_made_paid(client: Client, buyer: User) -> None:
    account = AccountFactory(reseller=buyer.reseller, tier="trial")
    url = f"/accounts/{account.pk}/make-paid/"

    asked = client.get(f"/accounts/{account.pk}/").text
    looked = client.get(url)
    answer = client.post(url)
    again = client.post(url)

    account.refresh_from_db()
    assert "Yes, make it paid" in asked
    assert looked.status_code == 405
    assert (answer.status_code, again.status_code, account.tier) == (303, 303, "paid")
    assert "make-paid" not in client.get(f"/accounts/{account.pk}/").text


def test_viewers_neither_add_nor_change_accounts(client: Client, viewer: User) -> None:
    account = AccountFactory(reseller=viewer.reseller, tier="trial")
    before = accounts_written()

    answers = [
        client.get("/accounts/new/"),
        client.post("/accounts/new/", facts()),
        client.get(f"/accounts/{account.pk}/edit/"),
        client.post(f"/accounts/{account.pk}/edit/", {"name": "Mine", "package": ""}),
        client.post(f"/accounts/{account.pk}/make-paid/"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 5
    assert all("Ask your operator for the permission to create licenses." in answer.text for answer in answers)
    assert accounts_written() == before


# From within the wizard


@pytest.fixture
def draft(buyer: User) -> PurchaseDraft:
    """An order whose contract is chosen."""
    return PurchaseDraftFactory(user=buyer, contract=buyer.grants.get().contract, note="Ring first")


def draft_written(draft: PurchaseDraft) -> tuple[Any, ...]:
    return PurchaseDraft.objects.values_list().get(pk=draft.pk)


def test_a_new_account_from_the_wizard_comes_back_chosen_and_the_draft_is_untouched(
    client: Client, draft: PurchaseDraft
) -> None:
    AccountFactory(reseller=draft.reseller, name="Another")
    before = draft_written(draft)

    question = client.get(f"/purchases/{draft.pk}/account/").text
    created = client.post(f"/accounts/new/?draft={draft.pk}", facts())
    account = Account.objects.get(reference="H-1")
    back = client.get(created.headers["Location"])

    assert f'href="/accounts/new/?draft={draft.pk}"' in question
    assert created.headers["Location"] == f"/purchases/{draft.pk}/account/?account={account.pk}"
    assert re.findall(r'value="(\d+)" id="id_account_\d+"\s+checked', back.text) == [str(account.pk)]
    assert draft_written(draft) == before
    chosen = client.post(f"/purchases/{draft.pk}/account/", {"account": account.pk})
    assert chosen.headers["Location"] == f"/purchases/{draft.pk}/product/"


def test_an_account_is_edited_from_the_wizard_and_the_draft_is_untouched(client: Client, draft: PurchaseDraft) -> None:
    package = PackageFactory()
    account = AccountFactory(reseller=draft.reseller, name="Old name")
    stopped = AccountFactory(reseller=draft.reseller, is_active=False)
    trial = AccountFactory(reseller=draft.reseller, tier="trial")
    before = draft_written(draft)

    question = client.get(f"/purchases/{draft.pk}/account/").text
    form = client.get(f"/accounts/{account.pk}/edit/?draft={draft.pk}").text
    saved = client.post(f"/accounts/{account.pk}/edit/?draft={draft.pk}", {"name": "New name", "package": package.pk})
    back = client.get(saved.headers["Location"]).text

    for each in (account, stopped):
        assert f'href="/accounts/{each.pk}/edit/?draft={draft.pk}"' in question
    assert f'href="/accounts/{trial.pk}/"' in question
    assert f'href="/purchases/{draft.pk}/account/"' in form
    assert saved.headers["Location"] == f"/purchases/{draft.pk}/account/?account={account.pk}"
    assert re.findall(r'value="(\d+)" id="id_account_\d+"\s+checked', back) == [str(account.pk)]
    assert "New name" in back
    assert draft_written(draft) == before


def test_an_equal_name_in_the_wizard_leads_to_choosing_the_account_there_is(
    client: Client, draft: PurchaseDraft
) -> None:
    existing = AccountFactory(reseller=draft.reseller, name="Çınar Hastaneleri")

    asked = client.post(f"/accounts/new/?draft={draft.pk}", facts())

    assert f'href="/purchases/{draft.pk}/account/?account={existing.pk}"' in asked.text
    assert f'href="/purchases/{draft.pk}/account/"' in asked.text


@pytest.mark.parametrize("draft_id", ["", "x", "00000000-0000-0000-0000-000000000000", "\0"])
def test_a_made_up_draft_gives_no_form(client: Client, buyer: User, draft_id: str) -> None:
    assert client.get("/accounts/new/", {"draft": draft_id}).status_code == 404
    assert client.post(f"/accounts/new/?draft={draft_id}", facts()).status_code == 404
    assert not Account.objects.exists()


def test_the_draft_of_a_colleague_gives_no_form(client: Client, buyer: User) -> None:
    colleague = PurchaseDraftFactory(user=UserFactory(reseller=buyer.reseller))

    assert client.post(f"/accounts/new/?draft={colleague.pk}", facts()).status_code == 404
    assert not Account.objects.exists()
    account = AccountFactory(reseller=buyer.reseller)
    assert client.get(f"/accounts/{account.pk}/edit/?draft={colleague.pk}").status_code == 404


# Figures and languages


def statements(client: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert client.get(url).status_code == 200
    return len(asked)


def test_pages_of_accounts_cost_the_same_with_one_row_and_with_many(client: Client, buyer: User) -> None:
    account = AccountFactory(reseller=buyer.reseller)
    give(account, ends_in=20)
    urls = ["/accounts/", f"/accounts/{account.pk}/", f"/accounts/{account.pk}/edit/", "/accounts/new/"]
    few = [statements(client, url) for url in urls]

    for number in range(30):
        give(account, ends_in=number * 11)
        give(AccountFactory(reseller=buyer.reseller, package=PackageFactory()), ends_in=number)
        contract = ContractFactory(reseller=buyer.reseller)
        contract.exclusive_accounts.add(account)

    assert [statements(client, url) for url in urls] == few
    assert max(few) <= 10


@pytest.mark.parametrize("language", ["en", "tr"])
def test_pages_of_accounts_speak_the_language(client: Client, buyer: User, language: str) -> None:
    account = AccountFactory(reseller=buyer.reseller, tier="trial")
    client.cookies["django_language"] = language

    pages = [client.get(url).text for url in ("/accounts/", f"/accounts/{account.pk}/", "/accounts/new/")]

    with override(language):
        wanted = [str(Account.Tier.TRIAL.label)] * 3
    assert all(word in page for word, page in zip(wanted, pages, strict=True))
    assert all(f'<html lang="{language}"' in page for page in pages)


def test_packages_are_offered_by_name(client: Client, buyer: User) -> None:
    Package.objects.bulk_create([Package(name="Starter", code="s"), Package(name="Professional", code="p")])

    html = client.get("/accounts/new/").text

    assert re.findall(r"<option[^>]*>([^<]*)</option>", html) == ["No package", "Professional", "Starter"]
