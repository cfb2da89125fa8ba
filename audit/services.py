"""Writing the audit log."""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.http import HttpRequest
from django.utils import timezone

from audit.models import LABEL_LIMIT, Act, AuditEvent

_address: ContextVar[str | None] = ContextVar("address", default=None)
"""From where the request came that is being answered; None outside of one."""


def record(
    act: Act,
    *,
    by: AbstractBaseUser | None,
    on: models.Model | None = None,
    detail: str = "",
    who: str = "",
) -> AuditEvent:
    """Write that somebody did something, in the transaction of the caller.

    `who` is for somebody who is no user. `detail` is a code or a few facts, never a secret or what people wrote.
    """
    written = event(act, by=by, on=on, detail=detail, who=who)
    written.save(force_insert=True)
    return written


def event(
    act: Act,
    *,
    by: AbstractBaseUser | None,
    on: models.Model | None = None,
    detail: str = "",
    who: str = "",
) -> AuditEvent:
    """The row of what somebody does now, not yet written."""
    return AuditEvent(
        at=timezone.now(),
        act=act,
        actor_id=None if by is None else by.pk,
        actor=(who if by is None else by.get_username()).replace("\0", "")[:254],
        object_type="" if on is None else on._meta.label_lower,
        object_id="" if on is None else str(on.pk),
        object_label="" if on is None else str(on)[:LABEL_LIMIT],
        detail=detail[:LABEL_LIMIT],
        address=_address.get(),
    )


@contextmanager
def requested_from(request: HttpRequest) -> Iterator[None]:
    """Say meanwhile from where it is done what is recorded."""
    token = _address.set(address_of(request))
    try:
        yield
    finally:
        _address.reset(token)


def address_of(request: HttpRequest) -> str | None:
    """The address that sent the request.

    What X-Forwarded-For says is believed as far as our own proxies wrote it: each adds the address that it saw at the
    end. TRUSTED_PROXIES tells how many of them there are.
    """
    told = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
        told = hops[-settings.TRUSTED_PROXIES] if len(hops) >= settings.TRUSTED_PROXIES else told
    try:
        return str(ipaddress.ip_address(told))
    except ValueError:
        return None
