"""What policies say, whether they come from files or from a catalog."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from privet.model.errors import PrivetError


class PolicyFileWrong(PrivetError):
    """A file of policies that cannot be read, or says what cannot be."""

    code = "policy_file"
    status = 400


class Place(NamedTuple):
    """Where something is written; lines and columns count from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def wrong(self, message: str, hint: str = "") -> PolicyFileWrong:
        """An error about what is written here."""
        return PolicyFileWrong(f"{self}: {message}", hint=hint)


Target = tuple[str, str]
"""A dataset, and the path of a column in it; an empty path for it itself, or for a database."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A permission. `form` is its JSON; `place` where it is written, `id` that of a stored one."""

    sql: str
    english: str
    form: Mapping[str, Any]
    id: str = ""
    place: Place | None = None

    @property
    def key(self) -> str:
        """Equal for statements of which a catalog holds one."""
        return self._text("properties", "grant_option")

    @property
    def content(self) -> str:
        """Equal for statements that say the same."""
        return self._text()

    def _text(self, *without: str) -> str:
        kept = {k: v for k, v in self.form.items() if k not in without}
        return json.dumps(kept, sort_keys=True)


@dataclass(slots=True)
class Policies:
    """Everything by its name; `places` say where the names of files are written.

    Attributes:
        tags: descriptions by tag.
        databases: descriptions by database.
        roles: groups by role.
        rules: what each rule says, by name.
        tagged: tags by what they are on.
        statements: permissions by key.
        targets: every dataset and column that there is; of a catalog only.
    """

    tags: dict[str, str] = field(default_factory=dict[str, str])
    databases: dict[str, str] = field(default_factory=dict[str, str])
    roles: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    rules: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    tagged: dict[Target, frozenset[str]] = field(default_factory=dict[Target, frozenset[str]])
    statements: dict[str, Statement] = field(default_factory=dict[str, Statement])
    places: dict[tuple[object, ...], Place] = field(default_factory=dict[tuple[object, ...], Place])
    targets: frozenset[Target] = frozenset()
    builtin_tags: frozenset[str] = frozenset()
    builtin_roles: frozenset[str] = frozenset()
