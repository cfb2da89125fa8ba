"""Who sits at the operator's desk."""

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from tests.factories import OperatorFactory


@pytest.fixture
def operator(db: None) -> User:
    return OperatorFactory()


@pytest.fixture
def desk(client: Client, operator: User) -> Client:
    """A browser in which a superuser has signed in."""
    client.force_login(operator)
    return client


@pytest.fixture
def several_lines(settings: Settings) -> None:
    """Let a page add several lines at once: Django's forms look up what each new one points to, one by one."""
    settings.ZEAL_ALLOWLIST = [
        {"model": "products.Product", "field": "get()"},
        {"model": "accounts.User", "field": "get()"},
    ]
