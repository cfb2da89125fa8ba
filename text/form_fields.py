"""Form fields for what people type."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from text.cleaning import UnreadableText, clean_text


class PlainTextField(forms.CharField):
    """Text as people type it, without what cannot be shown or stored."""

    default_error_messages = {
        "unreadable": _("This holds characters that cannot be shown. Type it anew instead of pasting it.")
    }

    def __init__(self, *, is_one_line: bool = False, **options: Any) -> None:
        self.is_one_line = is_one_line
        super().__init__(**{"required": False, **options})

    def to_python(self, value: Any) -> str:
        try:
            text = clean_text(str(value or ""))
        except UnreadableText:
            raise ValidationError(self.error_messages["unreadable"], code="unreadable") from None
        return " ".join(text.split()) if self.is_one_line else text
