"""A PostgreSQL that a test starts for itself, and may stop, kill and starve."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from django.core.management import call_command
from django.db import connection

import dev
from purchases.services.integrity import disagreements
from tests.faults.processes import children_of, is_running

CONNECTIONS = 12
"""So many connections the server has; three are kept for its administrator."""


@dataclass
class Cluster:
    """The server in a folder, reached by a socket there."""

    folder: Path
    binaries: Path
    drop_privileges: Callable[[], None] | None

    @property
    def url(self) -> str:
        return f"postgres://portal@/postgres?host={self.folder}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def call(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self.binaries / program), "--pgdata", str(self.data), *arguments],
            cwd=self.folder,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            preexec_fn=self.drop_privileges,  # it only becomes another user
            timeout=60,
        )

    def start(self) -> None:
        """Start, and recover what was killed."""
        self.call("pg_ctl", "--wait", "--log", str(self.folder / "log"), "start")

    def stop(self) -> None:
        self.call("pg_ctl", "--wait", "--mode=immediate", "stop")

    def kill(self) -> None:
        """End all of its processes at once, as a power cut would (kill -9)."""
        locks = [self.data / "postmaster.pid", self.folder / ".s.PGSQL.5432.lock"]
        leader = int(locks[0].read_text().splitlines()[0])
        everybody = [leader, *children_of(leader)]
        for process in everybody:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        while any(is_running(process) for process in everybody):
            time.sleep(0.01)
        # In a container nobody may clear away who was killed; to PostgreSQL it looks alive, as it never would
        # after a power cut.
        for lock in locks:
            lock.unlink()

    def configure(self, **settings: str) -> None:
        """Change settings that take effect at once."""
        with (self.data / "postgresql.conf").open("a") as configuration:
            configuration.writelines(f"{name} = {value}\n" for name, value in settings.items())
        self.call("pg_ctl", "reload")


@contextmanager
def own_cluster(folder: Path | None = None) -> Iterator[Cluster]:
    """Start a server in the folder, or in a temporary one, and leave no trace of it."""
    folder = folder or Path(tempfile.mkdtemp(prefix="portal-faults-"))
    folder.mkdir(exist_ok=True)
    own = Cluster(folder, dev.find_postgresql(), dev.lesser_user(folder))
    try:
        own.call("initdb", "--username=portal", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        with (own.data / "postgresql.conf").open("a") as configuration:
            configuration.write(
                f"listen_addresses = ''\nunix_socket_directories = '{folder}'\nmax_connections = {CONNECTIONS}\n"
                # What a killed server has confirmed must be there; a killed machine is not tried here.
                "fsync = off\nsynchronous_commit = on\nshared_buffers = 16MB\nmax_wal_size = 64MB\n"
            )
        own.start()
        yield own
    finally:
        with suppress(subprocess.CalledProcessError):
            own.stop()
        shutil.rmtree(folder / "data", ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def pointed_at(cluster: Cluster) -> Iterator[None]:
    """Let Django talk to the cluster meanwhile, whose tables are made first, and check it at the end."""
    known = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict |= {"NAME": "postgres", "USER": "portal", "PASSWORD": "", "HOST": str(cluster.folder)}
    try:
        call_command("migrate", verbosity=0)
        yield
        assert list(disagreements()) == []
    finally:
        connection.close()
        connection.settings_dict.update(known)
