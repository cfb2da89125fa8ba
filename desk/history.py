"""Who changed what, when and why: every write to a recorded model leaves a version of the row beside it.

A model is recorded by `history = History()` and a manager that is made from `RecordedQuerySet`. Saving and
deleting, `update()`, bulk writes and changes of many-to-many references then all leave versions, in the
transaction that writes. Raw SQL does not. Whoever writes outside a request, or knows why, says so by
`recorded_as`.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models, transaction
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from simple_history.models import HistoricalRecords

REASON_LENGTH = 500
"""The most characters of a reason that is typed."""

_AT_ONCE = 1_000


@dataclass(frozen=True)
class _Act:
    """What belongs together: all that one request, command or import writes."""

    id: uuid.UUID
    who: Callable[[], int | None]
    reason: str


_current: ContextVar[_Act | None] = ContextVar("act", default=None)


@contextmanager
def recorded_as(*, by: AbstractBaseUser | None = None, reason: str = "") -> Iterator[None]:
    """Say who writes what is written inside, and why. What is not said stays as it was said outside."""
    outer = _current.get() or _Act(uuid.uuid4(), lambda: None, "")
    author = None if by is None else by.pk
    who = outer.who if by is None else lambda: author
    token = _current.set(replace(outer, who=who, reason=reason or outer.reason))
    try:
        yield
    finally:
        _current.reset(token)


class ActMiddleware:
    """Makes each request one act of whoever is signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _current.set(_Act(uuid.uuid4(), lambda: request.user.pk, ""))
        try:
            return self.get_response(request)
        finally:
            _current.reset(token)


def current_act() -> uuid.UUID:
    """The key of what is being done; outside of any act, one of its own."""
    act = _current.get()
    return uuid.uuid4() if act is None else act.id


class Version(models.Model):
    """What a recorded row was at one time."""

    history_act = models.UUIDField(default=current_act, editable=False)

    class Meta:
        abstract = True


class History(HistoricalRecords):  # type: ignore[misc]  # the package has no types
    """Keeps the versions of a model: all fields but the excluded ones, and the named many-to-many references.

    Authors are kept by their key alone. So they stay known after they are deleted: users are recorded too.
    Versions are looked up by the key of their row, and by the fields that are named as indexed.
    """

    def __init__(
        self, *, excluded: Sequence[str] = (), many_to_many: Sequence[str] = (), indexed: Sequence[str] = ()
    ) -> None:
        super().__init__(
            bases=(Version,),
            excluded_fields=list(excluded),
            m2m_fields=many_to_many,
            history_id_field=models.BigAutoField(),
            history_user_id_field=models.BigIntegerField(null=True, editable=False),
            history_change_reason_field=models.TextField(blank=True, default="", editable=False),
        )
        self.indexed = indexed

    if TYPE_CHECKING:

        def __get__(self, row: models.Model | None, model: type[models.Model]) -> Any: ...

    def contribute_to_class(self, model: type[models.Model], name: str) -> None:
        super().contribute_to_class(model, name)
        model._meta.recorded_by = self  # type: ignore[attr-defined]  # as Django keeps what belongs to a model

    def copy_fields(self, model: type[models.Model]) -> dict[str, Any]:
        fields: dict[str, Any] = super().copy_fields(model)
        indexed = () if model._meta.auto_created else ("id", *self.indexed)
        for name, field in fields.items():
            field.db_index = name in indexed
        return fields

    def get_meta_options(self, model: type[models.Model]) -> dict[str, Any]:
        return {**super().get_meta_options(model), **self._named(model)}

    def get_meta_options_m2m(self, through_model: type[models.Model]) -> dict[str, Any]:
        return {**super().get_meta_options_m2m(through_model), **self._named(through_model)}

    def _named(self, model: type[models.Model]) -> dict[str, Any]:
        return {
            "verbose_name": model._meta.verbose_name,
            "verbose_name_plural": model._meta.verbose_name_plural,
            "db_table": f"{model._meta.db_table}_history",
            "default_permissions": (),  # who may see a row may see what it was
        }

    def keeps(self, fields: Iterable[str]) -> bool:
        """Whether any of the fields, by name, belongs to the versions."""
        return bool(set(fields) - set(self.excluded_fields))

    def post_save(
        self,
        instance: models.Model,
        created: bool,
        using: str | None = None,
        update_fields: Collection[str] | None = None,
        **kwargs: Any,
    ) -> None:
        if update_fields is None:
            super().post_save(instance, created, using=using, **kwargs)
        elif self.keeps(update_fields):  # the row may hold more than this copy of it knows
            self.record(type(instance), [instance.pk], said_why=bool(getattr(instance, "_change_reason", "")))

    def m2m_changed(
        self, instance: models.Model, action: str, attr: str, pk_set: set[Any] | None, reverse: bool, **kwargs: Any
    ) -> None:
        """Record the rows whose references changed, from whichever side."""
        if not reverse:
            super().m2m_changed(instance, action, attr, pk_set, reverse, **kwargs)
        elif action == "pre_clear":
            cleared = self.cls._base_manager.filter(**{attr: instance.pk})
            instance._cleared = list(cleared.values_list("pk", flat=True))  # type: ignore[attr-defined]  # see below
        elif action == "post_clear":
            self.record(self.cls, instance.__dict__.pop("_cleared"))
        elif action in ("post_add", "post_remove"):
            self.record(self.cls, pk_set or ())

    def create_historical_record(self, instance: models.Model, history_type: str, using: str | None = None) -> None:
        said_why = bool(getattr(instance, "_change_reason", ""))
        if history_type == "~" and not said_why and not self._changed(type(instance), [instance]):
            return
        super().create_historical_record(instance, history_type, using=using)

    def record(self, model: type[models.Model], keys: Collection[Any], *, said_why: bool = False) -> None:
        """Write a version of each of the rows that is no longer what its latest version says."""
        keys = list(keys)
        for start in range(0, len(keys), _AT_ONCE):
            rows = list(model._base_manager.filter(pk__in=keys[start : start + _AT_ONCE]))
            self._write(model, rows if said_why else self._changed(model, rows), update=True)

    def record_new(self, model: type[models.Model], rows: Sequence[models.Model]) -> None:
        """Write the first version of each of the rows."""
        self._write(model, rows, update=False)

    def _write(self, model: Any, rows: Sequence[models.Model], *, update: bool) -> None:
        act = _current.get()
        versions = model.history.bulk_history_create(
            rows, batch_size=_AT_ONCE, update=update, default_change_reason="" if act is None else act.reason
        )
        if update:
            self._copy_references(model, {version.id: version for version in versions})

    def create_historical_record_m2ms(self, history_instance: Any, instance: models.Model) -> None:
        if history_instance.history_type != "+":
            self._copy_references(type(instance), {instance.pk: history_instance})

    def _copy_references(self, model: type[models.Model], version_by_row: dict[Any, Any]) -> None:
        for field in self._many_to_many(model):
            through, version_of_reference = field.remote_field.through, self.m2m_models[field]
            references = through._base_manager.filter(**{f"{field.m2m_field_name()}__in": list(version_by_row)})
            attributes = [each.attname for each in through._meta.fields]
            version_of_reference.objects.bulk_create(
                version_of_reference(
                    history=version_by_row[getattr(reference, field.m2m_column_name())],
                    **{name: getattr(reference, name) for name in attributes},
                )
                for reference in references
            )

    def _changed(self, model: type[models.Model], rows: Sequence[models.Model]) -> list[models.Model]:
        """Those of the rows that differ from their latest version, or have none."""
        kept = [field.attname for field in self.fields_included(model)]
        latest = latest_versions(model, [row.pk for row in rows])
        now, then = self._references(model, [row.pk for row in rows]), self._references_of(model, latest)

        def is_changed(row: models.Model) -> bool:
            version = latest.get(row.pk)
            if version is None or now.get(row.pk) != then.get(row.pk):
                return True
            return any(getattr(version, name) != _read(row, name) for name in kept)

        return [row for row in rows if is_changed(row)]

    def _references(self, model: type[models.Model], keys: Collection[Any]) -> dict[Any, set[tuple[str, Any]]]:
        """What the rows point to now, by their key."""
        found: dict[Any, set[tuple[str, Any]]] = {}
        for field in self._many_to_many(model):
            through = field.remote_field.through._base_manager
            source, target = field.m2m_column_name(), field.m2m_reverse_name()
            for key, reference in through.filter(**{f"{source}__in": keys}).values_list(source, target):
                found.setdefault(key, set()).add((field.name, reference))
        return found

    def _references_of(
        self, model: type[models.Model], versions: dict[Any, models.Model]
    ) -> dict[Any, set[tuple[str, Any]]]:
        """What the versions, by the key of their row, point to."""
        found: dict[Any, set[tuple[str, Any]]] = {}
        for field in self._many_to_many(model):
            kept = self.m2m_models[field].objects.filter(history__in=[version.pk for version in versions.values()])
            for key, reference in kept.values_list(field.m2m_column_name(), field.m2m_reverse_name()):
                found.setdefault(key, set()).add((field.name, reference))
        return found

    def _many_to_many(self, model: type[models.Model]) -> list[Any]:
        fields: list[Any] = self.get_m2m_fields_from_model(model)
        return fields

    def get_history_user(self, instance: models.Model) -> Any:
        act = _current.get()
        key = None if act is None else act.who()
        return None if key is None else _Author(key)

    def get_change_reason_for_object(self, instance: models.Model, history_type: str, using: str | None) -> str:
        act = _current.get()
        return getattr(instance, "_change_reason", "") or ("" if act is None else act.reason)


@dataclass(frozen=True)
class _Author:
    """As much of a user as a version keeps."""

    pk: int


def _read(row: models.Model, attribute: str) -> Any:
    """The value as the database gives it back, whatever it was set to."""
    field = next(field for field in row._meta.concrete_fields if field.attname == attribute)
    return field.to_python(getattr(row, attribute))


def latest_versions(model: Any, keys: Collection[Any]) -> dict[Any, Any]:
    """The latest version of each of the rows that has any, by the row's key."""
    versions = model.history.filter(id__in=keys).order_by()
    latest = versions.values("id").annotate(latest=Max("history_id")).values("latest")
    return {version.id: version for version in model.history.filter(history_id__in=latest)}


class RecordedQuerySet[Row: models.Model](models.QuerySet[Row]):
    """Rows whose versions are kept however they are written: `update()` and bulk writes send no signals."""

    def update(self, **values: Any) -> int:
        history: History = self.model._meta.recorded_by  # type: ignore[attr-defined]  # see History
        if not history.keeps(values):
            return super().update(**values)
        with transaction.atomic(using=self.db):
            keys = list(self.order_by().values_list("pk", flat=True))
            changed = super(RecordedQuerySet, self.filter(pk__in=keys)).update(**values)
            history.record(self.model, keys)
        return changed

    update.alters_data = True  # type: ignore[attr-defined]  # keeps templates from calling it, as Django does

    def bulk_create(self, objs: Iterable[Row], *args: Any, **options: Any) -> list[Row]:
        """As Django's, but without passing over conflicts: what was written then would not be known."""
        if options.get("ignore_conflicts") or options.get("update_conflicts"):
            raise ValueError("Recorded rows are created one way only: look first which ones exist.")
        history: History = self.model._meta.recorded_by  # type: ignore[attr-defined]  # see History
        with transaction.atomic(using=self.db):
            rows = super().bulk_create(objs, *args, **options)
            history.record_new(self.model, rows)
        return rows

    bulk_create.alters_data = True  # type: ignore[attr-defined]  # keeps templates from calling it
