"""Inviting people, and what the operator does when somebody has lost the second step."""

import hashlib
import logging
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.backends import ActiveResellerBackend
from accounts.models import User
from audit.models import Act
from audit.services import record
from identity.models import Invitation

INVITATION_LIFE = timedelta(hours=48)

SECOND_STEPS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""What counts as a second step; recovery codes only stand in for one."""

log = logging.getLogger(__name__)


class InvitationRefused(Exception):
    """A rule says no, and nothing was written. Its text is a sentence for whoever asked."""

    code: ClassVar[str]


class HasPassword(InvitationRefused):
    """The user has come in already."""

    code = "has_password"


class MayNotSignIn(InvitationRefused):
    """The user, or the user's reseller, is not active."""

    code = "may_not_sign_in"


class InvitationNotOpen(InvitationRefused):
    """The link was used, replaced by a newer one, is too old, or never was one."""

    code = "invitation_not_open"


def invite(user: User, *, by: User, now: datetime, link_to: Callable[[str], str]) -> Invitation:
    """Send the user a link to choose a password by, good once and for 48 hours; earlier links end.

    `link_to` makes a token an address. Raises InvitationRefused.
    """
    with transaction.atomic():
        user = User.objects.select_for_update(of=("self",)).select_related("reseller").get(pk=user.pk)
        check_may_be_invited(user)
        user.invitations.open_at(now).update(expires_at=now)
        token = secrets.token_urlsafe(32)
        invitation = Invitation.objects.create(
            user=user, token_digest=_digest(token), sent_by=by, sent_at=now, expires_at=now + INVITATION_LIFE
        )
        record(Act.INVITED, by=by, on=user)
        link = link_to(token)
        transaction.on_commit(lambda: _send(user, link), robust=True)
        return invitation


def check_may_be_invited(user: User) -> None:
    """Raise InvitationRefused where an invitation of the user makes no sense."""
    if user.has_usable_password():
        raise HasPassword(
            _('%(user)s has a password. Whoever forgot it sets a new one by "Forgot your password?" at the sign-in.')
            % {"user": user}
        )
    if not ActiveResellerBackend().user_can_authenticate(user):
        raise MayNotSignIn(
            _("%(user)s could not sign in: the user or the reseller is not active. Make both active first.")
            % {"user": user}
        )


def open_invitation(token: str, *, now: datetime) -> Invitation:
    """The invitation that the link names. Raises InvitationNotOpen."""
    invitation = (
        Invitation.objects.open_at(now)
        .select_related("user", "user__reseller")
        .filter(token_digest=_digest(token))
        .first()
    )
    if invitation is None or not ActiveResellerBackend().user_can_authenticate(invitation.user):
        raise InvitationNotOpen(
            _("This link does not work any more: it is for one use within 48 hours. Ask your operator for a new one.")
        )
    return invitation


def accept_invitation(token: str, *, password: str, now: datetime) -> User:
    """Give the invited user the password, once. Raises InvitationNotOpen."""
    with transaction.atomic():
        user_id = open_invitation(token, now=now).user_id
        User.objects.select_for_update(of=("self",)).get(pk=user_id)
        invitation = open_invitation(token, now=now)  # as it is now that nobody else uses it
        invitation.accepted_at = now
        invitation.save(update_fields=["accepted_at"])
        invitation.user.set_password(password)
        invitation.user.save(update_fields=["password"])
        record(Act.JOINED, by=invitation.user)
        return invitation.user


def forget_second_step(user: User, *, by: User | None) -> bool:
    """Take away the user's app, passkeys and recovery codes, for whoever has lost them; whether there were any."""
    with transaction.atomic():
        _count, taken = Authenticator.objects.filter(user_id=user.pk).delete()
        if taken:
            record(Act.SECURITY_CHANGED, by=by, on=user, detail="second step taken away")
        return bool(taken)


def remember_session(*, request: HttpRequest, user: User, **others: Any) -> None:
    """List the session that begins, and forget those that are over, at the same cost however many there are.

    It takes the place of allauth's own, which opens each session of the user at every sign-in.
    """
    alive = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=timezone.now())
    UserSession.objects.filter(~Exists(alive), user_id=user.pk).delete()
    UserSession.objects.create_from_request(request, user=user)


def has_second_step(user: User) -> bool:
    """Whether the user signs in with more than a password."""
    return Authenticator.objects.filter(user_id=user.pk, type__in=SECOND_STEPS).exists()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _send(user: User, link: str) -> None:
    """Write to the user, in the reseller's language. That it failed is in the log; the operator can send another."""
    with translation.override(user.reseller.language if user.reseller else settings.LANGUAGE_CODE):
        context = {"user": user, "link": link, "hours": INVITATION_LIFE // timedelta(hours=1)}
        subject = " ".join(render_to_string("identity/invitation_subject.txt", context).split())
        text = render_to_string("identity/invitation_message.txt", context)
    try:
        send_mail(subject, text, None, [user.email])
    except OSError:
        log.exception("An invitation could not be sent.")
