"""Coming in by invitation: once, within 48 hours, and by nobody else."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Reseller, User
from audit.models import Act, AuditEvent
from identity.models import Invitation
from identity.services import HasPassword, InvitationNotOpen, MayNotSignIn, accept_invitation, invite
from tests.factories import OperatorFactory, ResellerFactory, UserFactory
from tests.pages import text_of

NEW = "three words together"

pytestmark = pytest.mark.django_db


def an_invited_user(**facts: Any) -> tuple[User, str]:
    """A user without a password, and the token that was sent."""
    user = UserFactory(password="!", **facts)
    tokens: list[str] = []

    def link_to(token: str) -> str:
        tokens.append(token)
        return token

    invite(user, by=OperatorFactory(), now=timezone.now(), link_to=link_to)
    return user, tokens[0]


def address_in(mail: EmailMessage) -> str:
    found = re.search(r"https?://testserver(/invitations/\S+)", str(mail.body))
    assert found is not None
    return found[1]


def accept(client: Client, address: str, password: str = NEW, again: str | None = None) -> Any:
    return client.post(address, {"new_password1": password, "new_password2": password if again is None else again})


def test_whoever_is_added_at_the_desk_comes_in_by_the_link_in_the_mail(
    client: Client, mailoutbox: list[EmailMessage], django_capture_on_commit_callbacks: Any
) -> None:
    desk, reseller = Client(), ResellerFactory(language="tr")
    desk.force_login(OperatorFactory())

    with django_capture_on_commit_callbacks(execute=True):
        added = desk.post(
            "/admin/accounts/user/add/",
            {"email": "ayse@example.com", "full_name": "Ayşe Yılmaz", "reseller": reseller.pk},
            follow=True,
        )

    assert "An invitation was sent to ayse@example.com" in text_of(added.text)
    (mail,) = mailoutbox
    assert mail.to == ["ayse@example.com"]
    assert mail.subject == "Lisans portalına davetiniz"
    page = client.get(address_in(mail))
    assert page.status_code == 200
    assert "ayse@example.com" in page.text
    answer = accept(client, address_in(mail))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert client.get("/licenses/").status_code == 200
    assert UserSession.objects.filter(user__email="ayse@example.com").exists()
    assert Client().login(username="ayse@example.com", password=NEW)


def test_link_works_once(client: Client) -> None:
    user, token = an_invited_user()
    address = reverse("invitation", args=[token])

    assert accept(client, address).status_code == 302

    again = accept(Client(), address, "another long password")
    assert again.status_code == 410
    assert Client().get(address).status_code == 410
    user.refresh_from_db()
    assert user.check_password(NEW)


@pytest.mark.parametrize(("hours", "status"), [(47.99, 200), (48.01, 410)])
def test_link_works_for_48_hours(client: Client, hours: float, status: int) -> None:
    _user, token = an_invited_user()

    with time_machine.travel(timezone.now() + timedelta(hours=hours), tick=False):
        assert client.get(reverse("invitation", args=[token])).status_code == status


def test_newer_invitation_ends_the_one_before(client: Client) -> None:
    user, first = an_invited_user()
    invite(user, by=OperatorFactory(), now=timezone.now(), link_to=str)

    assert client.get(reverse("invitation", args=[first])).status_code == 410
    assert user.invitations.open_at(timezone.now()).count() == 1


@pytest.mark.parametrize("facts", [{"is_active": False}, {"reseller__is_active": False}])
def test_whoever_was_disabled_meanwhile_does_not_come_in(client: Client, facts: dict[str, bool]) -> None:
    user, token = an_invited_user()
    if "is_active" in facts:
        User.objects.filter(pk=user.pk).update(is_active=False)
    else:
        Reseller.objects.update(is_active=False)

    assert accept(client, reverse("invitation", args=[token])).status_code == 410
    user.refresh_from_db()
    assert not user.has_usable_password()


@pytest.mark.parametrize(
    ("password", "again", "sentence"),
    [
        ("short", "short", "at least 12 characters"),
        ("password1234", "password1234", "too common"),
        (NEW, "something else entirely", "match"),
        ("", "", "required"),
    ],
)
def test_password_that_does_not_do_is_refused_and_the_link_works_on(
    client: Client, password: str, again: str, sentence: str
) -> None:
    _user, token = an_invited_user()
    address = reverse("invitation", args=[token])

    page = accept(client, address, password, again)

    assert page.status_code == 422
    assert sentence in unescape(text_of(page.text))
    assert accept(client, address).status_code == 302


def test_token_is_not_in_the_database() -> None:
    _user, token = an_invited_user()

    assert token not in str(Invitation.objects.values_list().get())


def test_user_with_a_password_is_not_invited() -> None:
    user = UserFactory()

    with pytest.raises(HasPassword):
        invite(user, by=OperatorFactory(), now=timezone.now(), link_to=str)

    assert not Invitation.objects.exists()


def test_user_who_may_not_sign_in_is_not_invited() -> None:
    user = UserFactory(password="!", reseller=ResellerFactory(is_active=False))

    with pytest.raises(MayNotSignIn):
        invite(user, by=OperatorFactory(), now=timezone.now(), link_to=str)

    assert not Invitation.objects.exists()


def test_made_up_token_is_refused_and_nothing_is_written() -> None:
    user, _token = an_invited_user()

    with pytest.raises(InvitationNotOpen):
        accept_invitation("made-up", password=NEW, now=timezone.now())

    user.refresh_from_db()
    assert not user.has_usable_password()


def test_inviting_and_coming_in_stand_in_the_audit_log(client: Client) -> None:
    user, token = an_invited_user()
    accept(client, reverse("invitation", args=[token]))

    events = AuditEvent.objects.filter(act__in=[Act.INVITED, Act.JOINED, Act.SIGNED_IN]).order_by("pk")
    assert [(event.act, event.object_label or event.actor) for event in events] == [
        (Act.INVITED, user.email),
        (Act.JOINED, user.email),
        (Act.SIGNED_IN, user.email),
    ]


def test_invitation_is_sent_again_from_the_users_page(
    mailoutbox: list[EmailMessage], django_capture_on_commit_callbacks: Any
) -> None:
    desk, user = Client(), UserFactory(password="!")
    desk.force_login(OperatorFactory())
    page = desk.get(reverse("admin:accounts_user_change", args=[user.pk]))
    address = reverse("admin:accounts_user_invite", args=[user.pk])

    assert address in page.text
    assert "was never invited" in unescape(page.text)
    assert desk.get(address).status_code == 200
    assert not mailoutbox
    with django_capture_on_commit_callbacks(execute=True):
        desk.post(address)

    assert [mail.to for mail in mailoutbox] == [[user.email]]
    assert "the link works until" in desk.get(reverse("admin:accounts_user_change", args=[user.pk])).text


def test_mail_that_cannot_be_sent_undoes_nothing(
    settings: Any, django_capture_on_commit_callbacks: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": 1, "timeout": 1},
        }
    }

    with django_capture_on_commit_callbacks(execute=True):
        user, _token = an_invited_user()

    assert user.invitations.exists()
    assert "An invitation could not be sent." in caplog.text


def test_nobody_signs_up(client: Client) -> None:
    before = User.objects.count()

    client.post("/signup/", {"email": "me@example.com", "password1": NEW, "password2": NEW})

    assert "By invitation only" in client.get("/signup/").text
    assert User.objects.count() == before
