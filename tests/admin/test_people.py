"""Resellers, users and accounts at the desk: what is taken, what is refused, and who may give rights."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from accounts.models import Account, Reseller, User
from tests.admin.forms import errors
from tests.factories import PASSWORD, AccountFactory, OperatorFactory, ResellerFactory, UserFactory

NEW_PASSWORD = "a long enough sentence"


def new_user(**facts: Any) -> dict[str, Any]:
    return {
        "email": "ayse@example.com",
        "full_name": "Ayşe Yılmaz",
        **facts,
    }


def user_page(user: User, **facts: Any) -> dict[str, Any]:
    """What the page of a stored user sends back, with other facts where given."""
    rights = {name: "on" for name in ("is_active", "is_staff", "is_superuser") if getattr(user, name)}
    return {"email": user.email, "full_name": user.full_name, "reseller": user.reseller_id or "", **rights, **facts}


def page_of(row: Reseller | User | Account | Group) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


@pytest.fixture
def clerk(client: Client, db: None) -> Client:
    """A browser of the operator's staff who may manage people, but is no superuser."""
    user = OperatorFactory(is_superuser=False)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label__in=["accounts", "auth"]))
    client.force_login(user)
    return client


def test_reseller_is_added(desk: Client) -> None:
    answer = desk.post(
        "/admin/accounts/reseller/add/",
        {"name": "Ege Ekran", "slug": "ege-ekran", "time_zone": "Europe/Istanbul", "language": "tr", "is_active": "on"},
    )

    assert answer.status_code == 302
    assert Reseller.objects.get().language == "tr"


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"time_zone": "Mars/Olympus"}, "is no time zone"),
        ({"time_zone": "../etc/passwd"}, "is no time zone"),
        ({"language": "xx"}, "not one of the available choices"),
        ({"slug": "ege ekran"}, "valid “slug”"),
        ({"name": ""}, "required"),
    ],
    ids=repr,
)
def test_wrong_reseller_is_refused(desk: Client, facts: dict[str, Any], sentence: str) -> None:
    right = {"name": "Ege Ekran", "slug": "ege-ekran", "time_zone": "Europe/Istanbul", "language": "tr"}

    page = desk.post("/admin/accounts/reseller/add/", {**right, **facts})

    assert sentence in errors(page)
    assert not Reseller.objects.exists()


def test_user_of_a_reseller_is_added_without_a_password(desk: Client) -> None:
    reseller = ResellerFactory()

    answer = desk.post("/admin/accounts/user/add/", new_user(email="Ayse@Example.com", reseller=reseller.pk))

    assert answer.status_code == 302
    user = User.objects.get(reseller=reseller)
    assert user.email == "ayse@example.com"
    assert not user.has_usable_password()


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"email": "nobody"}, "valid email address"),
        ({"email": ""}, "required"),
        ({"email": "a\x00@example.com"}, "Null characters"),
        ({"reseller": "999999"}, "not one of the available choices"),
    ],
    ids=repr,
)
def test_wrong_user_is_refused(desk: Client, facts: dict[str, Any], sentence: str) -> None:
    page = desk.post("/admin/accounts/user/add/", new_user(**facts))

    assert sentence in errors(page)
    assert User.objects.count() == 1


def test_e_mail_that_another_user_has_is_refused_in_any_case(desk: Client) -> None:
    UserFactory(email="ayse@example.com")

    page = desk.post("/admin/accounts/user/add/", new_user(email="AYSE@EXAMPLE.COM"))

    assert "There is a user with this e-mail already" in errors(page)


def test_staff_of_a_reseller_is_refused(desk: Client) -> None:
    user = UserFactory()

    page = desk.post(page_of(user), user_page(user, is_staff="on"))

    assert "Staff belong to the operator" in errors(page)
    user.refresh_from_db()
    assert not user.is_staff


def test_user_stays_with_the_reseller(desk: Client) -> None:
    user, other = UserFactory(), ResellerFactory()

    desk.post(page_of(user), user_page(user, reseller=other.pk, full_name="New Name"))

    before = user.reseller
    user.refresh_from_db()
    assert (user.full_name, user.reseller) == ("New Name", before)


def test_account_with_a_reference_that_the_reseller_has_is_refused(desk: Client) -> None:
    account = AccountFactory()

    page = desk.post(
        "/admin/accounts/account/add/",
        {"reseller": account.reseller.pk, "name": "Another", "reference": account.reference, "tier": "paid"},
    )

    assert "has an account with this reference already" in errors(page)
    assert Account.objects.get() == account


def test_account_stays_with_its_reseller(desk: Client) -> None:
    account, other = AccountFactory(), ResellerFactory()

    desk.post(
        page_of(account),
        {"reseller": other.pk, "name": "New name", "reference": account.reference, "tier": "paid", "is_active": "on"},
    )

    before = account.reseller
    account.refresh_from_db()
    assert (account.name, account.reseller) == ("New name", before)


def test_clerk_manages_resellers_people(clerk: Client) -> None:
    user = UserFactory()

    answer = clerk.post(page_of(user), user_page(user, full_name="New Name"))

    assert answer.status_code == 302
    user.refresh_from_db()
    assert user.full_name == "New Name"


def test_clerk_gives_nobody_rights(clerk: Client) -> None:
    user, group = UserFactory(reseller=None), Group.objects.create(name="Everything")
    every_right = [permission.pk for permission in Permission.objects.all()]

    clerk.post(
        page_of(user),
        user_page(user, is_staff="on", is_superuser="on", groups=[group.pk], user_permissions=every_right),
    )

    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert not user.groups.exists()
    assert not user.user_permissions.exists()


def test_clerk_changes_no_superuser_and_no_group(clerk: Client) -> None:
    superuser, group = OperatorFactory(), Group.objects.create(name="Everything")

    answers = [
        clerk.post(page_of(superuser), user_page(superuser, email="mine@example.com")),
        clerk.post(reverse("admin:accounts_user_invite", args=[superuser.pk])),
        clerk.post(reverse("admin:accounts_user_delete", args=[superuser.pk]), {"post": "yes"}),
        clerk.post(page_of(group), {"name": "Mine"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403, 403]
    superuser.refresh_from_db()
    group.refresh_from_db()
    assert superuser.email != "mine@example.com"
    assert superuser.check_password("demo")
    assert group.name == "Everything"


def test_password_of_a_user_is_nothing_for_the_desk(desk: Client) -> None:
    user = UserFactory()

    desk.post(f"/admin/accounts/user/{user.pk}/password/", {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    desk.post(page_of(user), user_page(user, password=NEW_PASSWORD, password1=NEW_PASSWORD))

    user.refresh_from_db()
    assert user.check_password(PASSWORD)
