"""For migrations that begin to record a model: what its rows are when the record begins."""

import itertools
from collections.abc import Sequence
from typing import Any

from django.apps.registry import Apps
from django.utils import timezone

_AT_ONCE = 1_000


def write_first_versions(apps: Apps, label: str, many_to_many: Sequence[str] = ()) -> None:
    """Write a version of every row of the model, so that its first change tells what it was before."""
    model: Any = apps.get_model(label)
    version: Any = apps.get_model(model._meta.app_label, f"Historical{model._meta.object_name}")
    kept = {field.attname for field in version._meta.concrete_fields}
    copied = [field.attname for field in model._meta.concrete_fields if field.attname in kept]
    rows = model.objects.order_by("pk").values(*copied).iterator(chunk_size=_AT_ONCE)
    for chunk in itertools.batched(rows, _AT_ONCE):
        versions = version.objects.bulk_create(
            version(**row, history_type="~", history_date=timezone.now()) for row in chunk
        )
        by_row = {each.id: each for each in versions}
        for name in many_to_many:
            _write_references(apps, model, name, by_row)


def _write_references(apps: Apps, model: Any, name: str, version_by_row: dict[Any, Any]) -> None:
    field = model._meta.get_field(name)
    through = field.remote_field.through
    reference_version: Any = apps.get_model(model._meta.app_label, f"Historical{through._meta.object_name}")
    source = f"{field.m2m_field_name()}_id"
    references = through.objects.filter(**{f"{source}__in": list(version_by_row)}).values()
    reference_version.objects.bulk_create(
        reference_version(history=version_by_row[reference[source]], **reference) for reference in references
    )
