"""Files as they are sent in, and what they would do."""

from collections.abc import Sequence

from django.utils import timezone

from accounts.models import User
from contracts.models import Import
from contracts.services.imports.effects import DryRun, Effect
from contracts.services.imports.import_rows import import_rows, preview
from contracts.services.imports.upload import upload_file
from tests.factories import OperatorFactory

PRICES, CONTRACTS = Import.Content.PRICES, Import.Content.CONTRACTS


def uploaded(text: str, content: Import.Content, *, by: User | None = None) -> Import:
    return upload_file(text.encode(), name="list.csv", content=content, by=by or OperatorFactory(), at=timezone.now())


def dry_run(text: str, content: Import.Content) -> DryRun:
    return preview(uploaded(text, content), at=timezone.now())


def effect(text: str, content: Import.Content) -> Effect:
    """What the only row of the file would do."""
    [only] = dry_run(text, content).effects
    return only


def changes(effect: Effect) -> list[tuple[str, str, str]]:
    return [(change.column, change.old, change.new) for change in effect.changes]


def problems(effect: Effect) -> Sequence[tuple[str, str]]:
    """Where something is wrong, as column and letter, without the words."""
    return [(problem.column, problem.place) for problem in effect.problems]


def words(effect: Effect) -> str:
    return " ".join(problem.reason for problem in effect.problems)


def imported(text: str, content: Import.Content, *, by: User | None = None, reason: str = "Because") -> Import:
    """The file, imported as its dry run shows it."""
    upload = uploaded(text, content, by=by)
    shown = preview(upload, at=timezone.now())
    return import_rows(
        upload, fingerprint=shown.fingerprint, by=by or upload.uploaded_by, reason=reason, at=timezone.now()
    )
