"""Pages about signing in that allauth has not: invitations, and sessions one by one."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.stagekit import clear_login
from allauth.account.mixins import NextRedirectMixin
from allauth.account.utils import perform_login
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.webauthn.views import LoginWebAuthnView
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import SetPasswordForm
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.middleware import for_everyone
from accounts.models import User
from audit.models import Act
from audit.services import record
from identity.forms import EndSessionForm
from identity.services import InvitationNotOpen, accept_invitation, has_second_step, open_invitation

View = Callable[..., HttpResponseBase]


def page_of_ours(view: View) -> View:
    """A page of allauth's that also serves staff, and answers 422 to what it does not take, like every form here."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if request.method == "POST" and response.status_code == 200 and _is_refused(response):
            response.status_code = 422
        return response

    return for_everyone(answer)


def act_of_ours(view: View) -> View:
    """A page by which people change how they sign in: the change and its line in the audit log are one transaction."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        with transaction.atomic():
            return view(request, *args, **kwargs)

    return page_of_ours(answer)


def _is_refused(response: HttpResponseBase) -> bool:
    """Whether the page shows a form that does not take what was sent."""
    shown = getattr(response, "context_data", None) or {}
    return any(isinstance(part, BaseForm) and part.is_bound and not part.is_valid() for part in shown.values())


@method_decorator(login_not_required, name="dispatch")
class SecondStep(AuthenticateView):
    """The second step; whose was taken away between the password and it, begins again with the password."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        stage = getattr(request, "_login_stage", None)
        if stage is not None and not has_second_step(stage.login.user):
            clear_login(request)  # allauth's pages would send one to each other without end
        return response


class PasskeySignIn(NextRedirectMixin, LoginWebAuthnView):
    """Sign in with a passkey alone, on a page of its own: the sign-in page loads no more scripts than others."""

    template_name = "mfa/webauthn/login.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if get_adapter(request).is_ajax(request):  # what the browser is to sign
            return super().get(request, *args, **kwargs)
        return self.render_to_response(self.get_context_data())  # type: ignore[no-untyped-call]  # allauth's has no types

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        messages.error(self.request, _("This passkey is not known here. Sign in with your password."))
        return redirect("login")


@require_http_methods(["GET", "HEAD", "POST"])
@for_everyone
@login_not_required
@never_cache
@sensitive_post_parameters()
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Choose a password, and be signed in."""
    try:
        invited = open_invitation(token, now=timezone.now())
        form: SetPasswordForm[User] = SetPasswordForm(invited.user, request.POST or None)
        if request.method == "POST" and form.is_valid():
            user = accept_invitation(token, password=form.cleaned_data["new_password1"], now=timezone.now())
            signed_in: HttpResponse = perform_login(request, user)
            return signed_in
    except InvitationNotOpen as refusal:
        return render(request, "identity/invitation_not_open.html", {"refusal": refusal}, status=410)
    context = {"form": form, "invited": invited.user}
    return render(request, "identity/invitation.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@for_everyone
@never_cache
def sessions(request: HttpRequest) -> HttpResponse:
    """Where one is signed in; end one of these sessions, or all others."""
    assert isinstance(request.user, User)  # noqa: S101 - whoever is signed in is one
    mine = sorted(UserSession.objects.purge_and_list(request.user), key=lambda session: session.pk, reverse=True)
    if request.method != "POST":
        return render(request, "identity/sessions.html", {"sessions": mine})
    form = EndSessionForm(request.POST)
    chosen = form.cleaned_data["session"] if form.is_valid() else 0
    ended = [session for session in mine if not session.is_current() and (chosen is None or session.pk == chosen)]
    with transaction.atomic():
        for session in ended:
            session.end()
        if ended:
            record(Act.SECURITY_CHANGED, by=request.user, on=request.user, detail=f"{len(ended)} sessions ended")
    told = _("The session was ended.") if len(ended) == 1 else _("The other sessions were ended.")
    messages.success(request, told if ended else _("There is no such session any more."))
    return redirect("usersessions_list")
