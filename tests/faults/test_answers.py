"""Answers that do not arrive, come late, or come while the server is told to stop."""

import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from audit.models import Act, AuditEvent
from contracts.models import Contract
from purchases.models import Fulfilment, Purchase, PurchaseDraft
from tests.faults.servers import PATIENCE, Answer, Visitor, free_port, serving
from tests.purchases.at_once import meanwhile
from tests.purchases.orders import an_order, nothing_is_written, quote_of, stock_for

pytestmark = pytest.mark.faults


def about_to_buy() -> tuple[PurchaseDraft, str, str]:
    """A draft, where its Buy is sent to, and what its preview carries today."""
    draft = an_order(quantity=3, fulfilment=Fulfilment.STOCK_THEN_NEW)
    stock_for(draft, 2)
    return draft, reverse("buy", args=[draft.pk]), quote_of(draft, on=draft.reseller.today()).fingerprint


@contextmanager
def contract_held(draft: PurchaseDraft) -> Iterator[None]:
    """Hold the draft's contract, and so everybody who buys under it; on SQLite, everybody who writes."""
    assert draft.contract_id is not None
    with transaction.atomic():
        Contract.objects.locked(draft.contract_id)
        yield


@contextmanager
def cutting_off_answers_of(port: int) -> Iterator[int]:
    """A port that passes one request on, waits for the first bytes of its answer, and hangs up without them."""
    listening = socket.create_server(("127.0.0.1", free_port()))

    def serve() -> None:
        with suppress(OSError):
            caller, _address = listening.accept()
            with closing(caller), closing(socket.create_connection(("127.0.0.1", port))) as server:
                server.sendall(_whole_request(caller))
                assert server.recv(1) == b"H"

    proxy = threading.Thread(target=serve)
    proxy.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()
        proxy.join(PATIENCE)


def _whole_request(caller: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += caller.recv(65_536)
    head, _gap, body = received.partition(b"\r\n\r\n")
    [length] = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while len(body) < length:
        body += caller.recv(65_536)
    return head + b"\r\n\r\n" + body


def test_answer_that_is_cut_off_after_the_purchase_is_shown_by_the_retry() -> None:
    draft, address, fingerprint = about_to_buy()

    with serving() as server:
        visitor = server.visited_by(draft.user)
        with cutting_off_answers_of(server.port) as port, pytest.raises(OSError, match=r"."):
            Visitor(port, visitor.session).post(address, fingerprint=fingerprint)
        bought = Purchase.objects.get()
        retry = visitor.post(address, fingerprint=fingerprint)
        page = visitor.get(retry.location)

    assert (retry.status, retry.location) == (303, bought.get_absolute_url())
    assert page.status == 200
    assert bought.number in page.text
    assert Purchase.objects.get() == bought


def test_lock_that_is_held_for_10_seconds_is_told_after_3_and_nothing_was_bought() -> None:
    draft, address, fingerprint = about_to_buy()

    with serving(workers=1) as server, nothing_is_written():
        visitor = server.visited_by(draft.user)
        with contract_held(draft):
            began = time.monotonic()
            answer = visitor.post(address, fingerprint=fingerprint)
            waited = time.monotonic() - began
            time.sleep(max(0, 10 - waited))
        visitor.get("/healthz")  # on SQLite, what comes next writes what the log is owed

    assert answer.status == 409
    assert "Nothing was bought. Try again." in answer.text
    assert 2.9 < waited < 6
    refused = AuditEvent.objects.filter(act=Act.REFUSED)
    assert list(refused.values_list("actor", "detail")) == [(draft.user.email, "portal_busy")]


def test_without_the_guard_nobody_is_told_anything_while_the_lock_is_held() -> None:
    """The control: a portal that waits for locks as long as it takes leaves the buyer alone until they are let go."""
    draft, address, fingerprint = about_to_buy()

    with serving(settings_module="tests.faults.served_patiently") as server:
        visitor = server.visited_by(draft.user)
        with ThreadPoolExecutor(max_workers=1) as others:
            with contract_held(draft):
                posting = others.submit(visitor.post, address, fingerprint=fingerprint)
                with pytest.raises(TimeoutError):
                    posting.result(2 * settings.LOCK_PATIENCE)
            answer = posting.result(PATIENCE)

    assert answer.status == 303


def test_lock_that_is_let_go_within_3_seconds_is_waited_for() -> None:
    draft, address, fingerprint = about_to_buy()

    with serving() as server:
        visitor = server.visited_by(draft.user)
        connection.close()
        with meanwhile(lambda: visitor.post(address, fingerprint=fingerprint)) as posting:
            with contract_held(draft):
                time.sleep(1)
            answer = posting.result(PATIENCE)

    assert answer.status == 303


def test_server_that_is_told_to_stop_finishes_the_purchase_that_it_began() -> None:
    draft, address, fingerprint = about_to_buy()
    answers: list[Answer] = []

    with serving() as server:
        visitor = server.visited_by(draft.user)
        posting = threading.Thread(target=lambda: answers.append(visitor.post(address, fingerprint=fingerprint)))
        with contract_held(draft):
            posting.start()
            time.sleep(1)
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            assert not answers
        posting.join(PATIENCE)
        status = server.process.wait(PATIENCE)

    [answer] = answers
    assert (answer.status, answer.location) == (303, Purchase.objects.get().get_absolute_url())
    assert status == 0


def test_server_that_is_killed_while_it_buys_has_bought_nothing_and_its_successor_buys_once() -> None:
    """The control: without the orderly stop, the answer is lost."""
    draft, address, fingerprint = about_to_buy()
    failures: list[OSError] = []

    def post(visitor: Visitor) -> None:
        try:
            visitor.post(address, fingerprint=fingerprint)
        except OSError as failure:
            failures.append(failure)

    with serving(workers=1) as server, nothing_is_written():
        visitor = server.visited_by(draft.user)
        posting = threading.Thread(target=post, args=[visitor])
        with contract_held(draft):
            posting.start()
            time.sleep(1)
            server.kill_workers()
            posting.join(PATIENCE)
    with serving() as successor:
        retry = successor.visited_by(draft.user).post(address, fingerprint=fingerprint)

    assert len(failures) == 1
    assert retry.status == 303
    assert Purchase.objects.count() == 1
