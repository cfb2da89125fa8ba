"""Signing in with more than a password, as a person does in a browser."""

from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from identity.services import invite
from tests.browser.checks import axe_violations, no_horizontal_scroll, sign_in, small_targets, speak
from tests.factories import PASSWORD, ContractGrantFactory, OperatorFactory, UserFactory
from tests.identity.second_steps import code_of, with_app

PASSWORD_OF_ONES_OWN = "three words together"


@pytest.fixture
def user() -> User:
    return ContractGrantFactory().user


@pytest.fixture
def keyring(page: Page) -> Iterator[None]:
    """A device that keeps passkeys, and whose owner always says yes."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    yield
    session.detach()


def confirm(page: Page) -> None:
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()


def sign_out(page: Page) -> None:
    page.goto("/security/")
    page.locator(".user-menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login/")


def test_passkey_is_added_and_signs_in_alone(page: Page, keyring: None, user: User) -> None:
    sign_in(page, user)
    page.goto("/security/")
    page.get_by_role("link", name="Add a passkey").click()
    confirm(page)
    page.get_by_label("Name").fill("Work laptop")
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert Authenticator.objects.get(user=user, type="webauthn").wrap().name == "Work laptop"
    sign_out(page)

    page.goto("/login/?next=/stock/")
    page.get_by_role("link", name="Sign in with a passkey").click()
    page.get_by_role("button", name="Use a passkey").click()

    page.wait_for_url("**/stock/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Stock")


def test_passkey_is_the_second_step_after_a_password(page: Page, keyring: None, user: User) -> None:
    sign_in(page, user)
    page.goto("/security/passkeys/add/")
    confirm(page)
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    sign_out(page)

    sign_in(page, user)
    page.wait_for_url("**/login/code/")
    page.get_by_role("button", name="Use a passkey").click()

    page.wait_for_url("**/licenses/")


def test_app_is_set_up_and_asked_for(page: Page, user: User) -> None:
    sign_in(page, user)
    page.locator(".user-menu summary").click()
    page.get_by_role("link", name="Sign-in and security").click()
    page.get_by_role("link", name="Set up the app").click()
    confirm(page)
    assert axe_violations(page) == []
    assert no_horizontal_scroll(page)
    secret = page.locator("p.font-mono").inner_text()
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert axe_violations(page) == []
    code = page.locator("ul.font-mono li").first.inner_text()
    sign_out(page)

    sign_in(page, user)
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("This code is not right.")
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in").click()

    page.wait_for_url("**/licenses/")


def test_whoever_is_invited_chooses_a_password_and_is_in(page: Page) -> None:
    user = UserFactory(password="!")
    tokens: list[str] = []

    def link_to(token: str) -> str:
        tokens.append(token)
        return token

    invite(user, by=OperatorFactory(), now=timezone.now(), link_to=link_to)
    page.goto(reverse("invitation", args=tokens))
    assert axe_violations(page) == []
    page.get_by_label("New password").fill(PASSWORD_OF_ONES_OWN)
    page.get_by_label("The same password again").fill("another one")
    page.get_by_role("button", name="Save and sign in").click()
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_label("New password").fill(PASSWORD_OF_ONES_OWN)
    page.get_by_label("The same password again").fill(PASSWORD_OF_ONES_OWN)
    page.get_by_role("button", name="Save and sign in").click()

    page.wait_for_url("**/licenses/")


@pytest.mark.parametrize("language", ["en", "tr"])
def test_pages_about_signing_in_are_accessible(page: Page, user: User, language: str) -> None:
    page.goto("/login/")
    speak(page, language)
    for address in ("/login/", "/login/passkey/", "/password/forgotten/", "/password/forgotten/sent/", "/signup/"):
        _check(page, address)
    with_app(user)
    sign_in(page, user)
    _check(page, "/login/code/")
    Authenticator.objects.all().delete()
    page.goto("/login/code/")
    sign_in(page, user)
    for address in ("/security/", "/security/password/", "/security/sessions/", "/security/confirm/"):
        _check(page, address)


def _check(page: Page, address: str) -> None:
    page.goto(address)
    assert page.url.endswith(address)
    assert axe_violations(page) == []
    assert no_horizontal_scroll(page), address
    assert small_targets(page) == []
