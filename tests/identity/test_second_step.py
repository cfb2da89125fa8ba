"""The second step: setting one up, signing in with it, losing it, and staff who must have one."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from audit.models import Act, AuditEvent
from identity.services import forget_second_step
from tests.factories import OperatorFactory, UserFactory
from tests.identity.second_steps import code_of, say_again, sign_in, with_app
from tests.pages import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return UserFactory()


@pytest.fixture
def strict(settings: Settings) -> None:
    """As in production."""
    settings.STAFF_NEED_SECOND_STEP = True


def is_signed_in(client: Client) -> bool:
    return client.get("/licenses/").status_code == 200


def test_app_is_set_up_with_a_code_of_it_and_recovery_codes_are_shown(client: Client, user: User) -> None:
    client.force_login(user)
    say_again(client)
    page = client.get("/security/app/")
    secret = page.context["form"].secret

    wrong = client.post("/security/app/", {"code": "000000"})
    assert wrong.status_code == 422
    assert not Authenticator.objects.exists()
    done = client.post("/security/app/", {"code": code_of(secret)}, follow=True)

    assert "data:" not in page.text
    assert "<svg" in page.text
    assert {found.type for found in Authenticator.objects.filter(user=user)} == {"totp", "recovery_codes"}
    assert done.request["PATH_INFO"] == "/security/codes/"
    assert len(done.context["unused_codes"]) == 10
    assert done.context["unused_codes"][0] in done.text


def test_setting_up_asks_for_the_password_once_more(client: Client, user: User) -> None:
    client.force_login(user)

    page = client.get("/security/app/")
    wrong = client.post("/security/confirm/", {"password": "not mine"})

    assert page.headers["Location"] == "/security/confirm/?next=%2Fsecurity%2Fapp%2F"
    assert wrong.status_code == 422
    assert client.get("/security/app/").status_code == 302


def test_password_alone_does_not_let_in_whoever_has_an_app(client: Client, user: User) -> None:
    with_app(user)

    answer = sign_in(client, user)

    assert answer.headers["Location"] == "/login/code/"
    assert not is_signed_in(client)


def test_code_lets_in_and_leads_where_one_wanted_to_go(client: Client, user: User) -> None:
    secret = with_app(user)
    sign_in(client, user, next="/stock/")

    wrong = client.post("/login/code/", {"code": "000000"})
    right = client.post("/login/code/", {"code": code_of(secret)})

    assert wrong.status_code == 422
    assert "This code is not right" in text_of(wrong.text)
    assert right.headers["Location"] == "/stock/"
    assert is_signed_in(client)


def test_code_is_for_one_use(client: Client, user: User) -> None:
    code = code_of(with_app(user))
    sign_in(client, user)
    assert client.post("/login/code/", {"code": code}).status_code == 302

    other = Client()
    sign_in(other, user)

    assert other.post("/login/code/", {"code": code}).status_code == 422
    assert not is_signed_in(other)


def test_user_who_is_disabled_between_password_and_code_does_not_come_in(client: Client, user: User) -> None:
    secret = with_app(user)
    sign_in(client, user)
    User.objects.filter(pk=user.pk).update(is_active=False)

    answer = client.post("/login/code/", {"code": code_of(secret)})

    assert answer.headers["Location"] == "/login/"
    assert not AuditEvent.objects.filter(act=Act.SIGNED_IN).exists()


def test_second_step_that_is_taken_away_meanwhile_is_not_asked_for(client: Client, user: User) -> None:
    with_app(user)
    sign_in(client, user)
    forget_second_step(user, by=OperatorFactory())

    again = client.get("/login/code/", follow=True)
    sign_in(client, user)

    assert again.status_code == 200
    assert "Sign in" in again.text
    assert is_signed_in(client)


def test_codes_cannot_be_tried_one_after_the_other(client: Client, user: User) -> None:
    secret = with_app(user)
    sign_in(client, user)

    for _try in range(10):
        assert client.post("/login/code/", {"code": "000000"}).status_code == 422

    late = client.post("/login/code/", {"code": code_of(secret)})
    assert late.status_code == 422
    assert "too many tries" in text_of(late.text)


def test_staff_without_a_second_step_see_nothing_of_the_desk(strict: None, client: Client) -> None:
    client.force_login(OperatorFactory())

    for address in ("/admin/", "/admin/accounts/user/", "/admin/jsi18n/"):
        page = client.get(address)
        assert (page.status_code, page.headers["Location"]) == (302, "/security/"), address
    sent = client.post("/admin/accounts/reseller/add/", {"name": "x"})
    assert (sent.status_code, sent.headers["Location"]) == (302, "/security/")


def test_staff_with_a_second_step_work_at_the_desk(strict: None, client: Client) -> None:
    operator = OperatorFactory()
    secret = with_app(operator)
    sign_in(client, operator)
    client.post("/login/code/", {"code": code_of(secret)})

    assert client.get("/admin/").status_code == 200


def test_staff_cannot_take_their_last_second_step_away(strict: None, client: Client) -> None:
    operator = OperatorFactory()
    with_app(operator)
    client.force_login(operator)
    say_again(client)

    page = client.post("/security/app/remove/")

    assert page.status_code == 422
    assert "Set up another one before you remove this one." in text_of(page.text)
    assert Authenticator.objects.filter(user=operator, type="totp").exists()


def test_app_is_removed_with_its_recovery_codes(client: Client, user: User) -> None:
    with_app(user)
    client.force_login(user)
    say_again(client)

    client.post("/security/app/remove/")

    assert not Authenticator.objects.filter(user=user).exists()


def test_operator_takes_the_second_step_of_somebody_away_who_lost_it(user: User) -> None:
    with_app(user)
    desk = Client()
    desk.force_login(OperatorFactory())
    address = reverse("admin:accounts_user_forget_second_step", args=[user.pk])

    assert address in desk.get(reverse("admin:accounts_user_change", args=[user.pk])).text
    desk.get(address)
    assert Authenticator.objects.filter(user=user).exists()
    desk.post(address)

    assert not Authenticator.objects.filter(user=user).exists()
    event = AuditEvent.objects.get(act=Act.SECURITY_CHANGED)
    assert (event.object_label, event.detail) == (user.email, "second step taken away")


def test_clerk_cannot_take_the_second_step_of_staff_away(db: None) -> None:
    operator, clerk = OperatorFactory(), OperatorFactory(is_superuser=False)
    with_app(operator)
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    desk = Client()
    desk.force_login(clerk)

    answer = desk.post(reverse("admin:accounts_user_forget_second_step", args=[operator.pk]))

    assert answer.status_code == 403
    assert Authenticator.objects.filter(user=operator).exists()


@pytest.mark.parametrize("name", ["mfa_edit_webauthn", "mfa_remove_webauthn"])
def test_passkey_of_somebody_else_is_not_found(client: Client, user: User, name: str) -> None:
    theirs = Authenticator.objects.create(user=UserFactory(), type="webauthn", data={"name": "Theirs"})
    client.force_login(user)
    say_again(client)

    for page in (
        client.get(reverse(name, args=[theirs.pk])),
        client.post(reverse(name, args=[theirs.pk]), {"name": "x"}),
    ):
        assert page.status_code == 404
    theirs.refresh_from_db()
    assert theirs.data["name"] == "Theirs"


@pytest.mark.django_db(transaction=True)
def test_changes_stand_in_the_audit_log(client: Client, user: User) -> None:
    client.force_login(user)
    say_again(client)
    secret = client.get("/security/app/").context["form"].secret
    for address, sent in (
        ("/security/app/", {"code": code_of(secret)}),
        ("/security/codes/renew/", {}),
        ("/security/app/remove/", {}),
    ):
        client.post(address, sent)

    details = AuditEvent.objects.filter(act=Act.SECURITY_CHANGED, actor=user.email).order_by("pk")
    assert [event.detail for event in details] == [
        "totp added",
        "recovery_codes added",
        "recovery_codes renewed",
        "totp removed",
        "recovery_codes removed",
    ]


def test_wrong_code_stands_in_the_audit_log(client: Client, user: User) -> None:
    with_app(user)
    sign_in(client, user)

    client.post("/login/code/", {"code": "000000"})

    event = AuditEvent.objects.get(act=Act.SIGN_IN_FAILED)
    assert (event.actor, event.detail) == (user.email, "second step")


def test_command_takes_the_second_step_of_the_last_superuser_away() -> None:
    operator = OperatorFactory(email="admin@example.com")
    with_app(operator)

    call_command("forget_second_step", "Admin@example.com", verbosity=0)

    assert not Authenticator.objects.exists()
    assert AuditEvent.objects.get().object_label == "admin@example.com"
    with pytest.raises(CommandError, match=r"There is no user nobody@example\.com\."):
        call_command("forget_second_step", "nobody@example.com")
