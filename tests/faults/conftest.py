"""What every fault ends with: whatever happened, all that was sold agrees with itself."""

from collections.abc import Iterator

import pytest

from purchases.services.integrity import disagreements
from tests.faults.clusters import Cluster, own_cluster, pointed_at
from tests.purchases.conftest import noon

__all__ = ["noon"]


@pytest.fixture(autouse=True)
def integrity(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[None]:
    """Fail at the end of a test if anything disagrees. A control says that it shall."""
    yield
    differences = list(disagreements())
    if request.node.get_closest_marker("control"):
        assert differences
    else:
        assert differences == []


@pytest.fixture
def cluster(transactional_db: None) -> Iterator[Cluster]:
    """A PostgreSQL of the test's own, which it may kill, with the tables of the portal; Django talks to it."""
    with own_cluster() as own, pointed_at(own):
        yield own
