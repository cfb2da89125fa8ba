"""Signing in and out, and what needs it."""

import re
from html import unescape
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.resolvers import RoutePattern
from pytest_django import Settings

from accounts.models import Reseller, User
from contracts.models import ContractGrant
from tests.factories import PASSWORD, ContractGrantFactory, OperatorFactory, ResellerFactory, UserFactory
from tests.pages import text_of

SOME_DRAFT = "5f1c2a34-8f0e-4f5b-9c7d-2f6a1f3f9b10"
"""No draft has this id. It is the same in every process, so that all collect the same tests."""

pytestmark = pytest.mark.django_db

LOGIN = "/login/"
WRONG = "The e-mail or the password is wrong. Try again, or set a new password."
HTMX = {"HX-Request": "true"}


@pytest.fixture
def user() -> User:
    return UserFactory(email="buyer@example.com")


def sign_in(client: Client, email: str = "buyer@example.com", password: str = PASSWORD, **fields: str) -> Any:
    return client.post(LOGIN, {"username": email, "password": password, **fields})


def is_signed_in(client: Client) -> bool:
    return client.get("/licenses/").status_code == 200


# Signing in


@pytest.mark.parametrize("email", ["buyer@example.com", "Buyer@Example.COM", " buyer@example.com "])
def test_sign_in_with_e_mail_and_password_leads_to_the_active_tab(client: Client, user: User, email: str) -> None:
    page = client.post(LOGIN, {"username": email, "password": PASSWORD}, follow=True)

    assert page.request["PATH_INFO"] == "/licenses/"
    assert page.status_code == 200
    assert page.context["user"] == user


def test_sign_in_gives_the_session_a_new_key(client: Client, user: User) -> None:
    client.get(LOGIN)
    session = client.session
    session["seen"] = "before"
    session.save()
    client.cookies["sessionid"] = before = str(session.session_key)

    sign_in(client)

    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("buyer@example.com", "guess"),
        ("buyer@example.com", "DEMO"),
        ("buyer@example.com", "demo\0"),
        ("nobody@example.com", PASSWORD),
        ("buyer@example.com", "x" * 5_000),
    ],
)
def test_wrong_password_is_refused_and_the_e_mail_kept(client: Client, user: User, email: str, password: str) -> None:
    page = sign_in(client, email, password)

    assert page.status_code == 422
    assert "<title>Error: Sign in" in page.text
    assert f'value="{email}"' in page.text
    assert password not in text_of(page.text)
    assert f'value="{password}"' not in page.text
    assert not is_signed_in(client)


def test_refusal_does_not_tell_whether_the_user_exists(client: Client, user: User) -> None:
    known, unknown = sign_in(client, password="wrong"), sign_in(client, "nobody@example.com")

    assert WRONG in unescape(text_of(known.text))
    assert WRONG in unescape(text_of(unknown.text))


@pytest.mark.parametrize(("email", "password"), [("", PASSWORD), ("buyer@example.com", ""), ("", ""), ("\0", "\0")])
def test_missing_e_mail_or_password_is_refused(client: Client, user: User, email: str, password: str) -> None:
    assert sign_in(client, email, password).status_code == 422
    assert not is_signed_in(client)


def test_user_who_is_not_active_cannot_sign_in(client: Client) -> None:
    UserFactory(email="buyer@example.com", is_active=False)

    assert sign_in(client).status_code == 422


def test_user_of_a_reseller_that_is_not_active_cannot_sign_in(client: Client) -> None:
    UserFactory(email="buyer@example.com", reseller=ResellerFactory(is_active=False))

    assert sign_in(client).status_code == 422


def test_login_page_sends_whoever_is_signed_in_home(client: Client, user: User) -> None:
    client.force_login(user)

    page = client.get(LOGIN)

    assert (page.status_code, page.headers["Location"]) == (302, "/")


# Where one wanted to go


def test_page_that_was_asked_for_is_shown_after_signing_in(client: Client, user: User) -> None:
    asked = client.get("/licenses/expiring/?q=%C5%9Fi%C5%9Fli&page=2")
    page = client.get(asked.headers["Location"])
    signed_in = sign_in(client, next=unescape(page.text.split('name="next" value="')[1].split('"')[0]))

    assert asked.headers["Location"].startswith("/login/?next=/licenses/expiring/")
    assert (signed_in.status_code, signed_in.headers["Location"]) == (
        302,
        "/licenses/expiring/?q=%C5%9Fi%C5%9Fli&page=2",
    )


def test_page_that_was_asked_for_is_kept_through_a_wrong_password(client: Client, user: User) -> None:
    page = sign_in(client, password="wrong", next="/stock/")

    assert 'name="next" value="/stock/"' in page.text


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "http:evil.example",
        "javascript:alert(1)",
        "https://testserver.evil.example/",
        "\x08//evil.example/",
    ],
)
def test_page_of_another_host_is_not_gone_to(client: Client, user: User, elsewhere: str) -> None:
    assert sign_in(client, next=elsewhere).headers["Location"] == "/"


# Operators, and users without reseller


def test_staff_land_in_the_admin(client: Client) -> None:
    OperatorFactory(email="admin@example.com")

    page = client.post(LOGIN, {"username": "admin@example.com", "password": PASSWORD}, follow=True)

    assert page.request["PATH_INFO"] == "/admin/"
    assert page.status_code == 200


@pytest.mark.parametrize("path", ["/licenses/", "/purchases/", "/stock/", f"/purchases/{SOME_DRAFT}/contract/"])
def test_staff_who_open_the_portal_are_told_that_they_have_no_reseller(client: Client, path: str) -> None:
    client.force_login(OperatorFactory())

    page = client.get(path)

    assert page.status_code == 403
    assert "Your user belongs to no reseller" in text_of(page.text)
    assert "/admin/" in page.text


def test_user_without_a_reseller_is_told_so_and_can_sign_out(client: Client) -> None:
    UserFactory(email="buyer@example.com", reseller=None)

    page = client.post(LOGIN, {"username": "buyer@example.com", "password": PASSWORD}, follow=True)

    assert page.status_code == 403
    assert "Ask your operator to add you to your company." in unescape(text_of(page.text))
    assert "/admin/" not in page.text
    assert 'action="/logout/"' in page.text
    assert client.post(reverse("start_purchase")).status_code == 403


# Signing out


def test_sign_out_ends_the_session_and_leads_to_the_login_page(client: Client, user: User) -> None:
    client.force_login(user)

    page = client.post("/logout/")

    assert (page.status_code, page.headers["Location"]) == (302, LOGIN)
    assert not is_signed_in(client)
    assert not Session.objects.exists()


def test_link_cannot_sign_anybody_out(client: Client, user: User) -> None:
    client.force_login(user)

    assert client.get("/logout/").status_code == 405
    assert is_signed_in(client)


# Sessions that end


@pytest.mark.parametrize("facts", [{"is_active": False}, {"reseller__is_active": False}])
def test_disabled_user_or_reseller_loses_the_session_at_the_next_request(
    client: Client, user: User, facts: dict[str, bool]
) -> None:
    client.force_login(user)
    assert is_signed_in(client)

    if "is_active" in facts:
        User.objects.update(is_active=False)
    else:
        Reseller.objects.update(is_active=False)

    page = client.get("/licenses/")
    assert (page.status_code, page.headers["Location"]) == (302, "/login/?next=/licenses/")


def test_new_password_ends_the_sessions_of_the_old_one(client: Client, user: User, settings: Settings) -> None:
    settings.ZEAL_ALLOWLIST = [{"model": "sessions.Session", "field": "get()"}]  # the old session and a new one
    client.force_login(user)
    user.set_password("another")
    user.save()

    assert not is_signed_in(client)


def test_grant_that_is_withdrawn_counts_at_the_next_request(client: Client, user: User) -> None:
    ContractGrantFactory(user=user)
    client.force_login(user)
    ContractGrant.objects.all().delete()

    assert client.post(reverse("start_purchase")).status_code == 403


def test_expired_session_under_htmx_visits_the_login_page_and_comes_back_to_the_page(client: Client) -> None:
    step = f"/purchases/{uuid4()}/account/"
    here = f"http://testserver{step}?q=a&page=2"

    for page in (
        client.get(f"{step}?q=ab", headers={**HTMX, "HX-Current-URL": here}),
        client.post(f"/purchases/{uuid4()}/buy/", headers={**HTMX, "HX-Current-URL": here}),
    ):
        assert page.headers["HX-Redirect"] == f"/login/?next={quote(f'{step}?q=a&page=2')}"
        assert page.status_code == 200
        assert "Location" not in page.headers
        assert not page.content


@pytest.mark.parametrize("here", ["", "http://[", "nonsense", "http://testserver"])
def test_htmx_request_that_does_not_say_where_it_comes_from_comes_back_home(client: Client, here: str) -> None:
    page = client.get("/licenses/", headers={**HTMX, "HX-Current-URL": here})

    assert page.headers["HX-Redirect"] in ("/login/?next=/", "/login/?next=nonsense")


@pytest.mark.parametrize("url_name", ["buy", "delete_draft", "quantity_step"])
def test_form_that_was_sent_too_late_comes_back_to_its_page_after_signing_in(client: Client, url_name: str) -> None:
    draft = uuid4()
    preview = reverse("preview_step", args=[draft])

    page = client.post(reverse(url_name, args=[draft]), headers={"Referer": f"http://testserver{preview}"})

    assert (page.status_code, page.headers["Location"]) == (302, f"/login/?next={preview}")


def test_form_of_an_unknown_page_that_was_sent_too_late_comes_back_home(client: Client) -> None:
    page = client.post(reverse("start_purchase"))

    assert (page.status_code, page.headers["Location"]) == (302, "/login/?next=/")


@pytest.mark.parametrize("elsewhere", ["https://evil.example/licenses/", "//evil.example/", "javascript:alert(1)"])
def test_page_of_another_host_is_not_come_back_to(client: Client, elsewhere: str) -> None:
    form = client.post(reverse("start_purchase"), headers={"Referer": elsewhere})
    part = client.get("/licenses/", headers={**HTMX, "HX-Current-URL": elsewhere})

    assert form.headers["Location"] == part.headers["HX-Redirect"] == "/login/?next=/"


# What needs a signed-in user


FOR_EVERYBODY = {
    "account_login",
    "account_reset_password",
    "account_reset_password_done",
    "account_signup",
    "admin:login",
    "healthz",
    "invitation",
    "login",
    "mfa_login_webauthn",
    "readyz",
    "set_language",
    "set_theme",
}

SAMPLES = {"int": "1", "path": "1", "str": "a", "uuid": SOME_DRAFT, "slug": "a-1", "contract_number": "C-1", "": "a-1"}
"""By the name of a converter, what it takes."""


def addresses(patterns: list[Any], prefix: str = "/", namespace: str = "") -> list[tuple[str, str]]:
    """Name and an example of every address that a path describes."""
    found = []
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            found += addresses(pattern.url_patterns, prefix + example(pattern), inner)
        elif isinstance(pattern, URLPattern) and isinstance(pattern.pattern, RoutePattern):
            found.append((f"{namespace}{pattern.name}", prefix + example(pattern)))
    return found


def example(pattern: URLPattern | URLResolver) -> str:
    """A path that the pattern may match."""
    return re.sub(r"<(?:(\w+):)?\w+>", lambda part: SAMPLES[part[1] or ""], str(pattern.pattern))


ADDRESSES = addresses(get_resolver().url_patterns)


def test_addresses_are_found() -> None:
    assert len(ADDRESSES) > 80
    assert {"buy", "license", "purchase", "admin:index", *FOR_EVERYBODY} <= {name for name, _path in ADDRESSES}


def test_every_address_but_a_few_asks_to_sign_in(client: Client) -> None:
    for name, path in ADDRESSES:
        if name not in FOR_EVERYBODY:
            for page in (client.get(path), client.post(path), client.head(path)):
                assert page.status_code == 302, (name, path)
                assert page.headers["Location"].split("?")[0] in (LOGIN, "/admin/login/"), (name, path)


def test_the_others_answer_anybody(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get(LOGIN).status_code == 200
    assert client.get("/admin/login/?next=/admin/").headers["Location"] == "/login/?next=%2Fadmin%2F"
    assert client.post("/theme/", {"theme": "dark", "next": LOGIN}).headers["Location"] == LOGIN
    assert client.post("/language/", {"language": "tr", "next": LOGIN}).headers["Location"] == LOGIN


def test_unknown_address_tells_strangers_nothing(client: Client) -> None:
    assert client.get("/nothing-here/").status_code == 404


def test_admin_is_for_staff_alone(client: Client, user: User) -> None:
    client.force_login(user)

    page = client.get("/admin/", follow=True)

    assert page.redirect_chain == [("/admin/login/?next=/admin/", 302)]
    assert page.status_code == 403
