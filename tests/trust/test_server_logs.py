"""What gunicorn writes as it is run in production: lines like those of the portal, without what was asked for."""

import http.client
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from licensing.logs import JsonLines

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 60
SECRET = "key-of-somebody"


@contextmanager
def gunicorn(port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The server as the unit in docs/operations.md starts it, writing into the file."""
    environment = {
        **os.environ,
        "DEBUG": "false",
        "SECRET_KEY": "only-for-this-test-and-long-enough-to-be-one",
        "ALLOWED_HOSTS": "127.0.0.1",
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "python:licensing.server", "licensing.wsgi"]
    with log.open("wb") as written:
        server = subprocess.Popen(
            [*command, f"--bind=127.0.0.1:{port}"], cwd=ROOT, env=environment, stdout=written, stderr=written
        )
    try:
        yield server
    finally:
        if server.poll() is None:
            server.terminate()
        server.wait(PATIENCE)


def status_of(port: int, address: str) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as browser:
        browser.request("GET", address)
        return browser.getresponse().status


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port: int = taken.getsockname()[1]
        return port


def test_every_line_of_the_server_is_json_and_quotes_no_request(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"

    with gunicorn(port, log) as server:
        end = time.monotonic() + PATIENCE
        answered = 0
        while not answered and time.monotonic() < end:
            with suppress(OSError):
                answered = status_of(port, "/healthz")
            time.sleep(0.1)
        with closing(socket.create_connection(("127.0.0.1", port))) as stranger:
            stranger.sendall(f"GET /licenses/{SECRET}/ {SECRET}\r\n\r\n".encode())
            refused = stranger.recv(1_000)
        server.send_signal(signal.SIGTERM)
        server.wait(PATIENCE)

    assert answered == 200
    assert b"400 Bad Request" in refused
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    said = [line["message"] for line in lines if line["logger"] == "gunicorn.error"]
    assert any(message.startswith("Starting gunicorn") for message in said)
    assert any(message.startswith("Booting worker") for message in said)
    assert said.count("Invalid request") == 1
    assert [line["route"] for line in lines if line["message"] == "answered"][:1] == ["healthz"]
    assert SECRET not in log.read_text()


def line_of(message: str, *facts: Any, level: int = logging.ERROR) -> str:
    record = logging.LogRecord("gunicorn.error", level, "", 0, message, facts, None)
    told: str = json.loads(JsonLines().format(record))["message"]
    return told


def test_error_of_the_server_tells_processes_and_signals_but_no_address() -> None:
    assert line_of("WORKER TIMEOUT (pid:%s)", 17) == "WORKER TIMEOUT (pid:17)"
    assert line_of("Worker (pid:%s) was sent %s!", 17, "SIGKILL") == "Worker (pid:17) was sent SIGKILL!"
    assert line_of("Error handling request %s %s", "GET", f"/x/{SECRET}") == "Error handling request … …"
    assert line_of("Listening at: %s", "http://127.0.0.1", level=logging.INFO) == "Listening at: http://127.0.0.1"
