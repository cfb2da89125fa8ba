"""Acts that happen at the same time, each in a thread and on a connection of its own."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from threading import Barrier, Event
from typing import Self

from django.db import connection

PATIENCE = 20
"""How many seconds a test waits for what must happen."""


def all_at_once[Result](acts: Sequence[Callable[[], Result]], *, are_hurried: bool = False) -> list[Result | Exception]:
    """What each of the acts gives or raises. All begin when the last is ready.

    Who is not hurried waits for SQLite as long as it takes; who is hurried waits as people at the portal do.
    """
    ready = Barrier(len(acts))

    def perform(act: Callable[[], Result]) -> Result | Exception:
        with closing(connection):
            if not are_hurried:
                wait_for_sqlite_as_long_as_it_takes()
            connection.ensure_connection()
            ready.wait(timeout=PATIENCE)
            try:
                return act()
            except Exception as error:  # noqa: BLE001  # it is the act's outcome
                return error

    with ThreadPoolExecutor(max_workers=len(acts)) as threads:
        return list(threads.map(perform, acts))


@contextmanager
def meanwhile[Result](act: Callable[[], Result]) -> Iterator[Future[Result]]:
    """Let the act go on while something else is done here; both are over at the end."""

    def perform() -> Result:
        with closing(connection):
            wait_for_sqlite_as_long_as_it_takes()
            return act()

    with ThreadPoolExecutor(max_workers=1) as others:
        yield others.submit(perform)


@dataclass
class Pause:
    """A point that somebody reaches and only leaves when told to, or when the test is over."""

    is_reached: Event = field(default_factory=Event)
    may_go_on: Event = field(default_factory=Event)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.may_go_on.set()

    def reach(self) -> None:
        self.is_reached.set()
        assert self.may_go_on.wait(timeout=PATIENCE)


def wait_for_locks_as_long_as_it_takes() -> None:
    """On a slow machine many people may wait for longer than a person at the portal would."""
    wait_for_locks(PATIENCE)


def wait_for_sqlite_as_long_as_it_takes() -> None:
    """The same, where all who write wait for each other, and not only who writes the same."""
    if connection.vendor == "sqlite":
        wait_for_locks(PATIENCE)


def wait_for_locks(seconds: float) -> None:
    """From now on, wait for so long for a lock."""
    unit = "PRAGMA busy_timeout =" if connection.vendor == "sqlite" else "SET lock_timeout ="
    with connection.cursor() as cursor:
        cursor.execute(f"{unit} {int(seconds * 1000)}")
