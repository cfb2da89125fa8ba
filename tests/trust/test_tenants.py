"""Nothing of one reseller reaches another."""

import io
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import time_machine
from django.core import mail
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from purchases.models import LicenseQuerySet, PurchaseQuerySet
from stock.models import StockLotQuerySet
from tests.pages import without_token
from tests.purchases.orders import quote_of
from tests.purchases.wizard import NOON
from tests.trust.world import (
    HTMX,
    UNKNOWN,
    UNKNOWN_DRAFT,
    House,
    a_browser,
    a_house,
    address,
    arguments,
    body_of,
    form,
    portal_addresses,
)

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Page

CANARY = "kestrel"
"""The mark of the house that nothing may be seen of."""

NUMBER_OF_NOTHING = 987654321

ADDRESSES = [name for name in portal_addresses() if name != "logout"]
OF_ROWS = ["license", "purchase", "give_back", "stock_lot", "account", "edit_account", "make_account_paid", "contract"]
OF_NO_TENANT = ["login", "account_login", "set_theme", "set_language", "healthz", "readyz"]
OF_DRAFTS = [name for name in portal_addresses() if name.endswith(("_step", "_draft")) or name == "buy"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def ours() -> House:
    return a_house("heron")


@pytest.fixture
def theirs(ours: House) -> House:
    """Another reseller's, which sells the same product."""
    return a_house(CANARY, product=ours.product)


@pytest.fixture
def portal(ours: House) -> Client:
    return a_browser(ours.buyer)


# Canaries


def of_theirs(theirs: House) -> dict[str, Any]:
    """What names rows of theirs, under every name that a form or an address of ours knows."""
    return {
        "contract": theirs.contract.pk,
        "account": theirs.account.pk,
        "product": theirs.product.pk,
        "draft": theirs.draft.pk,
        "fingerprint": quote_of(theirs.draft).fingerprint,
        "kind": "csv",
        "state": "active",
    }


def answers(portal: Client, name: str, ours: House, theirs: House) -> Iterator[tuple[str, "Page"]]:
    """What a buyer of ours gets at the address: for a row of ours and one of theirs, searching, and naming theirs."""
    named = of_theirs(theirs)
    looks: list[dict[str, Any]] = [
        {},
        *({"q": word} for word in ("REF", "PO", "Title", "Account", "Note", "Buyer", "C-")),
        {"show": "single"},
        {"show": "over"},
        *({key: named[key]} for key in ("contract", "account", "product", "draft")),
    ]
    for house in (ours, theirs):
        url = address(name, house)
        for headers in ({}, HTMX):
            for look in looks if house is ours else [{}]:
                yield f"GET {url} {look}", portal.get(url, look, headers=headers)
            for sent in (form(name, ours), {**form(name, ours), **named}):
                with transaction.atomic():
                    page = portal.post(url, sent, headers=headers)
                    yield f"POST {url} {sorted(sent)}", page
                    if to := page.headers.get("HX-Redirect") or page.headers.get("Location"):
                        yield f"{url} led to {to}", portal.get(to)
                    transaction.set_rollback(True)


def sightings(pages: Iterator[tuple[str, "Page"]], theirs: House) -> list[str]:
    """Where anything of theirs is seen."""
    secrets = [CANARY, theirs.license.key, theirs.purchase.number, str(theirs.draft.pk)]
    seen = []
    for what, page in pages:
        asked = quote(page.request["QUERY_STRING"], safe="")  # what was asked for is come back to, and shows nothing
        shown = readable(page).replace(asked, "…") if asked else readable(page)
        seen += [f"{what}: {secret}" for secret in secrets if secret in shown]
    mails = [f"{message.subject} {message.body}" for message in mail.outbox]
    return seen + [text for text in mails if CANARY in text]


def readable(page: "Page") -> str:
    """All that the answer says: body, headers, cookies, and what is packed into a workbook."""
    body = body_of(page)
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as file:
            body = b"\n".join(file.read(member) for member in file.namelist())
    return f"{body.decode()}\n{sorted(page.headers.items())}\n{page.cookies}"


@pytest.mark.parametrize("name", ADDRESSES)
def test_no_answer_shows_anything_of_another_reseller(portal: Client, ours: House, theirs: House, name: str) -> None:
    assert sightings(answers(portal, name, ours, theirs), theirs) == []


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("content", ["licenses", "stock_lots"])
def test_no_export_holds_anything_of_another_reseller(
    portal: Client, ours: House, theirs: House, content: str, kind: str
) -> None:
    export = portal.post(reverse(f"export_{content}"), {"kind": kind, "state": "active"})
    text = readable(export)

    assert ours.mark in text
    assert CANARY not in text


@pytest.mark.parametrize(
    ("rows", "name"),
    [(LicenseQuerySet, "licenses"), (PurchaseQuerySet, "purchases"), (StockLotQuerySet, "export_stock_lots")],
)
def test_canaries_are_seen_where_a_guard_is_taken_away(
    portal: Client, ours: House, theirs: House, rows: type[Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "visible_to", lambda everything, user: everything)

    assert sightings(answers(portal, name, ours, theirs), theirs) != []


def test_reference_that_another_reseller_uses_is_free(portal: Client, ours: House, theirs: House) -> None:
    same = {"name": theirs.account.name, "reference": theirs.account.reference, "tier": "paid"}

    page = portal.post(reverse("new_account"), same)

    assert page.status_code == 303
    assert Account.objects.filter(reference=theirs.account.reference).count() == 2


# A stranger's row and none are told alike


def named_by(arguments: dict[str, Any]) -> list[str]:
    """What an answer may repeat of an address; a key is too short to be told from any other figure."""
    return [str(value) for value in arguments.values() if not isinstance(value, int)]


def told(page: "Page", *names: str) -> tuple[int, list[tuple[str, str]], str, list[str]]:
    """The answer without what differs each time, and without what the row was named by."""
    body = without_token(body_of(page).decode())
    headers = [(name, value) for name, value in sorted(page.headers.items()) if name != "X-Request-ID"]
    cookies = sorted(f"{name}={cookie.value}" for name, cookie in page.cookies.items() if name != "csrftoken")
    for name in (*names, *(quote(name, safe="") for name in names)):
        body = body.replace(name, "…")
        headers = [(header, value.replace(name, "…")) for header, value in headers if header != "Content-Length"]
    page.client.cookies.pop("messages", None)
    return page.status_code, headers, body, cookies


@pytest.mark.parametrize("name", [*OF_ROWS, *OF_DRAFTS])
def test_row_of_another_reseller_answers_like_none(portal: Client, ours: House, theirs: House, name: str) -> None:
    known = arguments(name, theirs)
    unknown = {argument: UNKNOWN[argument] for argument in known}

    for method in ("GET", "POST"):
        for headers in ({}, HTMX):
            sent = form(name, ours) if method == "POST" else {}
            answers = []
            for which in (known, unknown):
                ask = portal.post if method == "POST" else portal.get
                answers.append(told(ask(reverse(name, kwargs=which), sent, headers=headers), *named_by(which)))
            assert answers[0] == answers[1]
            assert answers[0][0] in (404, 405)


@pytest.mark.parametrize("name", OF_DRAFTS)
def test_draft_of_a_colleague_answers_like_none(theirs: House, name: str) -> None:
    portal = a_browser(theirs.viewer)
    drafts = (theirs.draft.pk, UNKNOWN_DRAFT)

    gets = [told(portal.get(reverse(name, args=[draft])), str(draft)) for draft in drafts]
    posts = [told(portal.post(reverse(name, args=[draft]), form(name, theirs)), str(draft)) for draft in drafts]

    assert gets[0] == gets[1]
    assert posts[0] == posts[1]


@pytest.mark.parametrize("parameter", ["account", "contract", "draft"])
@pytest.mark.parametrize("name", [name for name in ADDRESSES if name not in (*OF_ROWS, *OF_NO_TENANT)])
def test_row_of_another_reseller_that_is_named_beside_answers_like_none(
    portal: Client, ours: House, theirs: House, name: str, parameter: str
) -> None:
    known = of_theirs(theirs)[parameter]
    unknown = UNKNOWN_DRAFT if parameter == "draft" else NUMBER_OF_NOTHING
    url = address(name, ours)

    for headers in ({}, HTMX):
        gets, posts = [], []
        for key in (known, unknown):
            gets.append(told(portal.get(url, {parameter: key}, headers=headers), f"{parameter}={key}"))
            with transaction.atomic():
                page = portal.post(url, {**form(name, ours), parameter: key}, headers=headers)
                posts.append(told(page, f"{parameter}={key}"))
                transaction.set_rollback(True)
        assert gets[0] == gets[1]
        if name not in (
            "set_theme",
            "set_language",
            "start_purchase",
            "buy",
            "new_account",
        ):  # these make something new, or lead to it
            assert posts[0] == posts[1]


@pytest.mark.parametrize("parameter", ["account", "contract"])
def test_purchase_cannot_begin_with_a_row_of_another_reseller(
    portal: Client, ours: House, theirs: House, parameter: str
) -> None:
    known = portal.post(reverse("start_purchase"), {parameter: of_theirs(theirs)[parameter]})
    unknown = portal.post(reverse("start_purchase"), {parameter: NUMBER_OF_NOTHING})

    assert known.status_code == 404
    assert told(known) == told(unknown)
