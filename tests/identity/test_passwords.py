"""Forgotten and changed passwords, the sessions that end with them, and limits on trying."""

import re
import time
from statistics import median
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from audit.models import Act, AuditEvent
from tests.factories import PASSWORD, ResellerFactory, UserFactory
from tests.identity.second_steps import sign_in, with_app
from tests.pages import text_of

NEW = "three words together"
FORGOTTEN = "/password/forgotten/"
SIGN_IN_STATEMENTS = 80

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return UserFactory(email="buyer@example.com")


@pytest.fixture(autouse=True)
def sessions_are_few(settings: Settings) -> None:
    """The list of ones own sessions looks at each; a new session after an old one looks at two."""
    settings.ZEAL_ALLOWLIST = [{"model": "sessions.Session", "field": "*"}]


def is_signed_in(client: Client) -> bool:
    return client.get("/licenses/").status_code == 200


def link_in(mail: EmailMessage) -> str:
    found = re.search(r"http://testserver(/password/new/\S+)", str(mail.body))
    assert found is not None
    return found[1]


def open_link(client: Client, link: str) -> str:
    """The page that the link leads to: its address no longer holds the key."""
    answer = client.get(link)
    assert answer.status_code == 302
    return str(answer.headers["Location"])


def test_forgotten_password_is_set_anew_by_the_link_in_the_mail(
    client: Client, user: User, mailoutbox: list[EmailMessage]
) -> None:
    other = Client()
    other.force_login(user)

    client.post(FORGOTTEN, {"email": "Buyer@Example.com"})
    page = open_link(client, link_in(mailoutbox[0]))
    answer = client.post(page, {"password1": NEW, "password2": NEW})

    assert mailoutbox[0].to == ["buyer@example.com"]
    assert answer.headers["Location"] == "/"
    assert is_signed_in(client)
    assert not is_signed_in(other)
    user.refresh_from_db()
    assert user.check_password(NEW)
    assert AuditEvent.objects.filter(act=Act.SECURITY_CHANGED, actor=user.email, detail="password changed").exists()


def test_link_works_once(client: Client, user: User, mailoutbox: list[EmailMessage]) -> None:
    client.post(FORGOTTEN, {"email": user.email})
    link = link_in(mailoutbox[0])
    client.post(open_link(client, link), {"password1": NEW, "password2": NEW})

    again = Client().get(link)

    assert again.status_code == 200
    assert "This link does not work any more" in text_of(again.text)


def test_new_password_does_not_go_around_the_second_step(
    client: Client, user: User, mailoutbox: list[EmailMessage]
) -> None:
    with_app(user)
    client.post(FORGOTTEN, {"email": user.email})

    answer = client.post(open_link(client, link_in(mailoutbox[0])), {"password1": NEW, "password2": NEW})

    assert answer.headers["Location"] == "/login/code/"
    assert not is_signed_in(client)


def test_former_address_gets_no_link(client: Client, user: User, mailoutbox: list[EmailMessage]) -> None:
    client.post(FORGOTTEN, {"email": user.email})
    User.objects.filter(pk=user.pk).update(email="new@example.com")
    mailoutbox.clear()

    client.post(FORGOTTEN, {"email": "buyer@example.com"})

    assert "There is no user" in str(mailoutbox[0].body)
    assert not EmailAddress.objects.exists()


@pytest.mark.parametrize("facts", [{"is_active": False}, {"reseller__is_active": False}, {"password": "!"}], ids=repr)
def test_whoever_may_not_sign_in_gets_no_link(
    client: Client, mailoutbox: list[EmailMessage], facts: dict[str, Any]
) -> None:
    UserFactory(email="buyer@example.com", **facts)

    client.post(FORGOTTEN, {"email": "buyer@example.com"})

    assert all("/password/new/" not in str(mail.body) for mail in mailoutbox)


def test_answer_does_not_tell_whether_there_is_a_user(
    client: Client, user: User, mailoutbox: list[EmailMessage]
) -> None:
    answers = []
    for email in (user.email, "nobody@example.com"):
        answer = Client().post(FORGOTTEN, {"email": email}, follow=True)
        answers.append((answer.redirect_chain, re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.text)))

    assert answers[0] == answers[1]
    assert len(mailoutbox) == 2  # sending takes time, which would tell too


def test_refused_sign_in_takes_as_long_for_a_user_as_for_nobody(settings: Settings, user: User) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    user.set_password(PASSWORD)
    user.save()

    def seconds(email: str) -> float:
        began = time.perf_counter()
        assert Client().post("/login/", {"username": email, "password": "wrong"}).status_code == 422
        return time.perf_counter() - began

    pairs = [(seconds(user.email), seconds("nobody@example.com")) for _try in range(5)]

    ratio = median(known for known, _unknown in pairs) / median(unknown for _known, unknown in pairs)
    assert 0.5 < ratio < 2  # without hashing for nobody it is above ten


def test_password_is_changed_and_other_sessions_end(client: Client, user: User, mailoutbox: list[EmailMessage]) -> None:
    other = Client()
    other.force_login(user)
    sign_in(client, user)

    wrong = client.post("/security/password/", {"oldpassword": "no", "password1": NEW, "password2": NEW})
    right = client.post("/security/password/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})

    assert wrong.status_code == 422
    assert right.status_code == 302
    assert is_signed_in(client)
    assert not is_signed_in(other)
    assert [mail.to for mail in mailoutbox] == [[user.email]]


# Limits


def test_password_of_somebody_cannot_be_tried_for_long(client: Client, user: User) -> None:
    for _try in range(10):
        assert sign_in(Client(), user, "wrong").status_code == 422

    late = sign_in(client, user)

    assert late.status_code == 422
    assert "There were too many tries. Wait five minutes, then try again." in text_of(late.text)
    assert not is_signed_in(client)


def test_limit_does_not_tell_whether_there_is_a_user(user: User) -> None:
    def answers(email: str) -> list[str]:
        pages = [Client().post("/login/", {"username": email, "password": "wrong"}) for _try in range(12)]
        return [text_of(page.text) for page in pages]

    assert answers(user.email) == answers("nobody@example.com")


def test_one_address_cannot_try_many_users(client: Client) -> None:
    for number in range(60):
        assert client.post("/login/", {"username": f"{number}@example.com", "password": "x"}).status_code == 422
    UserFactory(email="late@example.com")

    late = client.post("/login/", {"username": "late@example.com", "password": PASSWORD})

    assert late.status_code == 422
    assert not is_signed_in(client)


def test_links_are_not_sent_without_end(client: Client, user: User, mailoutbox: list[EmailMessage]) -> None:
    statuses = [client.post(FORGOTTEN, {"email": user.email}).status_code for _try in range(7)]

    assert statuses == [302] * 5 + [429] * 2
    assert len(mailoutbox) == 5
    assert "Too many tries" in client.post(FORGOTTEN, {"email": user.email}).text


# Sessions


def test_session_elsewhere_is_seen_and_ended(client: Client, user: User) -> None:
    elsewhere = Client(headers={"User-Agent": "Unknown phone"}, REMOTE_ADDR="203.0.113.9")
    sign_in(elsewhere, user)
    sign_in(client, user)
    page = client.get("/security/sessions/")
    theirs = next(found for found in page.context["sessions"] if found.ip == "203.0.113.9")

    assert "Unknown phone" in page.text
    assert "203.0.113.9" in page.text
    client.post("/security/sessions/", {"session": theirs.pk})

    assert not is_signed_in(elsewhere)
    assert is_signed_in(client)
    assert AuditEvent.objects.filter(act=Act.SECURITY_CHANGED, detail="1 sessions ended").exists()


def test_all_other_sessions_are_ended(client: Client, user: User) -> None:
    others = [Client(), Client()]
    for browser in (*others, client):
        sign_in(browser, user)

    client.post("/security/sessions/")

    assert [is_signed_in(browser) for browser in (*others, client)] == [False, False, True]


@pytest.mark.parametrize("sent", ["theirs", "mine", "0", "x", "-1", str(2**70)])
def test_session_of_somebody_else_and_ones_own_are_not_ended(client: Client, user: User, sent: str) -> None:
    stranger = Client()
    sign_in(stranger, UserFactory(reseller=ResellerFactory()))
    sign_in(client, user)
    keys = {
        "theirs": stranger.get("/security/sessions/").context["sessions"][0].pk,
        "mine": client.get("/security/sessions/").context["sessions"][0].pk,
    }

    client.post("/security/sessions/", {"session": keys.get(sent, sent)})

    assert is_signed_in(stranger)
    assert is_signed_in(client)


def test_sign_in_costs_the_same_with_many_sessions(user: User, django_assert_max_num_queries: Any) -> None:
    for _browser in range(8):
        sign_in(Client(), user)
    expired = Client()
    sign_in(expired, user)
    Session.objects.filter(session_key=expired.session.session_key).update(expire_date="2020-01-01T00:00Z")

    with django_assert_max_num_queries(SIGN_IN_STATEMENTS):
        sign_in(Client(), user)

    assert UserSession.objects.filter(user=user).count() == 9
