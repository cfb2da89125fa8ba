"""Show what a file that was taken in would do, and do it."""

from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.models import Act
from audit.refusals import refusals_recorded
from audit.services import record
from contracts.models import Import
from contracts.services.imports.effects import DryRun, Kind
from contracts.services.imports.plans import Plan
from contracts.services.imports.upload import KEPT_FOR, format_of
from desk.history import recorded_as


class ImportRefused(Exception):
    """Nothing was written. Its text is a sentence that tells the next move."""

    code: ClassVar[str]


class UploadTooOld(ImportRefused):
    """What was uploaded lies for too long."""

    code = "upload_too_old"


class DryRunOutdated(ImportRefused):
    """The import would now do something else than was shown."""

    code = "dry_run_outdated"


class ImportNotPossible(ImportRefused):
    """There are errors, or nothing to write."""

    code = "import_not_possible"


def preview(upload: Import, *, at: datetime) -> DryRun:
    """What the import would do now. Raises UploadTooOld."""
    _check_age(upload, at=at)
    return _plan(upload, is_held=False).dry_run


def import_rows(upload: Import, *, fingerprint: str, by: User, reason: str, at: datetime) -> Import:
    """Write everything that the dry run with the fingerprint showed, once.

    Whatever is written is held first, as buying does, and the dry run is made again. Raises UploadTooOld,
    DryRunOutdated or ImportNotPossible; then nothing was written. The history keeps who, when and why.
    """
    with refusals_recorded(ImportRefused, by=by, on=upload), transaction.atomic():
        upload = Import.objects.select_for_update(no_key=True).get(pk=upload.pk)
        if upload.imported_at is not None:
            return upload
        _check_age(upload, at=at)
        plan = _plan(upload, is_held=True)
        if plan.dry_run.fingerprint != fingerprint:
            raise DryRunOutdated(
                _(
                    "Something changed since this was shown, so nothing was imported. "
                    "Below is what the import would do now. Look at it again."
                )
            )
        if not plan.dry_run.is_possible:
            raise ImportNotPossible(_("There is nothing that can be imported. Correct the file and upload it again."))
        with recorded_as(by=by, reason=reason):
            plan.write()
        upload.rows = []
        upload.imported_by, upload.imported_at, upload.reason = by, at, reason
        upload.new_count, upload.changed_count = plan.dry_run.count(Kind.NEW), plan.dry_run.count(Kind.CHANGED)
        upload.save()
        counts = f"{upload.new_count} new, {upload.changed_count} changed"
        record(Act.IMPORTED, by=by, on=upload, detail=f"{upload.content}: {counts}")
    return upload


def _check_age(upload: Import, *, at: datetime) -> None:
    if upload.uploaded_at <= at - KEPT_FOR:
        raise UploadTooOld(_("This file was uploaded more than a day ago. Upload it again."))


def _plan(upload: Import, *, is_held: bool) -> Plan:
    form = format_of(upload.content)
    problems = form.headings.problems(upload.columns)
    if problems or not upload.rows:
        return Plan(DryRun([], problems), lambda: None)
    plan = form.plan(upload.columns, upload.rows, is_held)
    left_out = form.headings.left_out(upload.columns)
    if not left_out:
        return plan
    note = _("Not in the file, so these stay as they are, and new rows get what is usual: %(columns)s.")
    return replace(plan, dry_run=replace(plan.dry_run, notes=[note % {"columns": ", ".join(left_out)}]))
