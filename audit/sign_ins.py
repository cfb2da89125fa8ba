"""Signing in and out, which is an act of Django or of a package: its signals are where all ways of it meet."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

from audit.models import Act
from audit.services import record


def connect() -> None:
    """Record them from now on."""
    user_logged_in.connect(_record_sign_in)
    user_logged_out.connect(_record_sign_out)
    user_login_failed.connect(_record_failure)


def _record_sign_in(*, user: AbstractBaseUser, **others: Any) -> None:
    record(Act.SIGNED_IN, by=user)


def _record_sign_out(*, user: AbstractBaseUser | None, **others: Any) -> None:
    if user is not None:
        record(Act.SIGNED_OUT, by=user)


def _record_failure(*, credentials: dict[str, Any], **others: Any) -> None:
    names = (credentials.get(name) for name in ("username", "email", "login"))
    record(Act.SIGN_IN_FAILED, by=None, who=str(next(filter(None, names), "")))
