"""What happened to a recorded row and to the lines that belong to it, in words, newest first."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.paginator import Page, Paginator
from django.db import models
from django.db.models import Max, OuterRef, Subquery
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext

from desk.history import History
from text.amounts import count_text, day_text

ACTS_SHOWN = 20
TEXT_SHOWN = 300
NOTHING = "–"


@dataclass(frozen=True)
class Change:
    """One field: what it was and what it became. Of references, what was taken away and what was added."""

    field: str
    old: str
    new: str
    is_list: bool = False


@dataclass(frozen=True)
class Event:
    """What an act did to one row. `line` names a row that belongs to the one whose timeline this is.

    Its kind is that of the versions (+ made, ~ changed, - deleted), or empty where the record begins.
    """

    kind: str
    line: str
    changes: list[Change]


@dataclass
class Entry:
    """One act: when, by whom, why, and what it did."""

    act: UUID
    at: datetime
    who: str
    why: str
    events: list[Event] = field(default_factory=list)


@dataclass(frozen=True)
class _Step:
    """What one act made of one row: its version before, and the one after."""

    kind: str
    before: Any
    after: Any


def recorded(model: type[models.Model]) -> bool:
    """Whether versions of the model's rows are kept."""
    return hasattr(model._meta, "recorded_by")


def timeline(row: models.Model, page: str | None) -> "Page[Entry]":
    """A page of the row's timeline: it costs the same number of statements whatever is on it."""
    sources = [_Source(type(row), "id"), *_lines_of(type(row))]
    when: dict[UUID, datetime] = {}
    for source in sources:
        for act, at in source.acts(row.pk):
            when[act] = max(at, when.get(act, at))
    newest_first = sorted(when, key=lambda act: when[act], reverse=True)
    chosen = Paginator(newest_first, ACTS_SHOWN).get_page(page)
    entries = _entries(sources, row.pk, list(chosen.object_list), when)
    shown = Paginator(newest_first, ACTS_SHOWN).get_page(page)
    shown.object_list = entries  # type: ignore[assignment]  # it held the keys of the acts
    return shown  # type: ignore[return-value]  # it holds their entries now


@dataclass(frozen=True)
class _Source:
    """The versions of a model that belong to a row: those of the row itself, or of its lines."""

    model: Any
    owner: str

    @property
    def is_line(self) -> bool:
        return self.owner != "id"

    def versions(self, key: Any) -> Any:
        return self.model.history.filter(**{self.owner: key}).order_by("history_id")

    def acts(self, key: Any) -> Iterable[tuple[UUID, datetime]]:
        found: Iterable[tuple[UUID, datetime]] = (
            self.versions(key).order_by().values_list("history_act").annotate(at=Max("history_date"))
        )
        return found

    def steps(self, key: Any, acts: Collection[UUID]) -> dict[UUID, list[_Step]]:
        """What each of the acts made of each row."""
        earlier = self.model.history.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id"))
        before = earlier.order_by("-history_id").values("history_id")[:1]
        versions = list(self.versions(key).filter(history_act__in=acts).annotate(before=Subquery(before)))
        known = self.model.history.in_bulk({version.before for version in versions if version.before})
        grouped: dict[tuple[UUID, Any], list[Any]] = {}
        for version in versions:
            grouped.setdefault((version.history_act, version.id), []).append(version)
        steps: dict[UUID, list[_Step]] = {}
        for (act, _row), each in grouped.items():
            first, last = each[0], each[-1]
            kind = "-" if last.history_type == "-" else first.history_type
            if kind == "-" and first.history_type == "+":
                continue  # made and deleted at once
            step_before = None if kind == "+" else known.get(first.before)
            if kind == "~" and step_before is None:
                kind = ""
            steps.setdefault(act, []).append(_Step(kind, step_before, last))
        return steps


def _lines_of(model: type[models.Model]) -> list[_Source]:
    return [
        _Source(line, name)
        for line in apps.get_models()
        if recorded(line)
        for name in line._meta.recorded_by.indexed  # type: ignore[attr-defined]  # see History
        if line._meta.get_field(name).related_model is model
    ]


def _entries(sources: Sequence[_Source], key: Any, acts: list[UUID], when: dict[UUID, datetime]) -> list[Entry]:
    steps = {source: source.steps(key, acts) for source in sources}
    in_words = _Words([step for by_act in steps.values() for each in by_act.values() for step in each], sources)
    entries = []
    for act in acts:
        done = [(source, step) for source in sources for step in steps[source].get(act, ())]
        if not done:
            continue
        first = done[0][1].after
        why = next((step.after.history_change_reason for _source, step in done if step.after.history_change_reason), "")
        entry = Entry(act, timezone.localtime(when[act]), in_words.author(first.history_user_id), why)
        entry.events = [in_words.event(source, step) for source, step in done]
        entries.append(entry)
    return entries


class _Words:
    """The words for what happened. What rows are called is looked up once, for all of a page."""

    def __init__(self, steps: Sequence[_Step], sources: Sequence[_Source]) -> None:
        self._histories = {source.model: source.model._meta.recorded_by for source in sources}
        versions = [version for step in steps for version in (step.before, step.after) if version is not None]
        self._authors = _names_of_users({version.history_user_id for version in versions} - {None})
        self._references = {
            (model, name): self._references_of(model, name, versions)
            for model in self._histories
            for name in self._histories[model].m2m_fields
        }
        self._rows = self._names_of_rows(versions)

    def author(self, key: int | None) -> str:
        return gettext("System") if key is None else self._authors.get(key, NOTHING)

    def event(self, source: _Source, step: _Step) -> Event:
        return Event(
            step.kind,
            self._name_of_line(source, step.after) if source.is_line else "",
            [] if step.kind in ("-", "") else list(self._changes(source, step)),
        )

    def _changes(self, source: _Source, step: _Step) -> Iterable[Change]:
        history: History = self._histories[source.model]
        for kept in history.fields_included(source.model):
            if kept.primary_key or kept.name in (*history.indexed, "date_joined"):
                continue
            old = NOTHING if step.before is None else self._value(kept, getattr(step.before, kept.attname))
            new = self._value(kept, getattr(step.after, kept.attname))
            if old != new and not (source.is_line and step.kind == "+" and kept.is_relation):
                yield Change(capfirst(kept.verbose_name), old, new)
        for name in history.m2m_fields:
            referred = self._references[source.model, name]
            before = set() if step.before is None else referred.get(step.before.pk, set())
            after = referred.get(step.after.pk, set())
            if before != after:
                target = source.model._meta.get_field(name)
                yield Change(
                    capfirst(target.verbose_name),
                    self._list(target.related_model, before - after),
                    self._list(target.related_model, after - before),
                    is_list=True,
                )

    def _value(self, kept: Any, value: Any) -> str:
        if value is None or value == "":
            return NOTHING
        if kept.is_relation:
            return self._rows.get((kept.related_model, value), NOTHING)
        if kept.choices:
            return str(dict(kept.flatchoices).get(value, value))
        return _in_words(value)

    def _list(self, model: type[models.Model], keys: set[Any]) -> str:
        return ", ".join(sorted(self._rows.get((model, key), NOTHING) for key in keys))

    def _name_of_line(self, source: _Source, version: Any) -> str:
        """The kind of line, and what it is about: the rows it points to beside its owner."""
        fields = [kept for kept in source.model._meta.concrete_fields if kept.is_relation and kept.name != source.owner]
        about = ", ".join(self._value(kept, getattr(version, kept.attname)) for kept in fields)
        return f"{capfirst(source.model._meta.verbose_name)}: {about}"

    def _references_of(self, model: Any, name: str, versions: Sequence[Any]) -> dict[Any, set[Any]]:
        target = model._meta.get_field(name)
        kept = self._histories[model].m2m_models[target].objects
        keys = [version.pk for version in versions if isinstance(version, model.history.model)]
        found: dict[Any, set[Any]] = {}
        for version, reference in kept.filter(history__in=keys).values_list("history", target.m2m_reverse_name()):
            found.setdefault(version, set()).add(reference)
        return found

    def _names_of_rows(self, versions: Sequence[Any]) -> dict[tuple[type[models.Model], Any], str]:
        wanted: dict[type[models.Model], set[Any]] = {}
        for version in versions:
            for kept in version.tracked_fields:
                if kept.is_relation and (key := getattr(version, kept.attname)) is not None:
                    wanted.setdefault(kept.related_model, set()).add(key)
        for (model, name), referred in self._references.items():
            wanted.setdefault(model._meta.get_field(name).related_model, set()).update(*referred.values())
        return {
            (model, row.pk): str(row)
            for model, keys in wanted.items()
            for row in _with_what_names_them(model).filter(pk__in=keys)
        }


def _with_what_names_them(model: type[models.Model]) -> models.QuerySet[Any]:
    """The model's rows, brought along with what their names are made of."""
    rows = model._base_manager.all()
    return rows.select_related("content_type") if model._meta.model_name == "permission" else rows


def _names_of_users(keys: Collection[int]) -> dict[int, str]:
    """What users are called; those that were deleted, by their latest version."""
    users: Any = get_user_model()
    names = {user.pk: user.get_full_name() for user in users._base_manager.filter(pk__in=keys)}
    gone = users.history.filter(id__in=set(keys) - set(names)).order_by("history_id")
    return names | {version.id: version.full_name or version.email for version in gone}


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "DATETIME_FORMAT")
    if isinstance(value, date):
        return day_text(value)
    if isinstance(value, int):
        return count_text(value)
    if isinstance(value, Decimal):
        return number_format(value, decimal_pos=2, force_grouping=True)
    return Truncator(str(value)).chars(TEXT_SHOWN)
