"""A PostgreSQL that is killed at any statement of Buy recovers with nothing half-written."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.db import connection

from purchases.models import Fulfilment, License, Purchase
from purchases.services.integrity import disagreements
from tests.faults.clusters import Cluster
from tests.purchases.orders import an_order, stock_for, written
from tests.purchases.wizard import begin

pytestmark = [pytest.mark.faults, pytest.mark.postgresql_only, pytest.mark.usefixtures("noon")]

LEAST = 15


def test_buy_whose_database_is_killed_at_any_statement_buys_nothing_and_its_retry_once(cluster: Cluster) -> None:
    for statements in count(1):
        draft = an_order(quantity=3, fulfilment=Fulfilment.STOCK_THEN_NEW)
        stock_for(draft, 2)
        wizard = begin(draft)
        wizard.client.raise_request_exception = False
        shown = wizard.fingerprint()
        before = written()
        killer = ServerKiller(cluster, after=statements)

        with connection.execute_wrapper(killer):
            answer = wizard.buy(shown)
        connection.close()
        if killer.has_killed:
            cluster.start()
        after = written()
        retry = wizard.buy(shown)

        assert answer.status_code == (503 if killer.has_killed else 303)
        assert (after == before) is killer.has_killed
        purchase = Purchase.objects.get(draft_id=draft.pk)
        assert (retry.status_code, retry.headers["Location"]) == (303, purchase.get_absolute_url())
        assert License.objects.filter(purchase=purchase).count() == 3
        assert list(disagreements()) == []
        if not killer.has_killed:
            break
    assert statements > LEAST


class ServerKiller:
    """Kills the database's server after so many statements."""

    def __init__(self, cluster: Cluster, *, after: int) -> None:
        self.cluster = cluster
        self.after = after
        self.done = 0

    @property
    def has_killed(self) -> bool:
        return self.done >= self.after

    def __call__(self, execute: Callable[..., Any], sql: str, values: Any, many: bool, context: Any) -> Any:
        result = execute(sql, values, many, context)
        self.done += 1
        if self.done == self.after:
            self.cluster.kill()
        return result
