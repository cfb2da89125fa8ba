"""What nobody should send: never an error of ours, never a changed row, never a long wait."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import quote_from_bytes, urljoin, urlsplit

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from purchases.models import Purchase
from tests.factories import OperatorFactory
from tests.purchases.orders import press_buy
from tests.purchases.wizard import NOON
from tests.trust.test_listed_fields import MAY_CHANGE, Rows, changes, stored
from tests.trust.world import HTMX, House, a_browser, a_house, address, form, leads_to, outcome

LONGEST_WAIT = 2.0
"""Seconds."""

URL_ENCODED = "application/x-www-form-urlencoded"

MARKS = "a" + "\u0301" * 5_000

NASTY = [
    "\u202etxt.exe",
    "\u200b\u200c\u200d\ufeff",
    MARKS,
    "\x1b[31mred\x1b[0m",
    "a\r\nSet-Cookie: admin=1",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><div hx-get="/logout/" hx-trigger="load">',
    "{{7*7}}{% debug %}",
    "=cmd|' /C calc'!A0",
    "%' OR '1'='1",
    "_%_",
    "\x00",
    "\ud800",
    "9" * 5_000,
    "-1",
    "1e3",
    "٣",
    "２",
    "1_0",
    "NaN",
    "∞",
    "../../etc/passwd",
    "null",
    "true",
    "0x10",
    "1" + "0" * 9,
    " ",
    "",
]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def house() -> House:
    return a_house("heron")


@pytest.fixture
def portal(house: House) -> Client:
    return a_browser(house.buyer)


FIELDS = {
    "contract_step": ["contract"],
    "account_step": ["account"],
    "product_step": ["product"],
    "quantity_step": ["quantity", "note", "po_number"],
    "stock_step": ["fulfilment"],
    "buy": ["fingerprint"],
    "start_purchase": ["contract", "account", "product", "purpose"],
    "new_account": ["name", "reference", "package", "tier", "confirmed_name"],
    "edit_account": ["name", "package", "confirmed_name"],
    "export_licenses": ["kind", "state", "q", "account", "product", "contract", "ends_from", "ends_to"],
    "export_stock_lots": ["kind", "show", "product", "contract"],
    "set_theme": ["theme", "next"],
    "set_language": ["language", "next"],
    "login": ["username", "password"],
}
"""By form, the fields that it reads."""

EVERY_FIELD = [(name, field) for name, fields in FIELDS.items() for field in fields]

PARAMETERS = [
    "q",
    "page",
    "sort",
    "show",
    "after",
    "before",
    "from",
    "line",
    "license_after",
    "account",
    "product",
    "contract",
    "draft",
    "ends_from",
    "ends_to",
    "next",
    "contract__reseller",
    "reseller",
    "id__in",
    "o",
    "format",
]
"""What addresses may say; the last ones nothing reads."""

NASTY_IN_AN_ADDRESS = [
    "%FF%FE",
    "%00",
    "%ED%A0%80",
    "10**9",
    "1" + "0" * 9,
    "-1",
    "2",
    "%25",
    "_",
    "%E2%80%AE",
    "9" * 999,
]

SHOWN = [
    "licenses",
    "licenses_expired",
    "stock",
    "stock_lot",
    "purchases",
    "purchase",
    "accounts",
    "account",
    "new_account",
    "contracts",
    "contract",
    "contract_step",
    "account_step",
    "product_step",
    "preview_step",
    "login",
]


def encoded(fields: dict[str, Any]) -> bytes:
    """The fields as a browser would encode them, and what is no text as it is."""
    return "&".join(
        f"{name}={quote_from_bytes(str(value).encode('utf-8', 'surrogatepass'))}" for name, value in fields.items()
    ).encode()


@dataclass
class Sender:
    """Sends forms of a buyer; fails for an error of ours, a wait, and any change that a form does not ask for."""

    portal: Client
    house: House
    before: Rows

    def send(self, name: str, fields: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        """Send a form in good order but for the fields. What an accepted one wrote is taken back."""
        sent = encoded({**form(name, self.house), **fields})
        url = address(name, self.house)
        with transaction.atomic():
            began = time.perf_counter()
            page = self.portal.post(url, sent, content_type=URL_ENCODED, headers=headers)
            waited = time.perf_counter() - began
            if page.status_code < 400:
                assert changes(self.before, stored()) <= MAY_CHANGE.get(name, set())
                transaction.set_rollback(True)
        assert page.status_code < 500
        assert waited < LONGEST_WAIT
        assert urlsplit(urljoin(f"http://testserver{url}", leads_to(page))).netloc == "testserver"


@pytest.fixture
def sender(portal: Client, house: House) -> Iterator[Sender]:
    """Fails at its end if anything that was refused left a change."""
    sender = Sender(portal, house, stored())
    yield sender
    assert changes(sender.before, stored()) == set()


def look(portal: Client, name: str, house: House, query: str, headers: dict[str, str] | None = None) -> None:
    """Open an address; fail for an error of ours, or a wait."""
    began = time.perf_counter()
    page = portal.get(f"{address(name, house)}?{query}", headers=headers)
    assert page.status_code < 500
    assert time.perf_counter() - began < LONGEST_WAIT


@pytest.mark.parametrize(("name", "field"), EVERY_FIELD)
def test_nasty_values_of_a_form_do_no_harm(sender: Sender, name: str, field: str) -> None:
    for value in NASTY:
        sender.send(name, {field: value})
    sender.send(name, {field: "<script>"}, headers=HTMX)


@pytest.mark.parametrize("name", SHOWN)
def test_nasty_values_in_an_address_do_no_harm(portal: Client, house: House, name: str) -> None:
    for value in NASTY_IN_AN_ADDRESS:
        look(portal, name, house, "&".join(f"{parameter}={value}" for parameter in PARAMETERS))
    for parameter in PARAMETERS:
        look(portal, name, house, f"{parameter}=%FF%00_%25")
    look(portal, name, house, "q=%F0%28%8C%28&sort=&sort=x&page[]=1&&=&a", headers=HTMX)


values = st.one_of(
    st.text(max_size=60),
    st.text(alphabet=st.characters(categories=["Mn", "Cf", "Cc", "Zs", "Nd"])),
    st.integers().map(str),
    st.sampled_from(NASTY),
)


def any_value_does_no_harm(sender: Sender, name: str, field: str, *, examples: int) -> None:
    @hypothesis_settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(values)
    def send_it(value: str) -> None:
        sender.send(name, {field: value})

    send_it()


@pytest.mark.parametrize(("name", "field"), EVERY_FIELD)
def test_any_value_does_no_harm(sender: Sender, name: str, field: str) -> None:
    any_value_does_no_harm(sender, name, field, examples=10)


@pytest.mark.faults
@pytest.mark.parametrize(("name", "field"), EVERY_FIELD)
def test_a_thousand_values_do_no_harm(sender: Sender, name: str, field: str) -> None:
    any_value_does_no_harm(sender, name, field, examples=1_000)


# What was written is shown as text


MARKUP = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><b hx-get="/logout/" hx-trigger="load">',
    "{{7*7}}",
]


def test_markup_in_notes_is_text_on_every_page(portal: Client, house: House) -> None:
    note = "\n".join(MARKUP)
    house.draft.note, house.draft.po_number = note, '<b hx-get="/logout/">'
    house.draft.save()
    portal.get(reverse("preview_step", args=[house.draft.pk]))
    purchase = press_buy(house.draft)
    desk = a_browser(OperatorFactory())

    pages = [
        portal.get(reverse("quantity_step", args=[house.draft.pk])),
        portal.get(purchase.get_absolute_url()),
        portal.get(reverse("purchases")),
        portal.get(reverse("purchases"), {"q": note}),
        portal.get(reverse("licenses"), {"q": note}),
        portal.get(reverse("contract", args=[house.contract.number])),
        desk.get(reverse("admin:purchases_purchase_change", args=[purchase.pk])),
        desk.get(reverse("admin:purchases_purchase_changelist"), {"q": note}),
    ]

    for page in pages:
        html = page.content.decode()
        assert page.status_code < 400
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert '<b hx-get="/logout/"' not in html
        assert ">49<" not in html
    assert "<script>alert(1)</script>" in unescape(pages[1].content.decode())
    assert "<script>alert(1)</script>" in unescape(pages[6].content.decode())


# Requests that no browser sends


ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "https://evil.example/",
    "http:evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    " //evil.example",
    "\t//evil.example",
    "//evil.example%2f..",
    "https:evil.example",
    "//testserver@evil.example",
    "http://testserver.evil.example/",
    "//evil.example\\@testserver",
    "/%0d%0aSet-Cookie:a=b",
    "\x00//evil.example",
    "ftp://evil.example/",
    "//[::1]/",
    "http://evil.example:80/",
    "https:///evil.example",
]


@pytest.mark.parametrize("name", ["set_theme", "set_language", "login"])
def test_nobody_is_led_elsewhere(house: House, name: str) -> None:
    for to in ELSEWHERE:
        browser = a_browser(None)
        sent = {"username": house.buyer.email, "password": "demo"} if name == "login" else form(name, house)

        page = browser.post(reverse(name), {**sent, "next": to})

        assert outcome(page) in ("goes", "login"), to
        assert "evil" not in page.headers["Location"].replace("%2F", "/").partition("?")[0].replace("/%0d", ""), to
        assert "\n" not in str(page.headers)


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver.evil.example", "testserver:x", "a b", "", "x" * 300, "tést"]
)
def test_unknown_host_is_refused(portal: Client, host: str) -> None:
    page = portal.get("/licenses/", headers={"Host": host})

    assert "evil" not in page.content.decode()
    assert page.status_code == 400 or host == ""


def test_forged_headers_change_nothing(portal: Client, house: House) -> None:
    plain = portal.get("/stock/")
    forged = portal.get(
        "/stock/",
        headers={
            "X-Forwarded-For": "127.0.0.1, <script>",
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "https",
            "X-Original-URL": "/admin/",
            "X-HTTP-Method-Override": "DELETE",
        },
    )
    htmx = portal.get(
        "/licenses/",
        headers={
            "HX-Request": "x\x00",
            "HX-Target": "<b>",
            "HX-Current-URL": "//evil.example",
            "HX-Boosted": "%FF",
            "HX-Prompt-URI-AutoEncoded": "true",
        },
    )

    assert forged.status_code == plain.status_code == 200
    assert "evil" not in forged.content.decode()
    assert htmx.status_code == 200
    assert "evil" not in htmx.content.decode() + str(htmx.headers)


def test_too_much_is_refused(portal: Client, house: House) -> None:
    step = reverse("quantity_step", args=[house.draft.pk])
    before = stored()

    too_many = portal.post(step, encoded({f"f{n}": 1 for n in range(1_001)}), content_type=URL_ENCODED)
    too_large = portal.post(step, b"quantity=1&note=" + b"x" * 3_000_000, content_type=URL_ENCODED)
    broken = portal.post(
        step, b"--nothing\r\nContent-Disposition: form-data", content_type="multipart/form-data; boundary=x"
    )
    no_boundary = portal.post(step, b"x", content_type="multipart/form-data")
    json = portal.post(step, b'{"quantity": 1}', content_type="application/json")
    long_cookie = portal.get("/licenses/", headers={"Cookie": "theme=" + "x" * 8_000})

    assert [page.status_code for page in (too_many, too_large, no_boundary)] == [400, 400, 400]
    assert broken.status_code in (400, 422)
    assert json.status_code == 422
    assert long_cookie.status_code in (200, 302)
    assert changes(before, stored()) == set()


def test_stale_token_changes_nothing(house: House) -> None:
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
    browser.force_login(house.buyer)
    browser.get("/licenses/")
    before = stored()

    for token in ("", "x", "a" * 64, "\x00", "é" * 64):
        for name in FIELDS:
            if name != "login":
                page = browser.post(address(name, house), {**form(name, house), "csrfmiddlewaretoken": token})
                assert page.status_code == 403
    assert changes(before, stored()) == set()
    assert Purchase.objects.count() == 1
