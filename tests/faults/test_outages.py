"""The database of a running portal goes away, is full, takes no more connections, or only reads; and comes back.

Each test serves the portal by gunicorn on a database of its own and never restarts it.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.urls import reverse

from purchases.models import Fulfilment, Purchase
from tests.faults.clusters import CONNECTIONS, Cluster, own_cluster, pointed_at
from tests.faults.servers import Answer, Server, Visitor, serving
from tests.purchases.orders import an_order, nothing_is_written, quote_of, stock_for

pytestmark = [pytest.mark.faults, pytest.mark.postgresql_only]


class Buyer:
    """Somebody with a draft at its preview."""

    def __init__(self, server: Server, *, quantity: int = 3) -> None:
        self.draft = an_order(quantity=quantity, fulfilment=Fulfilment.STOCK_THEN_NEW)
        stock_for(self.draft, 2)
        self.fingerprint = quote_of(self.draft, on=self.draft.reseller.today()).fingerprint
        self.visitor: Visitor = server.visited_by(self.draft.user)
        connection.close()

    def look(self) -> int:
        return self.visitor.get("/licenses/").status

    def buy(self) -> Answer:
        return self.visitor.post(reverse("buy", args=[self.draft.pk]), fingerprint=self.fingerprint)


def says_that_trying_again_is_safe(answer: Answer) -> bool:
    """Whether it is our own page for a database that cannot be used."""
    return answer.status == 503 and "trying again is safe" in answer.text


def test_database_that_is_stopped_and_started_is_found_again(cluster: Cluster) -> None:
    with serving(database_url=cluster.url) as server:
        buyer = Buyer(server)
        before = buyer.look()
        cluster.stop()
        away = [buyer.buy() for _ in range(4)]
        cluster.start()
        after = buyer.look()
        bought = buyer.buy()

    assert (before, after) == (200, 200)
    assert all(map(says_that_trying_again_is_safe, away))
    assert bought.status == 303
    assert Purchase.objects.count() == 1


def test_database_that_takes_no_more_connections_is_found_again(cluster: Cluster) -> None:
    with serving(database_url=cluster.url) as server:
        buyer = Buyer(server)
        with ExitStack() as others:
            for _ in range(CONNECTIONS):
                others.enter_context(psycopg.connect(host=str(cluster.folder), user="portal", dbname="postgres"))
            exhausted = buyer.buy()
        after = buyer.buy()

    assert says_that_trying_again_is_safe(exhausted)
    assert after.status == 303
    assert Purchase.objects.count() == 1


def test_database_that_only_reads_shows_and_does_not_buy_until_it_writes_again(cluster: Cluster) -> None:
    with serving(database_url=cluster.url) as server:
        buyer = Buyer(server)
        cluster.configure(default_transaction_read_only="on")
        shown, refused = buyer.look(), buyer.buy()
        cluster.configure(default_transaction_read_only="off")
        bought = buyer.buy()

    assert shown == 200
    assert says_that_trying_again_is_safe(refused)
    assert bought.status == 303
    assert Purchase.objects.count() == 1


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A file system of that size; where none can be mounted, the test cannot be made."""
    folder = Path(tempfile.mkdtemp(prefix="portal-small-disk-"))
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    try:
        if shutil.which("mount") is None or subprocess.run(mounting, capture_output=True, check=False).returncode != 0:
            pytest.skip("No file system can be mounted here.")
        try:
            yield folder
        finally:
            subprocess.run(["umount", str(folder)], check=True)
    finally:
        folder.rmdir()


@pytest.fixture
def filling_disk(transactional_db: None) -> Iterator[Cluster]:
    """A PostgreSQL on a small file system of its own."""
    with small_disk(320) as disk, own_cluster(disk / "cluster") as own, pointed_at(own):
        yield own


def test_full_disk_is_told_and_nothing_is_half_written_and_room_helps(filling_disk: Cluster) -> None:
    ballast = filling_disk.folder.parent / "ballast"
    with serving(database_url=filling_disk.url) as server:
        buyer = Buyer(server, quantity=10_000)
        with nothing_is_written():
            _fill(ballast)
            full = buyer.buy()
            ballast.unlink()
            _wait_for(filling_disk)
        bought = buyer.buy()

    assert says_that_trying_again_is_safe(full)
    assert bought.status == 303
    assert Purchase.objects.get().quantity == 10_000


def _fill(ballast: Path) -> None:
    with ballast.open("wb") as file:
        try:
            while True:
                file.write(bytes(65_536))
                file.flush()
        except OSError:
            return


def _wait_for(cluster: Cluster) -> None:
    """Start the server again if a full disk ended it: that is what an operator has to do then."""
    connection.close()
    if not (cluster.data / "postmaster.pid").exists():
        cluster.start()
