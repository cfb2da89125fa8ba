"""What every test may rely on: a browser, quick passwords, and a watch over queries in views."""

import os
import shutil
from typing import Any

import hypothesis
import pytest
import zeal.constants
import zeal.patch
from django.core.cache import cache
from django.db import connection
from django.utils import translation
from pytest_django import Settings

# Playwright's own event loop makes Django believe that every later test of the process is asynchronous.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

IN_CI = os.environ.get("CI", "").lower() in ("true", "1")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


# A busy machine is no defect: no example has to be quick.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


def pytest_configure() -> None:
    # What its app does when it is installed; the site itself runs without it.
    zeal.constants.initialize_app_registry()
    zeal.patch.patch()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    on_postgresql = connection.vendor == "postgresql"
    for item in items:
        if "browser_type_launch_args" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
        if item.get_closest_marker("postgresql_only") and not on_postgresql:
            item.add_marker(pytest.mark.skip(reason="shows what only PostgreSQL does: run with --postgres"))


@pytest.fixture(autouse=True)
def no_language_of_a_test_before() -> None:
    """Begin in the language of the settings: the test client leaves that of its last request."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """Hash passwords the quick way; those hashed the slow way are still read."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]


@pytest.fixture(autouse=True)
def no_query_per_row(settings: Settings) -> None:
    """Fail a request of Django's test client that asks the database for one row after the other."""
    settings.MIDDLEWARE = ["zeal.middleware.zeal_middleware", *settings.MIDDLEWARE]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Use the machine's Chromium. Where there is none, browser tests are skipped, but fail in CI."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        missing = f"This test needs a browser; none of these is on the PATH: {', '.join(BROWSERS)}."
        if IN_CI:
            pytest.fail(missing)
        pytest.skip(missing)
    return {**browser_type_launch_args, "executable_path": executable, "args": list(BROWSER_ARGUMENTS)}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any], request: pytest.FixtureRequest) -> dict[str, Any]:
    """Let a page open addresses of the site by their path: `page.goto("/login/")`."""
    return {**browser_context_args, "base_url": request.getfixturevalue("live_server").url}


@pytest.fixture(autouse=True)
def no_tries_of_a_test_before(request: pytest.FixtureRequest) -> None:
    """Forget whose sign-ins were counted: a test that commits leaves them, and flushing spares tables without model."""
    if "transactional_db" in request.fixturenames:
        request.getfixturevalue("transactional_db")
        cache.clear()
