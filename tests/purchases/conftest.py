"""The day on which tests of pages take place."""

from collections.abc import Iterator

import pytest
import time_machine

from tests.purchases.wizard import NOON


@pytest.fixture
def noon() -> Iterator[None]:
    """Noon of the day on which orders are bought in tests."""
    with time_machine.travel(NOON, tick=False):
        yield
