"""The log of production: one JSON object a line, with the request's id and without what people wrote.

gunicorn writes its own lines the same way (`licensing.server`), also before Django is set up.
"""

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from http.client import responses
from pathlib import Path

from django.db import Error as DatabaseError

_ROOT = Path(__file__).resolve().parent.parent

current_request_id: ContextVar[str] = ContextVar("current_request_id", default="")
"""The id of the request that is being answered; empty outside of one."""


class JsonLines(logging.Formatter):
    """Writes a record as JSON.

    Left out is what can hold a secret or somebody's text: addresses, since some are keys, and the words of
    exceptions, since databases quote the row that they refuse. Their kind and place are told instead.
    """

    def format(self, record: logging.LogRecord) -> str:
        request = getattr(record, "request", None)
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record) if request is None else _without_address(record),
            "request_id": getattr(request, "request_id", current_request_id.get()),
            **getattr(record, "facts", {}),
        }
        if request is not None:
            line["method"] = getattr(request, "method", None)
            match = getattr(request, "resolver_match", None)
            line["route"] = match.route if match else None
            line["status"] = getattr(record, "status_code", None)
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = _error(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def _message(record: logging.LogRecord) -> str:
    """What is said. Of gunicorn's warnings, which may quote a request, only numbers and signals are filled in."""
    if record.name != "gunicorn.error" or record.levelno < logging.WARNING:
        return record.getMessage()
    facts = record.args if isinstance(record.args, tuple) else ()
    said, _who, _what = str(record.msg).partition(" from ip=")  # filled in already
    try:
        return said % tuple(fact if _is_of_the_process(fact) else "…" for fact in facts) if facts else said
    except (TypeError, ValueError):
        return said


def _is_of_the_process(fact: object) -> bool:
    return isinstance(fact, int | float) or (isinstance(fact, str) and fact.startswith("SIG") and fact.isalpha())


def _without_address(record: logging.LogRecord) -> str:
    """What Django says about a request, which it ends with the request's address."""
    if record.name == "django.request":
        return responses.get(getattr(record, "status_code", 0), "")
    if isinstance(record.args, tuple) and record.args:
        return str(record.args[0])
    return record.getMessage()


def _error(error: BaseException) -> dict[str, object]:
    told: dict[str, object] = {
        "type": f"{type(error).__module__}.{type(error).__qualname__}",
        "stack": [_place(frame) for frame in traceback.extract_tb(error.__traceback__)],
    }
    if isinstance(error, DatabaseError):
        told["sqlstate"] = getattr(error.__cause__, "sqlstate", None)
        diagnosis = getattr(error.__cause__, "diag", None)
        told["constraint"] = getattr(diagnosis, "constraint_name", None)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        told["cause"] = _error(cause)
    return told


def _place(frame: traceback.FrameSummary) -> str:
    file = Path(frame.filename)
    name = file.relative_to(_ROOT) if file.is_relative_to(_ROOT) else Path(*file.parts[-3:])
    return f"{name.as_posix()}:{frame.lineno} {frame.name}"
