"""The portal as it runs in production, gunicorn with several workers, and browsers that talk to it."""

import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.models import User
from tests.faults.processes import children_of

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 60
"""How many seconds a server may take to come up or to stop on a busy machine."""


@dataclass(frozen=True)
class Answer:
    status: int
    location: str
    text: str


@dataclass(frozen=True)
class Visitor:
    """A browser of somebody who has signed in."""

    port: int
    session: str

    def get(self, address: str) -> Answer:
        return self._send("GET", address)

    def post(self, address: str, **fields: str) -> Answer:
        return self._send("POST", address, fields)

    def _send(self, method: str, address: str, fields: dict[str, str] | None = None) -> Answer:
        token = secrets.token_hex(16)
        cookies = {settings.SESSION_COOKIE_NAME: self.session, settings.CSRF_COOKIE_NAME: token}
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        body = None
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode({**fields, "csrfmiddlewaretoken": token})
        server = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            server.request(method, address, body, headers)
            answer = server.getresponse()
            return Answer(answer.status, answer.headers.get("Location", ""), answer.read().decode())
        finally:
            server.close()


@dataclass(frozen=True)
class Server:
    process: subprocess.Popen[bytes]
    port: int

    def visited_by(self, user: User, *, port: int | None = None) -> Visitor:
        """The browser of the user, who has signed in, perhaps by way of another port."""
        client = Client()
        client.force_login(user)
        return Visitor(port or self.port, client.cookies[settings.SESSION_COOKIE_NAME].value)

    def kill_workers(self) -> None:
        """End its workers at once (kill -9), and the server with them."""
        for worker in children_of(self.process.pid):
            os.kill(worker, signal.SIGKILL)
        self.process.terminate()


@contextmanager
def serving(
    *, workers: int = 2, database_url: str | None = None, settings_module: str = "tests.faults.served"
) -> Iterator[Server]:
    """Serve the portal on the database at the address, or on that of the tests."""
    port = free_port()
    environment = {
        **os.environ,
        "DEBUG": "true",
        "DJANGO_SETTINGS_MODULE": settings_module,
        "DATABASE_URL": database_url or _database_url(),
        "LOG_LEVEL": "CRITICAL",
    }
    gunicorn = [sys.executable, "-m", "gunicorn", "licensing.wsgi", "--preload", f"--workers={workers}"]
    command = [*gunicorn, f"--bind=127.0.0.1:{port}", "--timeout=60", "--log-level=error"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        _wait_until_it_answers(process, port)
        yield Server(process, port)
    finally:
        process.terminate()
        try:
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert process.poll() is None, "The server did not come up."
        with suppress(OSError):
            server = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            server.request("GET", "/healthz")
            assert server.getresponse().status == 200
            return
        time.sleep(0.1)
    raise AssertionError("The server did not come up in time.")


def _database_url() -> str:
    """Where the database of the tests is."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))
