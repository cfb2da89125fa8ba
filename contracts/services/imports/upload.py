"""Take in a file, to show what it would do."""

from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import User
from audit.models import Act
from audit.services import record
from contracts.models import Import
from contracts.services.imports.contracts import CONTRACTS
from contracts.services.imports.plans import Format
from contracts.services.imports.prices import PRICES
from listing.uploads import read_table

KEPT_FOR = timedelta(days=1)
"""How long what was uploaded can be imported."""

_NAME_LENGTH = 200


def format_of(content: str) -> Format:
    return CONTRACTS if content == Import.Content.CONTRACTS else PRICES


def upload_file(data: bytes, *, name: str, content: Import.Content, by: User, at: datetime) -> Import:
    """Keep the rows of the file, and forget those that nobody imported in time.

    Raises `listing.unreadable.UnreadableFile`, whose sentence tells what to do; then nothing was kept.
    """
    table = read_table(data, name=name, most_rows=format_of(content).most_rows)
    with transaction.atomic():
        Import.objects.filter(imported_at=None, uploaded_at__lte=at - KEPT_FOR).delete()
        upload = Import.objects.create(
            content=content,
            file_name=name[-_NAME_LENGTH:],
            columns=[heading.lower() for heading in table.headings],
            rows=[(row.line, row.cells) for row in table.rows],
            row_count=len(table.rows),
            uploaded_by=by,
            uploaded_at=at,
        )
        record(Act.ADDED, by=by, on=upload, detail=f"{content}: {upload.row_count} rows")
    return upload
