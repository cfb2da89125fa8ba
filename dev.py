#!/usr/bin/env python3
"""The commands of everyday work, for any machine with some Python of 3.12 to 3.14 on it.

    python3 dev.py run [--host H] [--port P]          the site with demo data
    python3 dev.py test [--postgres] [pytest args]    the tests, on SQLite or PostgreSQL
    python3 dev.py faults                             what kills servers or takes long, on both databases
    python3 dev.py check                              linters, types, imports, migrations, settings
    python3 dev.py css                                rebuild the stylesheet (needs Node)
    python3 dev.py messages                           bring the translations up to date with the sources

This file itself needs Python 3.8 or later and the standard library. It looks for a Python that
suits the site and makes the environment in `.venv` from `uv.lock`.
"""

from __future__ import annotations

import argparse
import contextlib
import glob
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, Iterator, Mapping, NoReturn, Sequence

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
TOOLS = ROOT / ".tools"

PYTHON_MINORS = (13, 12, 14)  # in the order of preference
OLDEST_POSTGRESQL = 15
FAULTS_LAST_AT_MOST = 15 * 60  # seconds, on both databases together

DEMO_LOGINS = """
  buyer@example.com    buys for Bosphorus Displays
  viewer@example.com   looks, but holds no grant
  other@example.com    another reseller, Anadolu Screens
  admin@example.com    the operator, at /admin/

  Password: demo
"""


class Stop(Exception):
    """A sentence that tells why the command cannot go on, and what to do."""


def main(arguments: Sequence[str]) -> int:
    stop_on_signals()
    try:
        # argparse would take some of pytest's arguments for its own.
        if arguments and arguments[0] == "test":
            return test(arguments[1:])
        return _parse_and_run(arguments)
    except Stop as stop:
        print("\n{}".format(stop), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parse_and_run(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", metavar="run | test | faults | check | css | messages")
    run_parser = commands.add_parser("run", help="start the site with demo data")
    run_parser.add_argument("--host", default="127.0.0.1")
    run_parser.add_argument("--port", type=int, default=8000)
    commands.add_parser("faults", help="kill servers, cut connections and race processes, and look what is left")
    commands.add_parser("check", help="run every check but the tests")
    commands.add_parser("css", help="rebuild the stylesheet")
    commands.add_parser("messages", help="bring the translations up to date with the sources")
    options = parser.parse_args(arguments)
    if options.command == "run":
        return run(host=options.host, port=options.port)
    if options.command == "faults":
        return faults()
    if options.command == "check":
        return check()
    if options.command == "css":
        return css()
    if options.command == "messages":
        return messages()
    parser.print_help()
    return 2


# The commands


def run(*, host: str, port: int) -> int:
    """Serve the site with demo data until stopped."""
    refuse_taken_port(host, port)
    make_environment()
    env = command_environment()
    manage = [str(BIN / "python"), "manage.py"]
    for command in (["migrate", "--verbosity", "0"], ["seed_demo"]):
        status = call([*manage, *command], env=env)
        if status != 0:
            raise Stop("'manage.py {}' failed, so the site was not started; see above.".format(command[0]))
    shown_host = "[{}]".format(host) if ":" in host else host
    print("\nThe portal: http://{}:{}/\n{}".format(shown_host, port, DEMO_LOGINS), flush=True)
    return call([*manage, "runserver", "{}:{}".format(shown_host, port)], env=env)


def test(arguments: Sequence[str]) -> int:
    """Run pytest with the arguments, on a database that is made for it and removed."""
    pytest_arguments = [argument for argument in arguments if argument != "--postgres"]
    make_environment()
    with contextlib.ExitStack() as cleanup:
        if "--postgres" not in arguments:
            database_url = cleanup.enter_context(temporary_sqlite())
        elif re.match("(postgres|postgresql|pgsql|psql)://", os.environ.get("DATABASE_URL", "")):
            database_url = os.environ["DATABASE_URL"]
        else:
            database_url = cleanup.enter_context(throwaway_postgresql())
        env = command_environment(
            DEBUG="true",
            SECRET_KEY="",
            ALLOWED_HOSTS="",
            DATABASE_URL=database_url,
            DATABASE_STATEMENT_TIMEOUT="120",  # tables are full of rows that tests rolled back, and the machine is busy
        )
        return call([str(BIN / "pytest"), *in_parallel(pytest_arguments)], env=env)


def faults() -> int:
    """Run the tests of faults on SQLite and on PostgreSQL, within a quarter of an hour."""
    make_environment()
    end = time.monotonic() + FAULTS_LAST_AT_MOST
    status = 0
    for database in (temporary_sqlite, throwaway_postgresql):
        with database() as database_url:
            env = command_environment(DEBUG="true", SECRET_KEY="", ALLOWED_HOSTS="", DATABASE_URL=database_url)
            command = [str(BIN / "pytest"), "tests/faults", "-m", "faults", "--durations=5"]
            try:
                status = call(command, env=env, at_most=end - time.monotonic()) or status
            except subprocess.TimeoutExpired:
                raise Stop("The faults were broken off after {} minutes.".format(FAULTS_LAST_AT_MOST // 60)) from None
    return status


def check() -> int:
    """Run every check, whatever the ones before it say, and sum up."""
    make_environment()
    env = command_environment(
        DEBUG="false",
        SECRET_KEY=secrets.token_urlsafe(50),
        ALLOWED_HOSTS="portal.example.com",
        DATABASE_URL=os.environ.get("DATABASE_URL", ""),
    )
    python = str(BIN / "python")
    checks = {
        "lint": [str(BIN / "ruff"), "check"],
        "format": [str(BIN / "ruff"), "format", "--check"],
        "types": [str(BIN / "mypy")],
        "imports": [str(BIN / "lint-imports"), "--no-logo"],
        "templates": [str(BIN / "djlint"), "templates", "--lint", "--quiet"],
        "migrations": [python, "manage.py", "makemigrations", "--check", "--dry-run"],
        "production settings": [python, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
    }
    failed = []
    for name, command in checks.items():
        print("\n== {}".format(name), flush=True)
        if call(command, env=env) != 0:
            failed.append(name)
    print("\n== upgrades", flush=True)
    if check_upgrades(python, env) != 0:
        failed.append("upgrades")
    print("\n{} checks, {}".format(len(checks) + 1, "failed: " + ", ".join(failed) if failed else "all passed"))
    return 1 if failed else 0


def check_upgrades(python: str, env: Mapping[str, str]) -> int:
    """Look for migrations that do not go with the version before; only PostgreSQL's matter, and only it shows them."""
    with contextlib.ExitStack() as cleanup:
        try:
            database_url = cleanup.enter_context(throwaway_postgresql())
        except Stop as stop:
            print("Not looked at: {}".format(stop))
            return 1 if "CI" in os.environ else 0
        return call([python, "-m", "tests.upgrades"], env={**env, "DATABASE_URL": database_url, "LOG_LEVEL": "ERROR"})


def css() -> int:
    """Build the stylesheet from its vocabulary in static/src."""
    npm = shutil.which("npm")
    if npm is None:
        raise Stop("The stylesheet is built with Node, and 'npm' is not on the PATH. Install Node 20 or later.")
    for command in ([npm, "ci"], [npm, "run", "build"]):
        status = call(command, env=dict(os.environ), folder=ROOT / "static" / "src")
        if status != 0:
            return status
    return 0


def messages() -> int:
    """Update and compile the catalogs in locale, and name what still lacks a translation."""
    make_environment()
    return call([str(BIN / "python"), "-m", "text.messages"], env=command_environment())


# The environment of Python


def make_environment() -> None:
    """Make .venv hold exactly what uv.lock says, and make sure that there is a .env."""
    python = find_python(python_candidates())
    env = command_environment(UV_PYTHON=python, UV_PROJECT_ENVIRONMENT=str(VENV))
    # Company networks sign with a certificate of their own, which the machine trusts and uv's own list does not know.
    env.setdefault("UV_SYSTEM_CERTS", "true")
    if call([find_uv(python), "sync", "--frozen", "--python", python], env=env) != 0:
        raise Stop("The locked packages could not be installed; see above. Is the network there?")
    settings = ROOT / ".env"
    if not settings.exists():
        shutil.copyfile(str(ROOT / ".env.example"), str(settings))
        print("Made .env from .env.example: the settings of this machine, in development mode.", flush=True)


def python_candidates() -> Iterator[str]:
    """Commands that may be a suitable Python, best first. Any of them may be missing or fail."""
    yield os.environ.get("UV_PYTHON", "")
    yield sys.executable
    names = [*("python3.{}".format(minor) for minor in PYTHON_MINORS), "python3", "python"]
    for name in names:
        for folder in os.get_exec_path():
            yield os.path.join(folder, name)
    places = (
        "~/.pyenv/versions/3.{}*/bin/python3",
        "~/.local/share/uv/python/cpython-3.{}*/bin/python3",
        "~/.asdf/installs/python/3.{}*/bin/python3",
        "/opt/homebrew/opt/python@3.{}/bin/python3.*[0-9]",
        "/usr/local/opt/python@3.{}/bin/python3.*[0-9]",
        "/Library/Frameworks/Python.framework/Versions/3.{}/bin/python3",
    )
    for minor in PYTHON_MINORS:
        for place in places:
            yield from sorted(glob.glob(os.path.expanduser(place.format(minor))), reverse=True)


def find_python(candidates: Iterator[str]) -> str:
    """The first candidate that runs and says that it suits. A shim may exist and fail."""
    question = "import sys; print(sys.implementation.name, sys.version_info[:2])"
    suitable = {"cpython (3, {})".format(minor) for minor in PYTHON_MINORS}
    for candidate in candidates:
        if candidate and answer_of([candidate, "-c", question]) in suitable:
            return candidate
    raise Stop(
        "No Python 3.12, 3.13 or 3.14 was found. Install one (https://www.python.org/downloads/, "
        "'apt install python3.13', 'brew install python@3.13' or 'pyenv install 3.13'), "
        "or name one: UV_PYTHON=/path/to/python3.13 python3 dev.py …"
    )


def find_uv(python: str) -> str:
    """A uv that works: the one on the PATH, else one installed for this checkout alone."""
    private = str(TOOLS / "bin" / "uv")
    for candidate in ("uv", private):
        if answer_of([candidate, "--version"]):
            return candidate
    print("Installing uv into .tools …", flush=True)
    for installer in (python, sys.executable):
        command = [installer, "-m", "pip", "install", "--quiet", "--upgrade", "--target", str(TOOLS), "uv"]
        if call(command, env=command_environment()) == 0 and answer_of([private, "--version"]):
            return private
    raise Stop(
        "uv, which installs the packages, is not here and pip could not install it. "
        "Is the network there? Else install uv yourself: https://docs.astral.sh/uv/"
    )


def in_parallel(pytest_arguments: Sequence[str]) -> list[str]:
    """The arguments with one worker per processor, unless they choose themselves or name a single file."""
    own_choice = re.compile(r"-n|--numprocesses|--pdb|--trace$|-p$|-h$|--help|--version")
    if any(own_choice.match(argument) for argument in pytest_arguments):
        return list(pytest_arguments)
    if any((ROOT / argument.split("::")[0]).is_file() for argument in pytest_arguments):
        return list(pytest_arguments)
    # More workers would ask PostgreSQL for more connections than it has: some tests race 16 threads.
    return ["-n", "auto", "--maxprocesses", "8", *pytest_arguments]


def refuse_taken_port(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as server:
            # As runserver does: a port that was in use a moment ago is free.
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(address)
    except (OSError, OverflowError) as error:
        raise Stop(
            "The site cannot be served at {}:{} ({}). Choose another port, for example: "
            "python3 dev.py run --port 8001".format(host, port, getattr(error, "strerror", None) or error)
        ) from None


# Databases for one run of the tests


@contextlib.contextmanager
def temporary_sqlite() -> Iterator[str]:
    """Give the URL of a SQLite file in a temporary folder, and remove both."""
    with tempfile.TemporaryDirectory(prefix="portal-test-") as folder:
        yield "sqlite:///{}/portal.sqlite3".format(folder)


@contextlib.contextmanager
def throwaway_postgresql() -> Iterator[str]:
    """Start a private server on a socket in a temporary folder, give its URL, and leave no trace of it."""
    binaries = find_postgresql()
    folder = Path(tempfile.mkdtemp(prefix="portal-postgresql-"))
    data = folder / "data"
    drop_privileges = lesser_user(folder)

    def server_command(name: str, *arguments: str) -> None:
        answer = subprocess.run(
            [str(binaries / name), "--pgdata", str(data), *arguments],
            cwd=str(folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=drop_privileges,
        )
        if answer.returncode != 0:
            log = folder / "log"
            said = answer.stdout.decode(errors="replace") + (log.read_text() if log.exists() else "")
            raise Stop("PostgreSQL could not be started:\n{}".format(said.strip()))

    try:
        locale = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
        server_command(
            "initdb", "--username=portal", "--auth=trust", "--encoding=UTF8", "--locale=" + locale, "--no-sync"
        )
        with (data / "postgresql.conf").open("a") as configuration:
            configuration.write(
                "listen_addresses = ''\n"
                "unix_socket_directories = '{}'\n"
                "max_connections = 200\n"
                "fsync = off\n"
                "synchronous_commit = off\n"
                "full_page_writes = off\n".format(folder)
            )
        server_command("pg_ctl", "--wait", "--log", str(folder / "log"), "start")
        yield "postgres://portal@/postgres?host={}".format(folder)
    finally:
        # An impatient second Ctrl-C must not leave a server behind.
        for impatient in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(impatient, signal.SIG_IGN)
        with contextlib.suppress(Stop):
            server_command("pg_ctl", "--wait", "--mode=immediate", "stop")
        shutil.rmtree(str(folder), ignore_errors=True)


def find_postgresql() -> Path:
    """The folder with the newest server binaries."""
    folders = [Path(folder) for folder in os.get_exec_path()]
    for place in (
        "/usr/lib/postgresql/*/bin",
        "/usr/pgsql-*/bin",
        "/opt/homebrew/opt/postgresql*/bin",
        "/usr/local/opt/postgresql*/bin",
        "/Applications/Postgres.app/Contents/Versions/*/bin",
    ):
        folders += [Path(folder) for folder in glob.glob(place)]
    found = []
    for folder in folders:
        version = re.search(r"\(PostgreSQL\) (\d+)", answer_of([str(folder / "postgres"), "--version"]))
        complete = all((folder / name).exists() for name in ("initdb", "pg_ctl"))
        if version and complete and int(version.group(1)) >= OLDEST_POSTGRESQL:
            found.append((int(version.group(1)), folder))
    if not found:
        raise Stop(
            "No server binaries of PostgreSQL {} or later were found. Install them ('apt install postgresql', "
            "'brew install postgresql@17'), or name a server: "
            "DATABASE_URL=postgres://user:password@host:5432/name python3 dev.py test --postgres".format(
                OLDEST_POSTGRESQL
            )
        )
    return max(found)[1]


def lesser_user(folder: Path) -> Callable[[], None] | None:
    """Give the folder to a user that PostgreSQL agrees to run as, and say how to become it: it refuses root."""
    if os.geteuid() != 0:
        return None
    import pwd  # noqa: PLC0415  # not on Windows

    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            break
    else:
        raise Stop("PostgreSQL refuses to run as root, and there is no user 'postgres' or 'nobody' to run it as.")
    os.chown(str(folder), user.pw_uid, user.pw_gid)

    def become() -> None:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)

    return become


# Other programs


def stop_on_signals() -> None:
    """Let a request to end unwind what was begun, as Ctrl-C does."""

    def stop(number: int, frame: object) -> NoReturn:
        sys.exit(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # not on Windows
            signal.signal(getattr(signal, name), stop)


def command_environment(**changes: str) -> dict[str, str]:
    """Our environment for a program of ours, without what would lead it into another project's."""
    env = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONHOME")}
    return {**env, "DJANGO_SETTINGS_MODULE": "licensing.settings", **changes}


def answer_of(command: Sequence[str]) -> str:
    """What a command prints, or nothing if it is missing, fails or hangs."""
    try:
        answer = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.decode(errors="replace").strip() if answer.returncode == 0 else ""


def call(command: Sequence[str], *, env: Mapping[str, str], folder: Path = ROOT, at_most: float | None = None) -> int:
    """Run a command to its end and give its status. If we are stopped, it is stopped first.

    Raises TimeoutExpired if it takes more than so many seconds.
    """
    process = subprocess.Popen(command, cwd=str(folder), env=env)
    try:
        return process.wait(timeout=at_most)
    except subprocess.TimeoutExpired:
        # As Ctrl-C would: let it tidy up what it started.
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=60)
        raise
    except KeyboardInterrupt:
        # Ctrl-C reached the command too: let it tidy up.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        raise
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
