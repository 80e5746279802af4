"""Events as rows, and as JSON: bounded, and each on one line wherever it is printed."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from privet.model.errors import AuditUnavailable
from privet.model.events import Event, Outcome

STATEMENT_BYTES = 64 * 1024
TEXT_BYTES = 1024
DETAIL_BYTES = 64 * 1024
MAX_ITEMS = 1000

_CUT = "…"
_MAX_DEPTH = 8
_MAX_COUNT = 2**63 - 1
# Controls, line and paragraph separators, marks that turn the direction of text, lone surrogates.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)


def clean(event: Event, event_id: str, at: datetime) -> Event:
    """The event as it will be stored: stamped, texts bounded and escaped.

    Raises:
        AuditUnavailable: it holds something that is no JSON value or no count: a mistake of the
            caller, and no reason to let anything happen unrecorded.
    """
    _check_counts(event)
    return replace(
        event,
        action=clean_text(event.action),
        user=clean_text(event.user),
        issuer=clean_text(event.issuer),
        groups=_clean_items(event.groups),
        door=clean_text(event.door),
        object=clean_text(event.object),
        statement=clean_text(event.statement, STATEMENT_BYTES),
        permissions=_clean_items(event.permissions),
        error=clean_text(event.error),
        parent=clean_text(event.parent),
        detail=_clean_detail(event.detail),
        id=event_id,
        at=at.astimezone(UTC),
    )


def clean_text(text: str, limit: int = TEXT_BYTES) -> str:
    """Escape what would break a line or mislead a reader; cut to `limit` bytes of UTF-8."""
    escaped = _UNPRINTABLE.sub(_escape, text[: limit + 1])
    encoded = escaped.encode()
    if len(encoded) <= limit:
        return escaped
    return encoded[: limit - len(_CUT.encode())].decode(errors="ignore") + _CUT


def to_row(event: Event) -> dict[str, Any]:
    """The columns of `audit_events` for a cleaned event."""
    return {
        "id": event.id,
        "at": event.at,
        "action": event.action,
        "outcome": event.outcome.value,
        "user": event.user,
        "issuer": event.issuer,
        "groups": list(event.groups),
        "door": event.door,
        "object": event.object,
        "statement": event.statement,
        "bypass": event.bypass,
        "permissions": list(event.permissions),
        "facts_version": event.facts_version,
        "rows_read": event.rows_read,
        "rows_returned": event.rows_returned,
        "bytes_returned": event.bytes_returned,
        "error": event.error,
        "parent": event.parent,
        "detail": dict(event.detail),
    }


def from_row(row: Mapping[str, Any]) -> Event:
    """The event that `to_row` made the row of."""
    values = dict(row)
    values.pop("seq", None)
    values["outcome"] = Outcome(values["outcome"])
    values["groups"] = tuple(values["groups"])
    values["permissions"] = tuple(values["permissions"])
    return Event(**values)


def to_dict(event: Event) -> dict[str, Any]:
    """The JSON form: as the row, `at` as text in UTC (RFC 3339)."""
    form = to_row(event)
    if event.at is not None:
        moment = event.at.astimezone(UTC).isoformat(timespec="microseconds")
        form["at"] = moment.replace("+00:00", "Z")
    return form


def _escape(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode()


def _clean_items(items: tuple[str, ...]) -> tuple[str, ...]:
    kept = tuple(clean_text(item) for item in items[:MAX_ITEMS])
    dropped = len(items) - len(kept)
    return (*kept, f"{_CUT} and {dropped} more") if dropped else kept


def _check_counts(event: Event) -> None:
    counts = (event.facts_version, event.rows_read, event.rows_returned, event.bytes_returned)
    if not all(count is None or 0 <= count <= _MAX_COUNT for count in counts):
        raise _unwritable()


def _clean_detail(detail: Mapping[str, Any]) -> dict[str, Any]:
    cleaned = _clean_value(detail, 0)
    size = len(json.dumps(cleaned))
    return cleaned if size <= DETAIL_BYTES else {"left_out": f"{size} bytes of detail"}


def _clean_value(value: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise _unwritable()
    match value:
        case None | bool():
            return value
        case int():
            return value if abs(value) <= _MAX_COUNT else str(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case str():
            return clean_text(value)
        case Mapping():
            members = cast("Mapping[object, Any]", value)
            return {clean_text(str(key)): _clean_value(members[key], depth + 1) for key in members}
        case list() | tuple():
            return [_clean_value(item, depth + 1) for item in cast("list[Any]", value)]
        case _:
            raise _unwritable()


def _unwritable() -> AuditUnavailable:
    return AuditUnavailable(
        "the audit event cannot be written",
        hint="this is a fault of the server: report it with what you asked for",
    )
