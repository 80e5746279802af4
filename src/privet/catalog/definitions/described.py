"""What people say about a dataset: its comment, its tags, and properties of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from privet.model.names import TagName


@dataclass(frozen=True, slots=True)
class Described:
    """Properties mean something to whoever writes them, and nothing to us."""

    comment: str = ""
    tags: frozenset[TagName] = frozenset()
    properties: Mapping[str, str] = field(default_factory=dict[str, str])


NOTHING_SAID = Described()
