"""Audit events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """How it went: a started scan is `allowed`, and its end event says how it ended."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was asked for (`parent` empty) or how it ended (`parent` is its id).

    `action` is dotted, noun first: `scan.start`, `scan.end`, `permission.create`, `session.login`.
    `permissions` are the ids of those that fired. `detail` holds JSON values and no cell value.
    `id` and `at` are given by the log.
    """

    action: str
    outcome: Outcome
    user: str
    issuer: str = ""
    groups: tuple[str, ...] = ()
    door: str = ""
    object: str = ""
    statement: str = ""
    bypass: bool = False
    permissions: tuple[str, ...] = ()
    facts_version: int = 0
    rows_read: int | None = None
    rows_returned: int | None = None
    bytes_returned: int | None = None
    error: str = ""
    parent: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict[str, Any])
    id: str = ""
    at: datetime | None = None
