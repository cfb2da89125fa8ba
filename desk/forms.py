"""What the forms of the admin have in common."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.helpers import AdminErrorList, AdminForm
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.formsets import DELETION_FIELD_NAME
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from text.keys import may_be_key


class RowSelect(AutocompleteSelect):
    """A searched choice that can show a refused form again, whatever was sent for it."""

    def optgroups(self, name: str, value: Sequence[str], attrs: dict[str, Any] | None = None) -> Any:
        return super().optgroups(name, [key for key in value if key == "" or may_be_key(key)], attrs)


class RowsSelect(RowSelect, AutocompleteSelectMultiple):
    """The same for many rows."""


class RowsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # generic in the stubs only
    """A choice of rows that refuses what the database could not even look up."""

    def clean(self, value: Iterable[Any] | None) -> Any:
        for key in value or ():
            if not may_be_key(str(key)):
                raise ValidationError(
                    self.error_messages["invalid_pk_value"], code="invalid_pk_value", params={"pk": str(key)[:40]}
                )
        return super().clean(value)


class NamedLines(forms.BaseInlineFormSet):  # type: ignore[type-arg]  # generic in the stubs only
    """Lines of a table, whose boxes for deleting tell what they are for."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if form.instance.pk is not None and (deletion := form.fields.get(DELETION_FIELD_NAME)) is not None:
            deletion.widget.attrs["aria-label"] = _("Delete %(line)s") % {"line": form.instance}


class ChosenRowField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic in the stubs only
    """The row that was chosen once. It is shown, not asked for, and not looked up again."""

    def __init__(self, chosen: models.Model, *, label: Any) -> None:
        super().__init__(queryset=type(chosen)._default_manager.none(), label=label, disabled=True)
        self.widget.choices = [(chosen.pk, str(chosen))]
        self.widget.attrs["aria-label"] = capfirst(label)
        self.chosen = chosen

    def clean(self, value: Any) -> models.Model:
        return self.chosen


class FixedReferenceForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A form whose `fixed` reference is chosen once, when the row is added.

    Afterwards it stays part of the form, since Django checks a uniqueness only when all its fields are.
    """

    fixed: ClassVar[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None and self.fixed in self.fields:
            chosen = getattr(self.instance, self.fixed)
            self.fields[self.fixed] = ChosenRowField(chosen, label=self.fields[self.fixed].label)


def check_field(form: forms.BaseForm, field: str, check: Callable[..., None], *facts: object) -> None:
    """Put at the field what the check refuses."""
    try:
        check(*facts)
    except ValidationError as refusal:
        form.add_error(field, refusal)


def form_frame(form: forms.Form, *, fields: Sequence[str] | None = None) -> dict[str, Any]:
    """What the admin's own templates need to show a form that belongs to no row: all its fields, or those named."""
    shown = list(form.fields) if fields is None else list(fields)
    admin_form: Any = form  # the stubs know forms of rows only
    return {
        "form": form,
        "adminform": AdminForm(admin_form, [(None, {"fields": shown})], {}),
        "errors": AdminErrorList(admin_form, []),
    }
