"""Where allauth asks what is our own: who may come in, from where a request came, how mail is sent."""

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.backends import ActiveResellerBackend
from accounts.models import User
from audit.services import address_of
from identity.services import SECOND_STEPS

UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104 - nothing listens there: it stands for a request that tells no address

log = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """Passwords, sessions and the mail about them."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": gettext_lazy(
            "The e-mail or the password is wrong. Try again, or set a new password."
        ),
        "too_many_login_attempts": gettext_lazy("There were too many tries. Wait five minutes, then try again."),
        "incorrect_password": gettext_lazy("This is not your password. Try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People come by invitation alone."""
        return False

    def pre_login(self, request: HttpRequest, user: AbstractBaseUser, **hints: Any) -> HttpResponse | None:
        self._check_may_sign_in(request, user)
        return super().pre_login(request, user, **hints)

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        self._check_may_sign_in(request, user)  # once more: between password and second step time goes by
        super().login(request, user)

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that the audit log names too; one for all requests that tell none."""
        return address_of(request) or UNKNOWN_ADDRESS

    def format_email_subject(self, subject: str) -> str:
        return subject

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send it; that this failed is in the log, and no answer tells."""
        try:
            super().send_mail(template_prefix, email, context)
        except OSError:
            log.exception("A mail about signing in could not be sent.")

    def _check_may_sign_in(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Passkeys and recovery ask no backend, which is where a disabled user or reseller is refused."""
        if not isinstance(user, User) or not ActiveResellerBackend().user_can_authenticate(user):
            refused = _("You cannot sign in any more. Ask your operator.")
            messages.error(request, refused)
            raise ImmediateHttpResponse(redirect("login"))


class MFAAdapter(DefaultMFAAdapter):
    """The second step."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": gettext_lazy("This code is not right. Enter the one that the app shows now."),
        "cannot_delete_authenticator": gettext_lazy(
            "Staff sign in with a second step. Set up another one before you remove this one."
        ),
    }

    def get_totp_issuer(self) -> str:
        return _("License portal")

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Staff keep one wherever they have to have one."""
        if not settings.STAFF_NEED_SECOND_STEP or not authenticator.user.is_staff:
            return True
        others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=SECOND_STEPS)
        return bool(others.exclude(pk=authenticator.pk).exists())

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Us, as the browser's dialog names it; passkeys belong to the host."""
        return {"id": context.request.get_host().partition(":")[0], "name": str(self.get_totp_issuer())}
