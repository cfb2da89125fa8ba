"""Every act leaves one row in the audit log: who, what, on what, from where; and the row stays."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from audit.models import Act, AuditEvent, AuditLogIsAppendOnly
from audit.services import address_of, record
from audit.triggers import LOG
from contracts.models import Contract
from purchases.models import Export, Fulfilment, PurchaseDraft
from purchases.services.buy import buy
from purchases.services.exports import start_export
from purchases.services.give_back import give_back_purchase
from purchases.services.quote import PreviewOutdated
from purchases.services.rules import ContractNotActive, PurchaseRefused
from stock.models import StockLot
from stock.services.correct import correct
from stock.services.lapse import lapse
from tests.audit.reading import events, forget_what_led_here
from tests.factories import OperatorFactory, UserFactory
from tests.guard.unguarded import execute
from tests.purchases.orders import TODAY, an_order, press_buy, quote_of, stock_for
from tests.purchases.wizard import begin

pytestmark = pytest.mark.django_db


# Signing in


def test_signing_in_and_out_and_failing_are_recorded_with_the_address() -> None:
    user = UserFactory()
    client = Client(REMOTE_ADDR="192.0.2.7")

    client.login(username=user.email, password="wrong", request=None)
    client.force_login(user)
    client.logout()

    assert [(act, who) for act, who, _what, _detail in events()] == [
        (Act.SIGN_IN_FAILED, user.email),
        (Act.SIGNED_IN, user.email),
        (Act.SIGNED_OUT, user.email),
    ]


def test_failure_keeps_no_password() -> None:
    Client().login(username="somebody@example.com", password="correct horse battery")

    assert "correct horse" not in str(list(AuditEvent.objects.values()))


# Buying


def test_purchase_is_recorded_once_with_the_address_and_its_repeat_is_not() -> None:
    wizard = begin(an_order(), Client(REMOTE_ADDR="192.0.2.7"))
    fingerprint = wizard.fingerprint()
    forget_what_led_here()

    purchases = [wizard.buy(fingerprint).headers["Location"] for _ in range(2)]

    event = AuditEvent.objects.get()
    assert (event.act, event.actor, event.actor_id) == (Act.PURCHASED, wizard.draft.user.email, wizard.draft.user_id)
    assert (event.object_type, event.address) == ("purchases.purchase", "192.0.2.7")
    assert event.object_label in purchases[0] == purchases[1]


def test_refusal_is_recorded_with_its_code_and_without_a_purchase() -> None:
    draft = an_order()
    shown = quote_of(draft).fingerprint
    Contract.objects.update(status="suspended")
    forget_what_led_here()

    with pytest.raises(ContractNotActive):
        press_buy(draft, fingerprint=shown)

    assert events() == [(Act.REFUSED, draft.user.email, str(draft.pk), "contract_not_active")]


def test_outdated_preview_is_recorded() -> None:
    draft = an_order()
    shown = quote_of(draft).fingerprint
    PurchaseDraft.objects.update(quantity=4)
    forget_what_led_here()

    with pytest.raises(PreviewOutdated):
        press_buy(draft, fingerprint=shown)

    assert events() == [(Act.REFUSED, draft.user.email, str(draft.pk), "preview_outdated")]


@pytest.mark.django_db(transaction=True)
def test_purchase_that_is_rolled_back_leaves_no_event() -> None:
    draft = an_order()
    shown = quote_of(draft).fingerprint

    with transaction.atomic():
        buy(draft, buyer=draft.user, fingerprint=shown, on=TODAY)
        transaction.set_rollback(True)

    assert not AuditEvent.objects.filter(act=Act.PURCHASED).exists()


# Stock, exports


def test_giving_back_and_its_refusal_are_recorded() -> None:
    draft = an_order(quantity=2, fulfilment=Fulfilment.STOCK)
    stock_for(draft, 2)
    purchase = press_buy(draft)
    forget_what_led_here()

    give_back_purchase(purchase, buyer=draft.user, on=TODAY)
    with pytest.raises(PurchaseRefused):
        give_back_purchase(purchase, buyer=draft.user, on=TODAY)

    assert events() == [
        (Act.GAVE_BACK, draft.user.email, purchase.number, "2"),
        (Act.REFUSED, draft.user.email, purchase.number, "nothing_to_give_back"),
    ]


def test_acts_of_stock_are_recorded() -> None:
    operator = OperatorFactory()
    lot = stock_for(an_order(), 5)
    correct(lot, -1, reason_text="Counted.", actor=operator, on=TODAY)
    StockLot.objects.update(use_by="2020-01-01")
    lapse(at=timezone.now())

    told = [(act, who, detail) for act, who, _what, detail in events()]
    assert told == [
        (Act.STOCK_RECEIVED, "", "5"),
        (Act.STOCK_CORRECTED, operator.email, "-1"),
        (Act.STOCK_LAPSED, "", "1 lots, 4 licenses"),
    ]


def test_export_is_recorded() -> None:
    user = UserFactory()
    assert user.reseller is not None

    start_export(
        content=Export.Content.LICENSES,
        kind=Export.Kind.CSV,
        filters={},
        exported_by=user,
        reseller=user.reseller,
    )

    assert [(act, who, detail) for act, who, _what, detail in events()] == [(Act.EXPORTED, user.email, "licenses csv")]


# The admin


def test_what_the_operator_does_in_the_admin_is_recorded(client: Client) -> None:
    operator = OperatorFactory()
    client.force_login(operator)
    forget_what_led_here()

    client.post(
        reverse("admin:products_package_add"),
        {"name": "Large", "code": "large", "history_reason": "New.", "reason": ""},
    )

    assert [(act, who, what) for act, who, what, _detail in events()] == [(Act.ADDED, operator.email, "Large")]


def test_operator_searches_the_log_and_cannot_edit_it(client: Client) -> None:
    operator, other = OperatorFactory(), UserFactory()
    client.force_login(operator)
    event = record(Act.SIGNED_OUT, by=other)
    address = reverse("admin:audit_auditevent_changelist")

    found = client.get(address, {"q": other.email})
    nothing = client.get(address, {"q": "nobody@example.com"})
    added = client.get(reverse("admin:audit_auditevent_add"))
    changed = client.post(reverse("admin:audit_auditevent_change", args=[event.pk]), {"actor": "else"})
    deleted = client.post(reverse("admin:audit_auditevent_delete", args=[event.pk]), {"post": "yes"})

    assert found.text.count(other.email) >= 1
    assert found.context["cl"].queryset.count() == 1
    assert nothing.context["cl"].queryset.count() == 0
    assert (added.status_code, changed.status_code, deleted.status_code) == (403, 403, 403)


# From where


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.9", "192.0.2.7"),
        (0, "", "192.0.2.7"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9", "198.51.100.1"),
        (2, "203.0.113.9", "192.0.2.7"),
        (1, "<script>", None),
        (1, "2001:db8::7", "2001:db8::7"),
    ],
)
def test_forwarded_address_is_believed_as_far_as_our_own_proxies_wrote_it(
    settings: Settings, proxies: int, forwarded: str, address: str | None
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.7", headers={"X-Forwarded-For": forwarded})

    assert address_of(request) == address


# It stays

WAYS_TO_REWRITE: dict[str, Callable[[AuditEvent], object]] = {
    "saving": lambda event: event.save(),
    "deleting": lambda event: event.delete(),
    "updating": lambda event: AuditEvent.objects.update(actor="else"),
    "deleting many": lambda event: AuditEvent.objects.all().delete(),
}


@pytest.mark.parametrize("rewrite", WAYS_TO_REWRITE.values(), ids=WAYS_TO_REWRITE)
def test_orm_refuses_to_rewrite_an_event(rewrite: Callable[[AuditEvent], object]) -> None:
    event = record(Act.SIGNED_IN, by=UserFactory())

    with pytest.raises(AuditLogIsAppendOnly):
        rewrite(event)


@pytest.mark.parametrize("statement", ["UPDATE audit_auditevent SET actor = ''", "DELETE FROM audit_auditevent"])
def test_database_refuses_to_rewrite_an_event(statement: str) -> None:
    record(Act.SIGNED_IN, by=UserFactory())

    with pytest.raises(IntegrityError, match="an audit event is never"), transaction.atomic():
        execute(statement)

    assert AuditEvent.objects.exclude(actor="").exists()


def test_event_outlives_its_user() -> None:
    user: Any = UserFactory()
    record(Act.SIGNED_IN, by=user)
    email = user.email

    User.objects.get(pk=user.pk).delete()

    assert AuditEvent.objects.get().actor == email
    assert LOG.missing(connection) == []
