"""Models whose rows stay: they say early and by name what the database would refuse anyway."""

from collections.abc import Iterable
from typing import Any, ClassVar, NoReturn

from django.db import models


class RowIsKept(Exception):
    """A row that says what happened would be changed or deleted."""


class KeptQuerySet[Row: "KeptRow"](models.QuerySet[Row]):
    """Rows of which only what the model names may change, and none is deleted."""

    def update(self, **values: Any) -> int:
        """Change the rows. Raises the model's refusal if that would change what is kept."""
        self.model.check_may_change(values)
        return super().update(**values)

    def delete(self) -> NoReturn:
        """Raise the model's refusal."""
        raise self.model.refusal


class KeptRow(models.Model):
    """A row that is written once. `may_change` names the fields that may change all the same.

    Whatever goes around the methods below, the database refuses (`guard.triggers`).
    """

    may_change: ClassVar[frozenset[str]] = frozenset()
    refusal: ClassVar[type[RowIsKept]] = RowIsKept

    class Meta:
        abstract = True
        base_manager_name = "objects"  # what relations write with keeps the rows too

    def save(self, **options: Any) -> None:
        """Write the row, or those of its fields that are named. Raises the refusal if what is kept would change."""
        if options.get("update_fields") is not None:
            self.check_may_change(options["update_fields"])
        elif self.pk and not options.get("force_insert"):
            raise self.refusal
        super().save(**options)

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        """Raise the refusal."""
        raise self.refusal

    @classmethod
    def check_may_change(cls, fields: Iterable[str]) -> None:
        """Raise the refusal unless all of the fields may change."""
        if not cls.may_change.issuperset(fields):
            raise cls.refusal
