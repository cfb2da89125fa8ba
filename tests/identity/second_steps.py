"""People with a second step, and the codes that their app would show."""

import time
from typing import Any

from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.test import Client

from accounts.models import User
from tests.factories import PASSWORD


def with_app(user: User) -> str:
    """Give the user an authenticator app; its secret."""
    secret: str = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def code_of(secret: str) -> str:
    """What the app shows now."""
    code: str = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    return code


def sign_in(client: Client, user: User, password: str = PASSWORD, **fields: str) -> Any:
    """The answer to e-mail and password."""
    return client.post("/login/", {"username": user.email, "password": password, **fields})


def say_again(client: Client, password: str = PASSWORD) -> None:
    """Enter the password once more, which what follows may ask for."""
    answer = client.post("/security/confirm/", {"password": password})
    assert answer.status_code == 302
