"""A database that is away, and that comes back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import InternalError, OperationalError, connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from licensing import urls
from licensing.outages import is_database_away
from licensing.views import server_error
from purchases.models import Purchase
from tests.factories import PASSWORD, UserFactory
from tests.purchases.orders import an_order
from tests.purchases.wizard import begin

ON_POSTGRESQL = connection.vendor == "postgresql"

pytestmark = pytest.mark.django_db(transaction=True)


def writes(request: HttpRequest) -> HttpResponse:
    """Writes on a server that only reads, as a replica does."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY" if ON_POSTGRESQL else "PRAGMA query_only = ON")
        try:
            cursor.execute("UPDATE accounts_reseller SET name = name")
        finally:
            if not ON_POSTGRESQL:
                cursor.execute("PRAGMA query_only = OFF")
    return HttpResponse()


def fails(request: HttpRequest) -> HttpResponse:
    raise LookupError


urlpatterns = [*urls.urlpatterns, path("writes/", writes), path("fails/", fails)]
handler500 = server_error


@pytest.fixture
def portal(client: Client) -> Client:
    """A browser that is shown what people are shown."""
    client.raise_request_exception = False
    return client


@contextmanager
def database_away() -> Iterator[None]:
    """Let nothing answer where the database was."""
    known = dict(connection.settings_dict)
    connection.close()
    if ON_POSTGRESQL:
        connection.settings_dict |= {"HOST": "127.0.0.1", "PORT": "1"}
    else:
        connection.settings_dict["NAME"] = str(Path(known["NAME"]).parent / "no-such-folder" / "portal.sqlite3")
    yield
    connection.close()
    connection.settings_dict.update(known)


@pytest.mark.parametrize("address", ["/", "/licenses/", "/purchases/", "/no-such-page/", "/admin/"])
@pytest.mark.parametrize("language", ["en", "tr"])
def test_database_that_is_away_is_said_and_found_again_without_restart(
    portal: Client, address: str, language: str
) -> None:
    portal.force_login(UserFactory())
    before = portal.get(address).status_code

    with database_away():
        page = portal.get(address, headers={"Accept-Language": language})
    after = portal.get(address)

    assert page.status_code == 503
    assert int(page.headers["Retry-After"]) > 0
    assert "no-store" in page.headers["Cache-Control"]
    assert f'<html lang="{language}">' in page.text
    assert page.headers["X-Request-ID"] in page.text
    assert "Content-Security-Policy" in page.headers
    assert after.status_code == before < 500


def test_signing_in_while_the_database_is_away_says_so(portal: Client) -> None:
    user = UserFactory()
    answers = {"username": user.email, "password": PASSWORD}

    with database_away():
        away = portal.post("/login/", answers)
    back = portal.post("/login/", answers)

    assert (away.status_code, back.status_code) == (503, 302)


def test_purchase_that_met_no_database_is_made_once_by_the_retry(portal: Client) -> None:
    wizard = begin(an_order(), portal)
    fingerprint = wizard.fingerprint()

    with database_away():
        away = wizard.buy(fingerprint)
    retried = wizard.buy(fingerprint)

    assert (away.status_code, retried.status_code) == (503, 303)
    assert "trying again is safe" in away.text
    assert Purchase.objects.count() == 1


@pytest.mark.postgresql_only
def test_connection_that_was_cut_is_made_again(portal: Client) -> None:
    portal.force_login(UserFactory())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [backend] = cursor.fetchone()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 2000)", [backend])
    other.close()

    cut = portal.get("/licenses/")
    connection.close_if_unusable_or_obsolete()  # as Django does before each request
    next_one = portal.get("/licenses/")

    assert (cut.status_code, next_one.status_code) == (503, 200)


@pytest.mark.urls(__name__)
def test_database_that_only_reads_is_no_error_of_ours(portal: Client) -> None:
    portal.force_login(UserFactory())

    assert portal.get("/writes/").status_code == 503
    assert portal.get("/licenses/").status_code == 200


@pytest.mark.urls(__name__)
def test_error_of_ours_stays_one(portal: Client) -> None:
    portal.force_login(UserFactory())

    assert portal.get("/fails/").status_code == 500


def test_what_led_to_an_error_counts() -> None:
    error = KeyError("session")
    error.__cause__ = OperationalError("gone")

    assert is_database_away(error)
    assert not is_database_away(InternalError("index is broken"))
    assert not is_database_away(None)


def test_process_lives_and_is_not_ready_while_the_database_is_away(portal: Client) -> None:
    with database_away():
        alive, ready = portal.get("/healthz"), portal.get("/readyz")

    assert (alive.status_code, ready.status_code) == (200, 503)
    assert ready.json() == {"status": "unavailable", "database": "no answer"}
    assert portal.get("/readyz").json() == {"status": "ok", "database": "ok", "migrations": "ok"}


def test_process_is_not_ready_while_a_migration_of_its_version_is_missing(portal: Client) -> None:
    recorder = MigrationRecorder(connection)
    newest = recorder.migration_qs.filter(app="purchases").latest("pk")
    recorder.record_unapplied(newest.app, newest.name)

    missing = portal.get("/readyz")
    recorder.record_applied(newest.app, newest.name)
    recorder.record_applied("purchases", "9999_of_the_next_version")
    newer = portal.get("/readyz")
    recorder.record_unapplied("purchases", "9999_of_the_next_version")

    assert (missing.status_code, missing.json()["migrations"]) == (503, "missing")
    assert newer.status_code == 200
