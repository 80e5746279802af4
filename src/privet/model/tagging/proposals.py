"""Proposals that wait for an answer, and those that were rejected."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from privet.model.datasets import FieldTag
from privet.model.names import DatasetName, FieldPath, TagName
from privet.model.tagging.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Proposal:
    """A tag that rules propose for a field of a registered dataset, and that is not on it.

    `rules` is a digest of the rules that proposed it, at the moment `at`.
    """

    dataset: DatasetName
    tag: FieldTag
    rules: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RejectedColumn:
    """What a rejection was about, without a cell: a case that rules can be tried on."""

    source_name: str
    comment: str
    type: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """A proposal that somebody rejected: rules do not propose it again for that path.

    `uri` is where the files lie, so that it holds for whatever is registered there.
    """

    uri: str
    path: FieldPath
    tag: TagName
    column: RejectedColumn
    evidence: Evidence | None
    by: str
    at: datetime
    dataset: DatasetName | None = field(default=None)
    """What is registered there now."""
