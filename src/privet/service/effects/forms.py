"""What was worked out, as the JSON that every door sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from privet.model.errors import PrivetError
from privet.model.permissions import Permission
from privet.policy import ColumnChange, Rows, Shown, to_english, to_json, to_sql
from privet.service.effects.outlooks import Effect, Outlook, StatementVerdict
from privet.service.effects.readers import ColumnReaders, Sight
from privet.service.effects.subjects import Subject

Json = dict[str, Any]


def outlook_json(outlook: Outlook) -> Json:
    """The difference that statements would make."""
    return {
        "statements": [verdict_json(v) for v in outlook.verdicts],
        "changes": [_effect_json(e) for e in outlook.effects],
        "unchanged": outlook.unchanged,
        "unknown": list(outlook.unknown),
        "complete": outlook.complete,
        "version": outlook.version,
    }


def verdict_json(verdict: StatementVerdict) -> Json:
    """What carrying out a statement would say."""
    permission = verdict.permission
    return {
        "text": verdict.text,
        "sql": permission and to_sql(permission, **({"verb": "REVOKE"} if verdict.removes else {})),
        "english": permission and to_english(permission),
        "json": permission and to_json(permission),
        "removes": verdict.removes,
        "warnings": list(verdict.warnings),
        "problem": verdict.problem and _problem_json(verdict.problem),
    }


def readers_json(found: ColumnReaders) -> Json:
    """Who sees a column."""
    return {
        "dataset": str(found.dataset),
        "column": found.column.name,
        "type": str(found.column.type),
        "tags": sorted(map(str, found.column.tags | found.column.inner_tags)),
        "readers": [
            _sight_json(sight, found.permissions)
            | {"subjects": [_subject_json(s) for s in subjects]}
            for sight, subjects in found.readers
        ],
        "hidden": [_subject_json(s) for s in found.hidden],
        "through": [readers_json(each) for each in found.through],
        "unknown": list(found.unknown),
        "complete": found.complete,
    }


def _problem_json(error: PrivetError) -> Json:
    return {
        "code": error.code,
        "detail": error.message,
        "hint": error.hint,
        "position": error.position and error.position._asdict(),
    }


def _effect_json(effect: Effect) -> Json:
    change = effect.change
    return {
        "dataset": str(effect.dataset),
        "subjects": [_subject_json(s) for s in effect.subjects],
        "rows": {
            "before": _rows_json(change.rows_before) | {"count": effect.count_before},
            "after": _rows_json(change.rows_after) | {"count": effect.count_after},
        },
        "columns": [_column_json(c) for c in change.columns],
    }


def _subject_json(subject: Subject) -> Json:
    if subject.role:
        return {"role": subject.role}
    principal = subject.principal
    return {
        "user": principal.user,
        "issuer": principal.issuer,
        "groups": sorted(principal.groups),
        "roles": sorted(subject.roles.held),
    }


def _rows_json(rows: Rows) -> Json:
    return {
        "shown": str(rows.portion),
        "filter": rows.filter or None,
        "english": rows.english or None,
        "behind": [
            {
                "dataset": str(name),
                "shown": str(each.portion),
                "filter": each.filter or None,
                "english": each.english or None,
            }
            for name, each in rows.behind
        ],
    }


def _column_json(change: ColumnChange) -> Json:
    return {
        "name": change.name,
        "direction": str(change.direction),
        "before": _shown_json(change.before),
        "after": _shown_json(change.after),
    }


def _shown_json(shown: Shown) -> Json:
    return {"verdict": str(shown.verdict), "how": str(shown)}


def _sight_json(sight: Sight, permissions: Mapping[str, Permission]) -> Json:
    return _shown_json(sight.shown) | {
        "rows": _rows_json(sight.rows),
        "bypass": sight.bypass,
        "permissions": [
            {"id": i, "sql": to_sql(permissions[i]), "english": to_english(permissions[i])}
            for i in sight.permissions
        ],
    }
