"""What runs on the machine."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def children_of(leader: int) -> Iterator[int]:
    """The keys of the processes that the process started."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = status.read_text().rpartition(")")[2].split()
            if int(fields[1]) == leader:
                yield int(status.parent.name)


def is_running(process: int) -> bool:
    """Whether the process still does anything; one that was killed may stay listed."""
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
