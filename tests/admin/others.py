"""What other people do at the same time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from threading import Event

from django.db import connection, transaction

from contracts.models import Contract


@contextmanager
def held_elsewhere(contract: Contract) -> Iterator[None]:
    """Let another connection hold the contract, as a purchase does while it is written."""
    is_held, may_go = Event(), Event()

    def hold() -> None:
        with closing(connection), transaction.atomic():
            Contract.objects.locked(contract.pk)
            is_held.set()
            may_go.wait(timeout=20)

    with ThreadPoolExecutor(max_workers=1) as others:
        purchase = others.submit(hold)
        try:
            assert is_held.wait(timeout=20)
            yield
        finally:
            may_go.set()
            purchase.result()
