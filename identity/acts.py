"""What allauth does, in the audit log: its signals are where all ways of doing it meet."""

from typing import Any

from allauth.account import signals as account_signals
from allauth.mfa import signals as mfa_signals
from allauth.mfa.models import Authenticator
from allauth.usersessions.signals import on_user_logged_in
from django.contrib.auth.base_user import AbstractBaseUser

from audit.models import Act
from audit.services import record
from identity.services import remember_session


def connect() -> None:
    """Record them from now on, and list sessions our way."""
    account_signals.user_logged_in.disconnect(on_user_logged_in)
    account_signals.user_logged_in.connect(remember_session)
    account_signals.password_changed.connect(_record_password)
    account_signals.password_reset.connect(_record_password)
    mfa_signals.authenticator_added.connect(_record_added)
    mfa_signals.authenticator_removed.connect(_record_removed)
    mfa_signals.authenticator_reset.connect(_record_renewed)
    mfa_signals.authentication_failed.connect(_record_failure)


def _record_password(*, user: AbstractBaseUser, **others: Any) -> None:
    record(Act.SECURITY_CHANGED, by=user, on=user, detail="password changed")


def _record_added(*, user: AbstractBaseUser, authenticator: Authenticator, **others: Any) -> None:
    record(Act.SECURITY_CHANGED, by=user, on=user, detail=f"{authenticator.type} added")


def _record_removed(*, user: AbstractBaseUser, authenticator: Authenticator, **others: Any) -> None:
    record(Act.SECURITY_CHANGED, by=user, on=user, detail=f"{authenticator.type} removed")


def _record_renewed(*, user: AbstractBaseUser, authenticator: Authenticator, **others: Any) -> None:
    record(Act.SECURITY_CHANGED, by=user, on=user, detail=f"{authenticator.type} renewed")


def _record_failure(*, user: AbstractBaseUser, **others: Any) -> None:
    record(Act.SIGN_IN_FAILED, by=user, detail="second step")
