"""Forms about signing in, where allauth's need other words or rules."""

from typing import Any

from allauth.account.forms import LoginForm, ResetPasswordForm
from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.backends import ActiveResellerBackend


class SignInForm(LoginForm):
    """E-mail and password, under the names that password managers and the portal's users know."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["login"].error_messages["required"] = _("Enter your e-mail address.")
        self.fields["password"].error_messages["required"] = _("Enter your password.")

    def add_prefix(self, field_name: str) -> str:
        return super().add_prefix("username" if field_name == "login" else field_name)


class ForgottenPasswordForm(ResetPasswordForm):
    """An e-mail address. Who was invited and has not come in yet has no password to forget; who may not, gets none."""

    def clean_email(self) -> str:
        email = super().clean_email()
        may_sign_in = ActiveResellerBackend().user_can_authenticate
        self.users = [user for user in self.users if user.has_usable_password() and may_sign_in(user)]
        return email


class EndSessionForm(forms.Form):
    """Which session to end: the key of one, or nothing for all others."""

    session = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
