"""What the tests of the audit log share with those of the desk and of purchases."""

from collections.abc import Iterator

import pytest

from audit import refusals
from tests.admin.conftest import several_lines
from tests.purchases.conftest import noon

__all__ = ["noon", "several_lines"]


@pytest.fixture
def nothing_is_owed() -> Iterator[None]:
    """Leave nothing to write that a test before could not, or this one."""
    refusals._owed.clear()
    yield
    refusals._owed.clear()
