"""What an import would do, row by row."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a row does, in the order in which people want to know."""

    ERROR = "error"
    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Problem:
    """Why a row cannot be imported. The place is the column's letter in a spreadsheet; empty for a whole row."""

    place: str
    column: str
    reason: str


@dataclass(frozen=True)
class Change:
    """A value, as the file writes it, before and after."""

    column: str
    old: str
    new: str


@dataclass
class Effect:
    """What one row does, on which line of the file it stands, and what it is about."""

    line: int
    about: str
    is_new: bool = False
    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def kind(self) -> Kind:
        if self.problems:
            return Kind.ERROR
        if self.is_new:
            return Kind.NEW
        return Kind.CHANGED if self.changes else Kind.UNCHANGED


@dataclass(frozen=True)
class DryRun:
    """What an import would do now, in the order of the file, and what is to be said of the file as a whole."""

    effects: Sequence[Effect]
    problems: Sequence[Problem] = ()
    notes: Sequence[str] = ()

    def count(self, kind: Kind) -> int:
        return sum(effect.kind == kind for effect in self.effects)

    @property
    def writes(self) -> int:
        """How many rows would be written."""
        return self.count(Kind.NEW) + self.count(Kind.CHANGED)

    @property
    def has_errors(self) -> bool:
        return bool(self.problems) or self.count(Kind.ERROR) > 0

    @property
    def is_possible(self) -> bool:
        return self.writes > 0 and not self.has_errors

    @property
    def fingerprint(self) -> str:
        """The same for two dry runs that would write the same, and no others."""
        written = [
            (effect.line, effect.about, effect.kind, [asdict(change) for change in effect.changes])
            for effect in self.effects
            if effect.kind != Kind.UNCHANGED
        ]
        return hashlib.sha256(json.dumps([written, len(self.effects)]).encode()).hexdigest()
