"""What every browser test has: the site, and a page whose complaints fail the test."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.checks import complaints


@pytest.fixture(autouse=True)
def site(live_server: LiveServer) -> LiveServer:
    """Serve the site; its rows are committed, for the server reads them in another thread."""
    return live_server


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    heard = complaints(page)
    yield page
    assert heard == []
