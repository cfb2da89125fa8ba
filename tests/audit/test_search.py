"""The operator searches the log by who, what, on what, from where and when, however long it is."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from audit.models import Act, AuditEvent
from desk import pages
from tests.factories import OperatorFactory

pytestmark = pytest.mark.django_db

ON_MONDAY = datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)
ON_TUESDAY = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)


def an_event(**facts: object) -> AuditEvent:
    plain = {"at": ON_TUESDAY, "act": Act.CHANGED, "actor": "ayse@example.com", "object_label": "Large"}
    return AuditEvent.objects.create(**{**plain, **facts})


@pytest.fixture
def contract() -> AuditEvent:
    return an_event(object_label="C-17 Displays of Ankara", address="192.0.2.7", at=ON_MONDAY)


@pytest.mark.parametrize(
    "query",
    [
        "C-17",
        "C-17 Displays of Ankara",
        "  C-17\t",
        "192.0.2.7",
        "2026-11-23",
        "2026-11-23 ayse@example.com",
        "C-17 2026-11-23",
        "2026-11-23 AYSE@example.com",
    ],
)
def test_search_finds_an_event_and_no_other(contract: AuditEvent, query: str) -> None:
    an_event(actor="ayse@example.com", address="192.0.2.70")
    an_event(object_label="C-170 Displays", actor="C-1", address="192.0.2.8")
    an_event(object_label="C-1")

    assert list(AuditEvent.objects.matching(query)) == [contract]


@pytest.mark.parametrize(
    "query", ["C-1", "C-17 Disp", "C_17", "C%", "192.0.2", "2026-11-25", "9999-12-31", "C-17 2026-11-24"]
)
def test_search_guesses_nothing(contract: AuditEvent, query: str) -> None:
    assert not AuditEvent.objects.matching(query).exists()


def test_search_for_nothing_finds_all(contract: AuditEvent) -> None:
    assert list(AuditEvent.objects.matching(" ")) == [contract]


def test_search_goes_together_with_a_filter(client: Client, contract: AuditEvent) -> None:
    client.force_login(OperatorFactory())
    refused = an_event(act=Act.REFUSED, object_label="C-17 Displays of Ankara")

    page = client.get(reverse("admin:audit_auditevent_changelist"), {"act__exact": "refused", "q": "C-17"})

    assert list(page.context["cl"].queryset) == [refused]


def test_list_of_a_long_log_ends_where_counting_does(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.force_login(OperatorFactory())
    monkeypatch.setattr(pages, "ROWS_COUNTED", 120)
    for _ in range(130):
        an_event()
    address = reverse("admin:audit_auditevent_changelist")

    first, last, beyond = (client.get(address, {"p": page}) for page in ("1", "3", "4"))

    assert (first.context["cl"].result_count, len(last.context["cl"].result_list)) == (120, 20)
    assert beyond.status_code == 302


@pytest.mark.parametrize(
    ("query", "indexes"),
    [
        ("C-17", {"audit_by_actor", "audit_by_label"}),
        ("192.0.2.7", {"audit_by_actor", "audit_by_label", "audit_by_address"}),
        ("2026-11-23", {"audit_by_time"}),
    ],
)
def test_search_reads_no_more_than_it_finds(contract: AuditEvent, query: str, indexes: set[str]) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Few rows are walked through soonest, by the key too: what is asked is whether the indexes can serve.
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")

    plan = AuditEvent.objects.matching(query).explain()

    assert {index for index in indexes if index in plan} == indexes
    assert "SCAN audit_auditevent" not in plan
    assert "Seq Scan" not in plan
