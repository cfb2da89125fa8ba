"""Model fields that hold text in a form of its own."""

from typing import TYPE_CHECKING, Any

from django.db import models

from text.folding import fold

if TYPE_CHECKING:  # the fields are generic for the type checker only
    _TextField = models.TextField[str, str]
    _EmailField = models.EmailField[str, str]
else:
    _TextField = models.TextField
    _EmailField = models.EmailField


class FoldedTextField(_TextField):
    """The folded text of other fields of the row, kept for searching.

    It is computed whenever the row is saved or bulk-created; a queryset's `update()` of a source must
    set it too.
    """

    def __init__(self, *sources: str, **options: Any) -> None:
        self.sources = sources
        super().__init__(**{"editable": False, "default": "", **options})

    def deconstruct(self) -> Any:
        name, path, _, options = super().deconstruct()
        return name, path, list(self.sources), options

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        folded = fold(" ".join(str(getattr(model_instance, source) or "") for source in self.sources))
        setattr(model_instance, self.attname, folded)
        return folded


class LoginEmailField(_EmailField):
    """An e-mail address that is compared and kept in lower case."""

    def to_python(self, value: Any) -> Any:
        written = super().to_python(value)
        return written.lower() if isinstance(written, str) else written
