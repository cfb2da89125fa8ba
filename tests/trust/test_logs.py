"""What is written down about requests, and what is not."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.core.exceptions import BadRequest
from django.db import Error, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from licensing import urls
from licensing.logs import JsonLines
from licensing.views import server_error
from purchases.models import Purchase
from tests.factories import PASSWORD, PurchaseFactory, UserFactory
from tests.purchases.orders import an_order, stock_for
from tests.purchases.wizard import NOON, Wizard

NOTE = "Deliver to the blue door"
PO_NUMBER = "PO-47-SECRET"

pytestmark = pytest.mark.django_db


def failing(request: HttpRequest, secret: str) -> HttpResponse:
    raise ValueError(NOTE)


def bad(request: HttpRequest, secret: str) -> HttpResponse:
    raise BadRequest(f"unread: {NOTE}")


urlpatterns = [*urls.urlpatterns, path("failing/<str:secret>/", failing), path("bad/<str:secret>/", bad)]
handler500 = server_error


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that production would write, and below its level too."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    root, requests = logging.getLogger(), logging.getLogger("licensing.requests")
    levels = root.level, requests.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    requests.setLevel(logging.INFO)
    yield written
    root.removeHandler(handler)
    root.setLevel(levels[0])
    requests.setLevel(levels[1])


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


@time_machine.travel(NOON, tick=False)
def test_log_of_a_whole_purchase_holds_nothing_that_was_written_or_is_secret(client: Client, log: io.StringIO) -> None:
    draft = an_order()
    stock_for(draft, 2)
    buyer = draft.user
    client.post("/login/", {"username": buyer.email, "password": "not-the-password"})
    client.post("/login/", {"username": buyer.email, "password": PASSWORD + "-is-secret"})
    client.force_login(buyer)
    wizard = Wizard(client, draft)

    wizard.post("quantity_step", {"quantity": "x", "note": NOTE, "po_number": PO_NUMBER})
    wizard.post("quantity_step", {"quantity": "3", "note": NOTE, "po_number": PO_NUMBER})
    wizard.post("stock_step", {"fulfilment": "stock_then_new"})
    fingerprint = wizard.fingerprint()
    wizard.buy("made-up-fingerprint")
    bought = wizard.buy(fingerprint)
    client.get(bought.headers["Location"])
    client.get("/purchases/", {"q": PO_NUMBER})

    purchase = Purchase.objects.get()
    assert (purchase.note, purchase.po_number) == (NOTE, PO_NUMBER)
    secrets = [
        NOTE,
        PO_NUMBER,
        "not-the-password",
        "-is-secret",
        client.session.session_key,
        fingerprint,
        "made-up-fingerprint",
        buyer.email,
        buyer.full_name,
        str(draft.pk),
        *purchase.licenses.values_list("key", flat=True),
    ]
    assert [secret for secret in secrets if str(secret) in log.getvalue()] == []
    routes = [(line["method"], line["route"], line["status"]) for line in lines(log) if line["message"] == "answered"]
    assert ("POST", "purchases/<uuid:draft_id>/buy/", 303) in routes
    assert ("POST", "purchases/<uuid:draft_id>/buy/", 409) in routes


def test_every_line_of_a_request_carries_the_id_of_the_answer(client: Client, log: io.StringIO) -> None:
    user = UserFactory()
    client.force_login(user)

    found = client.get("/stock/")
    missing = client.get("/licenses/no-such-key/")

    by_id: dict[str, list[dict[str, Any]]] = {}
    for line in lines(log):
        by_id.setdefault(line["request_id"], []).append(line)
    assert [line["status"] for line in by_id[found.headers["X-Request-ID"]]] == [200]
    assert by_id[found.headers["X-Request-ID"]][0]["user"] == user.pk
    assert by_id[found.headers["X-Request-ID"]][0]["reseller"] == user.reseller_id
    said = [(line["message"], line["status"]) for line in by_id[missing.headers["X-Request-ID"]]]
    assert sorted(said) == [("Not Found", 404), ("answered", 404)]


@pytest.mark.parametrize("given", ["0123456789abcdef", "a.b_c-d0123", "Z" * 64])
def test_sane_id_of_a_proxy_is_kept(client: Client, given: str) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize(
    "given",
    ["", "short", "Z" * 65, "-" * 12, 'a"b,c{d}efgh', "<script>alert</script>", "abcdefgh\x1b[31m", "ıııııııııı"],
)
def test_any_other_id_is_replaced(client: Client, given: str) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": given})

    assert len(answer.headers["X-Request-ID"]) == 32
    assert answer.headers["X-Request-ID"].isalnum()


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(("address", "status"), [("/failing/key-of-somebody/", 500), ("/bad/key-of-somebody/", 400)])
def test_log_of_an_error_tells_its_kind_and_place_but_not_its_words(
    client: Client, log: io.StringIO, address: str, status: int
) -> None:
    client.raise_request_exception = False
    client.force_login(UserFactory())

    answer = client.get(address)

    assert answer.status_code == status
    assert NOTE not in log.getvalue()
    assert "key-of-somebody" not in log.getvalue()
    [line] = [line for line in lines(log) if "error" in line]
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert line["error"]["type"] in ("builtins.ValueError", "django.core.exceptions.BadRequest")
    assert line["error"]["stack"][-1].startswith("tests/trust/test_logs.py:")


@pytest.mark.urls(__name__)
def test_page_of_an_error_names_the_id_that_finds_it_in_the_log(client: Client) -> None:
    client.raise_request_exception = False
    client.force_login(UserFactory())

    page = client.get("/failing/x/")

    assert page.status_code == 500
    assert f"name this: {page.headers['X-Request-ID']}" in page.text
    assert NOTE not in page.text


def test_row_that_a_database_refuses_and_quotes_is_not_in_the_log(log: io.StringIO) -> None:
    try:
        with transaction.atomic():
            PurchaseFactory(note=NOTE, po_number=PO_NUMBER, quantity=0)
    except Error:
        logging.getLogger("purchases").exception("Could not write a purchase.")

    [line] = [line for line in lines(log) if "error" in line]
    assert line["error"]["type"] == "django.db.utils.IntegrityError"
    assert NOTE not in log.getvalue()
    assert PO_NUMBER not in log.getvalue()


def test_line_of_the_log_stays_one_line(log: io.StringIO) -> None:
    logging.getLogger("django.security").warning("Bad header: %r", 'x\r\n{"level": "FORGED"}\u2028\x1b[2J')

    assert len(log.getvalue().splitlines()) == 1
    assert [line["level"] for line in lines(log)] == ["WARNING"]
