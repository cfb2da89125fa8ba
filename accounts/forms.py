"""Forms for the people and customers that the operator manages, and for the accounts that a reseller does."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django import forms
from django.contrib.auth.forms import UserChangeForm
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from accounts.services import AccountRefused, SimilarAccountsExist
from desk.forms import FixedReferenceForm
from products.models import Package
from text.form_fields import PlainTextField

Sent = Mapping[str, Any] | None


class AddUserForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A new user, who chooses a password by invitation; rights are given afterwards."""

    class Meta:
        model = User
        fields = ("email", "full_name", "reseller")

    def save(self, commit: bool = True) -> User:
        self.instance.set_unusable_password()
        user: User = super().save(commit)
        return user


class ChangeUserForm(UserChangeForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A user as it stands; the password is the user's own."""

    password = None  # type: ignore[assignment]  # the way to leave a field of the parent out

    class Meta:
        model = User
        fields = (
            "email",
            "full_name",
            "reseller",
            "is_active",
            "is_staff",
            "is_superuser",
            "groups",
            "user_permissions",
        )


class AccountForm(FixedReferenceForm):
    """An account stays with its reseller: purchases and licenses hang on both."""

    fixed = "reseller"

    class Meta:
        model = Account
        fields = ("reseller", "name", "reference", "package", "tier", "is_active")


class EditAccountForm(forms.Form):
    """What a reseller writes about an account of its own, at any time."""

    name = PlainTextField(
        label=_("Name"),
        is_one_line=True,
        required=True,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "input w-full", "autocomplete": "off"}),
        error_messages={"required": _("Enter the name of the account.")},
    )
    package = forms.ModelChoiceField(
        label=_("Package"),
        queryset=Package.objects.all(),
        required=False,
        empty_label=_("No package"),
        widget=forms.Select(attrs={"class": "select"}),
        error_messages={"invalid_choice": _("There is no such package. Choose one of the list.")},
    )
    confirmed_name = PlainTextField(is_one_line=True, widget=forms.HiddenInput)

    def __init__(self, sent: Sent, *, account: Account | None = None) -> None:
        initial = {"name": account.name, "package": account.package_id} if account else None
        super().__init__(sent, initial=initial)
        self.similar: Sequence[Account] = ()
        for name, field in self.fields.items():
            field.widget.attrs["aria-describedby"] = f"id_{name}_error"

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Put what a service refuses at its field. Accounts of the same name are kept in `similar`, to ask about."""
        try:
            yield
        except SimilarAccountsExist as refusal:
            self.similar = refusal.accounts
        except AccountRefused as refusal:
            if refusal.answer not in self.fields:
                raise
            self.add_error(refusal.answer, str(refusal))


class NewAccountForm(EditAccountForm):
    """What a reseller writes about a new account of its own."""

    reference = PlainTextField(
        label=_("Reference"),
        is_one_line=True,
        required=True,
        max_length=60,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
        error_messages={"required": _("Enter a reference, like the customer's number with you.")},
    )
    tier = forms.ChoiceField(
        label=_("Tier"),
        choices=Account.Tier.choices,
        widget=forms.RadioSelect(attrs={"class": "radio"}),
        error_messages={
            "required": _("Choose whether the account is on trial or paid."),
            "invalid_choice": _("Choose trial or paid."),
        },
    )

    field_order = ["name", "reference", "package", "tier"]
