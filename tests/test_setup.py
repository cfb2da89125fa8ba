"""The commands, the settings and the files that hold the project together."""

import ast
import os
import re
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import dev

ROOT = Path(dev.__file__).parent


def program(path: Path, script: str) -> str:
    """An executable shell script."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def django(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py with exactly these settings, whatever the .env file of the checkout says."""
    return python("manage.py", *arguments, **environment)


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run something else with them."""
    settings = {"DEBUG": "", "SECRET_KEY": "", "ALLOWED_HOSTS": "", "DATABASE_URL": "", **environment}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **settings},
        capture_output=True,
        text=True,
        check=False,
    )


def tracked_texts() -> Iterator[tuple[str, str]]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    for name in filter(None, listing.stdout.split("\0")):
        content = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        if b"\0" not in content:
            yield name, content.decode()


def test_find_python_takes_the_first_candidate_that_runs_and_suits(tmp_path: Path) -> None:
    failing_shim = program(tmp_path / "shim", "echo 'command not found' >&2; exit 127")
    silent = program(tmp_path / "silent", "exit 0")
    too_old = program(tmp_path / "old", "echo 'cpython (3, 11)'")
    too_new = program(tmp_path / "new", "echo 'cpython (3, 15)'")
    other_kind = program(tmp_path / "pypy", "echo 'pypy (3, 12)'")
    missing = str(tmp_path / "missing")

    found = dev.find_python(iter(["", missing, failing_shim, silent, too_old, too_new, other_kind, sys.executable]))

    assert found == sys.executable


def test_find_python_prefers_the_earlier_of_two_that_suit(tmp_path: Path) -> None:
    first = program(tmp_path / "first", "echo 'cpython (3, 12)'")
    second = program(tmp_path / "second", "echo 'cpython (3, 13)'")

    assert dev.find_python(iter([first, second])) == first


def test_find_python_names_the_remedies_when_nothing_suits(tmp_path: Path) -> None:
    shim = program(tmp_path / "shim", "exit 127")

    with pytest.raises(dev.Stop) as stopped:
        dev.find_python(iter([shim]))

    assert "UV_PYTHON" in str(stopped.value)
    assert "https://www.python.org/downloads/" in str(stopped.value)


def test_python_candidates_begin_with_the_chosen_one_and_pass_by_shims(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shims = tmp_path / "shims"
    shims.mkdir()
    program(shims / "python3.13", "exit 127")
    versions = tmp_path / ".pyenv" / "versions"
    for version in ("3.11.7", "3.12.1", "3.13.0"):
        (versions / version / "bin").mkdir(parents=True)
        program(versions / version / "bin" / "python3", "exit 0")
    monkeypatch.setenv("UV_PYTHON", "/chosen/python")
    monkeypatch.setenv("PATH", f"{shims}{os.pathsep}/usr/bin")
    monkeypatch.setenv("HOME", str(tmp_path))

    candidates = list(dev.python_candidates())

    assert candidates[:4] == ["/chosen/python", sys.executable, str(shims / "python3.13"), "/usr/bin/python3.13"]
    assert [candidate for candidate in candidates if candidate.startswith(str(versions))] == [
        str(versions / "3.13.0/bin/python3"),
        str(versions / "3.12.1/bin/python3"),
    ]


def test_find_postgresql_takes_the_newest_complete_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("14.9", "97.1", "98.3", "99.0"):
        (tmp_path / version).mkdir()
        program(tmp_path / version / "postgres", f"echo 'postgres (PostgreSQL) {version}'")
        program(tmp_path / version / "initdb", "exit 0")
        program(tmp_path / version / "pg_ctl", "exit 0")
    (tmp_path / "99.0" / "pg_ctl").unlink()
    monkeypatch.setenv("PATH", os.pathsep.join(str(folder) for folder in tmp_path.iterdir()))

    assert dev.find_postgresql() == tmp_path / "98.3"


def test_throwaway_postgresql_is_gone_after_its_run_was_ended() -> None:
    try:
        dev.find_postgresql()
    except dev.Stop as stop:
        if "CI" in os.environ:
            raise
        pytest.skip(str(stop))
    script = """
import time, dev
dev.stop_on_signals()
with dev.throwaway_postgresql() as url:
    print(url, flush=True)
    time.sleep(60)
"""

    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip().partition("host=")[2])
        server = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        process.send_signal(signal.SIGTERM)
        status = process.wait(timeout=30)

    assert status == 128 + signal.SIGTERM
    assert not folder.exists()
    # Where nobody collects ended processes, it stays listed, as a zombie.
    assert dev.answer_of(["ps", "-o", "stat=", "-p", str(server)])[:1] in ("", "Z")


@pytest.mark.parametrize(
    "arguments",
    [["tests/test_setup.py", "-k", "python"], ["tests/test_setup.py::test_x"], ["-n", "4"], ["-n0"], ["--pdb"]],
)
def test_pytest_arguments_that_choose_for_themselves_stay_as_they_are(arguments: list[str]) -> None:
    assert dev.in_parallel(arguments) == arguments


@pytest.mark.parametrize("arguments", [[], ["-k", "buy and not stock"], ["tests", "-x"], ["-m", "not browser"]])
def test_other_pytest_arguments_run_in_parallel(arguments: list[str]) -> None:
    assert dev.in_parallel(arguments) == ["-n", "auto", "--maxprocesses", "8", *arguments]


def test_dev_refuses_a_taken_port_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(dev.Stop, match=f"127.0.0.1:{port}.*--port"):
            dev.refuse_taken_port("127.0.0.1", port)


def test_dev_says_what_is_missing_without_a_traceback(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, ROOT / "dev.py", "css"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 1
    assert "Install Node" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_dev_is_readable_for_python_3_8() -> None:
    ast.parse((ROOT / "dev.py").read_text(), feature_version=(3, 8))


def test_the_lock_names_only_the_public_index() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())

    sources = [package["source"] for package in lock["package"]]
    files = [file for package in lock["package"] for file in [*package.get("wheels", []), package.get("sdist")] if file]

    assert [
        source for source in sources if source not in ({"registry": "https://pypi.org/simple"}, {"virtual": "."})
    ] == []
    addresses = [urlsplit(file["url"]) for file in files]
    assert {address.scheme for address in addresses} == {"https"}
    assert len({address.netloc for address in addresses}) == 1
    # The public index keeps each file under the BLAKE2 digest of its content; mirrors under paths of their own.
    assert [
        a.path for a in addresses if not re.fullmatch(r"/packages/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}/[^/]+", a.path)
    ] == []


def test_one_place_says_which_python_suits() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["requires-python"] == ">=3.12,<3.15"
    assert sorted(dev.PYTHON_MINORS) == [12, 13, 14]
    assert not (ROOT / ".python-version").exists()


def test_settings_refuse_production_without_a_secret_key() -> None:
    answer = django("check", ALLOWED_HOSTS="portal.example.com")

    assert answer.returncode != 0
    assert "Set SECRET_KEY" in answer.stderr


def test_settings_refuse_production_without_allowed_hosts() -> None:
    answer = django("check", SECRET_KEY="x" * 50)

    assert answer.returncode != 0
    assert "Set ALLOWED_HOSTS" in answer.stderr


def test_settings_accept_production_with_both() -> None:
    answer = django("check", SECRET_KEY="x" * 50, ALLOWED_HOSTS="portal.example.com")

    assert answer.returncode == 0, answer.stderr


OPTIONS = "from django.conf import settings; print(settings.DATABASES['default']['OPTIONS'])"
POSTGRESQL = "postgres://portal@db.example.com/portal"


def options_of_a_request(**variables: str) -> str:
    """What the database is told by a process that serves."""
    return python("-c", f"import licensing.wsgi; {OPTIONS}", DEBUG="true", **variables).stdout


def options_of_a_command(**variables: str) -> str:
    return django("shell", "--no-imports", "-c", OPTIONS, DEBUG="true", **variables).stdout


def test_requests_are_hurried_and_commands_may_take_their_time() -> None:
    assert "-c lock_timeout=3s -c statement_timeout=15s" in options_of_a_request(DATABASE_URL=POSTGRESQL)
    assert "-c lock_timeout=3s -c statement_timeout=0s" in options_of_a_command(DATABASE_URL=POSTGRESQL)
    assert "'timeout': 3," in options_of_a_request(DATABASE_URL="")
    assert "'timeout': 20," in options_of_a_command(DATABASE_URL="")


def test_time_for_a_statement_is_what_the_environment_says() -> None:
    said = {"DATABASE_URL": POSTGRESQL, "DATABASE_STATEMENT_TIMEOUT": "60"}

    assert "statement_timeout=60s" in options_of_a_request(**said)
    assert "statement_timeout=60s" in options_of_a_command(**said)


def test_example_environment_names_every_variable_of_the_settings() -> None:
    read = set(re.findall(r'env(?:\.\w+)?\(\s*"(\w+)"', (ROOT / "licensing" / "settings.py").read_text()))
    named = set(re.findall(r"^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))

    assert read == named


def test_no_tracked_file_names_a_folder_of_somebodys_machine() -> None:
    somebodys = re.compile(r"/(?:root|work|home|Users)/")

    assert [name for name, text in tracked_texts() if somebodys.search(text)] == []
