"""What the answers tell browsers to do and not to do."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from tests.factories import PASSWORD, OperatorFactory, UserFactory

EVERY_ANSWER = {
    "Content-Security-Policy": r"default-src 'none'",
    "Cross-Origin-Opener-Policy": r"^same-origin$",
    "Cross-Origin-Resource-Policy": r"^same-origin$",
    "Permissions-Policy": r"camera=\(\).*geolocation=\(\)",
    "Referrer-Policy": r"^same-origin$",
    "X-Content-Type-Options": r"^nosniff$",
    "X-Frame-Options": r"^DENY$",
    "X-Request-ID": r"^[0-9a-f]{32}$",
}

SIGNED_IN_PAGES = ("/licenses/", "/stock/", "/purchases/", "/accounts/", "/contracts/", "/no-such-page/")


@pytest.fixture
def user(db: None) -> User:
    return UserFactory()


@pytest.mark.parametrize("address", ["/login/", "/", *SIGNED_IN_PAGES, "/healthz", "/theme/"])
def test_every_answer_says_what_browsers_may_not_do(client: Client, user: User, address: str) -> None:
    client.force_login(user)

    answer = client.get(address)

    for name, pattern in EVERY_ANSWER.items():
        assert re.search(pattern, answer.headers.get(name, "")), name


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere(client: Client, user: User) -> None:
    policy = client.get("/login/").headers["Content-Security-Policy"]

    sources = {source for directive in policy.split(";") for source in directive.split()[1:]}

    assert sources == {"'self'", "'none'"}


@pytest.mark.parametrize("address", SIGNED_IN_PAGES)
def test_pages_of_signed_in_people_are_not_stored(client: Client, user: User, address: str) -> None:
    client.force_login(user)

    assert "no-store" in client.get(address).headers["Cache-Control"]


@pytest.mark.parametrize("address", ["/admin/", "/admin/accounts/account/"])
def test_pages_of_the_admin_are_not_stored(client: Client, db: None, address: str) -> None:
    client.force_login(OperatorFactory())

    assert "no-store" in client.get(address).headers["Cache-Control"]


@pytest.mark.parametrize("address", ["/logout/", "/admin/logout/"])
def test_signing_out_lets_the_browser_forget_what_it_was_shown(client: Client, db: None, address: str) -> None:
    client.force_login(OperatorFactory())
    client.cookies[settings.THEME_COOKIE_NAME] = "dark"

    before = client.get("/admin/")
    answer = client.post(address)

    assert "Clear-Site-Data" not in before.headers
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert client.cookies[settings.SESSION_COOKIE_NAME].value == ""
    assert client.cookies[settings.THEME_COOKIE_NAME].value == "dark"


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(client: Client, user: User) -> None:
    client.get("/login/")
    client.post("/theme/", {"theme": "dark"})
    client.post("/language/", {"language": "tr"})
    client.post("/login/", {"username": user.email, "password": PASSWORD})

    assert len(client.cookies) == 4
    for cookie in client.cookies.values():
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert cookie["path"] == "/"
        assert not cookie["domain"]


IN_PRODUCTION = """
import logging
import re
import django
django.setup()
from django.test import Client
from django.core.management import call_command
call_command("migrate", verbosity=0)
from accounts.models import User
User.objects.create_user(email="buyer@example.com", password="correct horse", full_name="B")
client = Client(SERVER_NAME="portal.example.com")
print(client.get("/healthz").status_code, client.get("/login/").status_code)
login = client.get("/login/", secure=True)
[stylesheet] = re.findall(r'rel="stylesheet" href="([^"]+)"', login.text)
client.post("/theme/", {"theme": "dark"}, secure=True)
client.post("/language/", {"language": "tr"}, secure=True)
answer = client.post("/login/", {"username": "buyer@example.com", "password": "correct horse"}, secure=True)
print(answer.headers["Strict-Transport-Security"])
file = client.get(stylesheet, secure=True)
print(file.status_code, file.headers["Cross-Origin-Resource-Policy"], file.headers.get("Access-Control-Allow-Origin"))
logging.getLogger("portal").error("Said")
for name, cookie in sorted(client.cookies.items()):
    print(name, bool(cookie["secure"]), bool(cookie["httponly"]), cookie["path"], cookie["domain"] or "-")
"""


def test_production_is_for_https_alone_and_its_cookies_for_this_host_alone(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "licensing.settings",
        "DEBUG": "false",
        "SECRET_KEY": "x" * 60,
        "ALLOWED_HOSTS": "portal.example.com",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'portal.sqlite3'}",
        "STATIC_ROOT": str(tmp_path / "static"),
        "LOG_LEVEL": "ERROR",
    }
    python = [sys.executable, "-W", "ignore"]
    subprocess.run(
        [*python, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"],
        cwd=settings.BASE_DIR,
        env=environment,
        check=True,
    )

    answer = subprocess.run(
        [*python, "-c", IN_PRODUCTION],
        cwd=settings.BASE_DIR,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )

    assert answer.stdout.splitlines() == [
        "200 301",
        "max-age=31536000; includeSubDomains; preload",
        "200 same-origin None",
        "__Host-csrf True True / -",
        "__Host-language True True / -",
        "__Host-session True True / -",
        "__Host-theme True True / -",
    ]
    assert [(line["logger"], line["message"]) for line in map(json.loads, answer.stderr.splitlines())] == [
        ("portal", "Said")
    ]
