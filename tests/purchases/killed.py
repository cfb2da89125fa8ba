"""A form sent by a process that is killed (kill -9) while it is answered."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import django
import time_machine
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import setup_test_environment

from tests.purchases.at_once import PATIENCE
from tests.purchases.wizard import NOON

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["licensing.wsgi", "licensing.urls", __name__])


@dataclass(frozen=True)
class Form:
    """What the browser of somebody who has signed in sends to an address, at noon of the day of all orders."""

    address: str
    session: str
    fields: dict[str, str] = field(default_factory=dict)


def form_of(client: Client, address: str, fields: dict[str, str] | None = None) -> Form:
    """The form as the client would send it."""
    return Form(address, client.cookies[settings.SESSION_COOKIE_NAME].value, fields or {})


def dies_while_it_answers(form: Form, *, after: int) -> bool:
    """Send the form from a process that is killed after so many statements. Whether it was: it may need fewer."""
    process = _processes.Process(target=_answer, args=(form, after, connection.settings_dict["NAME"]))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode in {0, -signal.SIGKILL}, process.exitcode
    return process.exitcode == -signal.SIGKILL


def _answer(form: Form, after: int, database: str) -> None:
    django.setup()
    setup_test_environment()
    connection.settings_dict["NAME"] = database
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = form.session
    with closing(connection), connection.execute_wrapper(Killer(after)), time_machine.travel(NOON, tick=False):
        assert client.post(form.address, form.fields).status_code == 303


@dataclass
class Killer:
    """Kills its own process after so many statements."""

    after: int
    done: int = 0

    def __call__(self, execute: Callable[..., Any], sql: str, values: Any, many: bool, context: Any) -> Any:
        result = execute(sql, values, many, context)
        self.done += 1
        if self.done == self.after:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
