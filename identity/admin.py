"""Users at the desk, as people who are invited and who sign in with a second step."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin import UserAdmin
from accounts.models import User
from accounts.requests import operator_of
from identity.services import (
    INVITATION_LIFE,
    InvitationRefused,
    check_may_be_invited,
    forget_second_step,
    has_second_step,
    invite,
)


def _change_password(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """Staff change their password where everybody does: what happens then is recorded, and told by mail."""
    return redirect("account_change_password")


# What allauth keeps is its own: addresses are the user's, secrets are for nobody to read.
for model in (Authenticator, EmailAddress, UserSession):
    if admin.site.is_registered(model):
        admin.site.unregister(model)

# One door for everybody: the portal's sign-in, with its second step and its limits.
admin.site.login = secure_admin_login(  # type: ignore[method-assign, no-untyped-call]  # as allauth's guide has it
    admin.site.login
)
admin.site.password_change = _change_password  # type: ignore[assignment, method-assign]  # it sends on

admin.site.unregister(User)


@admin.register(User)
class InvitedUserAdmin(UserAdmin):
    """Whoever is added is sent an invitation; nobody at the desk knows or sets a password of theirs."""

    add_fieldsets = (
        (
            None,
            {
                "fields": ("email", "full_name", "reseller"),
                "description": gettext_lazy("The user gets a mail with a link to choose a password by."),
            },
        ),
    )
    fieldsets = (  # type: ignore[assignment]  # one more than above
        *UserAdmin.fieldsets,
        (gettext_lazy("Sign-in"), {"fields": ("signs_in",)}),
    )

    def get_urls(self) -> list[URLPattern]:
        return [
            path("<int:pk>/invite/", self.admin_site.admin_view(self.invite_view), name="accounts_user_invite"),
            path(
                "<int:pk>/forget-second-step/",
                self.admin_site.admin_view(self.forget_view),
                name="accounts_user_forget_second_step",
            ),
            *(url for url in super().get_urls() if url.name != "auth_user_password_change"),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return (*super().get_readonly_fields(request, obj), "signs_in")

    @admin.display(description=gettext_lazy("how"))
    def signs_in(self, user: User) -> str:
        """How the user comes in, or how far the invitation has come."""
        if user.has_usable_password():
            return _("Password and second step") if has_second_step(user) else _("Password alone")
        last = user.invitations.first()
        if last is None:
            return _("Not at all: has no password and was never invited")
        until = {"until": date_format(timezone.localtime(last.expires_at), "SHORT_DATETIME_FORMAT")}
        if last.expires_at > timezone.now():
            return _("Was invited; the link works until %(until)s") % until
        return _("Not at all: the invitation was not used until %(until)s") % until

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if not change:
            self._invite(request, form.instance)

    def invite_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask whether to send the user a new link, and send it."""
        user = self._user(request, pk)
        try:
            check_may_be_invited(user)
        except InvitationRefused as refusal:
            self.message_user(request, str(refusal), messages.WARNING)
            return redirect("admin:accounts_user_change", pk)
        if request.method == "POST":
            self._invite(request, user)
            return redirect("admin:accounts_user_change", pk)
        told = _(
            "%(email)s gets a link to choose a password by. It works once, for %(hours)s hours; earlier links end."
        )
        return self._ask(request, user, _("Send an invitation"), told % self._facts(user))

    def forget_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask whether to take the user's second step away, and take it."""
        user = self._user(request, pk)
        if request.method == "POST":
            done = forget_second_step(user, by=operator_of(request))
            told = _("The second step was taken away.") if done else _("There is no second step to take away.")
            self.message_user(request, told, messages.SUCCESS if done else messages.WARNING)
            return redirect("admin:accounts_user_change", pk)
        told = _(
            "%(email)s then signs in with the password alone, until they set up another second step. "
            "Make sure first that it is really they who ask."
        )
        return self._ask(request, user, _("Take the second step away"), told % self._facts(user))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: User | None = None,
    ) -> HttpResponse:
        context["may_be_invited"] = obj is not None and not obj.has_usable_password()
        context["has_second_step"] = obj is not None and has_second_step(obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _user(self, request: HttpRequest, pk: int) -> User:
        user = get_object_or_404(User.objects.select_related("reseller"), pk=pk)
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        return user

    def _invite(self, request: HttpRequest, user: User) -> None:
        try:
            invite(
                user,
                by=operator_of(request),
                now=timezone.now(),
                link_to=lambda token: request.build_absolute_uri(reverse("invitation", args=[token])),
            )
        except InvitationRefused as refusal:
            self.message_user(request, str(refusal), messages.WARNING)
        else:
            told = _("An invitation was sent to %(email)s. Its link works once, for %(hours)s hours.")
            self.message_user(request, told % self._facts(user), messages.SUCCESS)

    def _facts(self, user: User) -> dict[str, Any]:
        return {"email": user.email, "hours": int(INVITATION_LIFE.total_seconds() // 3600)}

    def _ask(self, request: HttpRequest, user: User, title: str, told: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": user,
            "title": title,
            "told": told,
        }
        return TemplateResponse(request, "admin/accounts/user/ask.html", context)
