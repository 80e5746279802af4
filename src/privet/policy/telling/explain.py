"""Why somebody sees what they see: a decision, said in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from privet.model.decisions import ColumnDecision, Decision, Reason, TransformUse, Verdict
from privet.model.permissions import Permission
from privet.model.transforms import find_spec, is_per_user, steps
from privet.policy.binding import columns_of
from privet.policy.language.english import filter_english, to_english
from privet.policy.language.printing import filter_sql, to_sql, transform_sql
from privet.policy.telling.differences import Portion, filter_of, rows_of, shown_as


@dataclass(frozen=True, slots=True)
class ExplainedReason:
    """What a permission (or the law) did to a column. `permission` is its id, or empty."""

    effect: str
    detail: str
    permission: str = ""
    sql: str = ""
    english: str = ""


@dataclass(frozen=True, slots=True)
class ExplainedColumn:
    """A column's verdict; `transforms` are the printed calls, least protective first.

    `shown` says how its cells are seen; with the filters that decide it, if the reader may know.
    """

    name: str
    type: str
    verdict: str
    shown: str = ""
    tags: tuple[str, ...] = ()
    transforms: tuple[str, ...] = ()
    reasons: tuple[ExplainedReason, ...] = ()


@dataclass(frozen=True, slots=True)
class ExplainedPermission:
    """A permission that was considered; `ignored` says why it grants nothing here, if so."""

    id: str
    sql: str
    english: str
    ignored: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision for people and for JSON.

    `filter` is the effective row filter: None where every row is shown, or where the reader may
    not know it. `complete` is false in the form that shows no more than a scan would. `behind` are
    those of what a view reads, by its definer's grants.
    """

    dataset: str
    user: str
    issuer: str
    groups: tuple[str, ...]
    roles: tuple[str, ...]
    allowed: bool
    bypass: bool
    complete: bool
    columns: tuple[ExplainedColumn, ...] = ()
    filter: str | None = None
    filter_english: str = ""
    permissions: tuple[ExplainedPermission, ...] = ()
    warnings: tuple[str, ...] = ()
    version: int | None = None
    digest: str = field(default="")
    behind: tuple[Explanation, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The explanation as JSON values."""
        fired = [_permission_dict(p) for p in self.permissions if not p.ignored]
        return {
            "dataset": self.dataset,
            "user": self.user,
            "issuer": self.issuer,
            "groups": list(self.groups),
            "roles": list(self.roles),
            "allowed": self.allowed,
            "bypass": self.bypass,
            "complete": self.complete,
            "columns": [_column_dict(c) for c in self.columns],
            "filter": {"sql": self.filter, "english": self.filter_english}
            if self.filter is not None
            else None,
            "permissions": fired,
            "ignored": [
                {**_permission_dict(p), "reason": p.ignored} for p in self.permissions if p.ignored
            ],
            "warnings": list(self.warnings),
            "version": self.version,
            "digest": self.digest,
            "behind": [each.to_dict() for each in self.behind],
        }

    def lines(self) -> Iterator[str]:
        """The explanation as lines of text."""
        roles = ", ".join(self.roles) or "none"
        yield f"{self.dataset} as seen by {self.user} (roles: {roles})"
        if self.bypass:
            yield "a catalog admin: every column and row, whatever the permissions say"
        elif not self.allowed:
            yield "nothing is visible: the dataset does not exist for this user"
        elif self.filter is not None:
            yield f"rows: {self.filter_english}"
        elif self.complete:
            yield "rows: all"
        for column in self.columns:
            yield from _column_lines(column)
        for permission in self.permissions:
            state = f"ignored, {permission.ignored}" if permission.ignored else "in force"
            yield f"permission {permission.id or '-'} ({state}): {permission.sql}"
            yield f"    {permission.english}"
        for warning in self.warnings:
            yield f"warning: {warning}"


def explain(decision: Decision, *, steward: bool) -> Explanation:
    """Explain a decision. Never raises: a caller without the right requires the decision first.

    With `steward` false it shows what the reader's own scan would show: the visible columns with
    their verdicts, and the row filter only if every column in it is visible in clear.
    """
    principal = decision.principal
    rows = rows_of(decision)
    row_filter = filter_of(decision) if rows.portion is Portion.SOME else None
    if not steward and not _in_view(decision):
        row_filter = None
    columns = decision.columns if steward else decision.visible
    return Explanation(
        dataset=str(decision.name),
        user=principal.user,
        issuer=principal.issuer,
        groups=tuple(sorted(principal.groups)),
        roles=tuple(sorted(decision.roles)),
        allowed=decision.allowed,
        bypass=decision.bypass,
        complete=steward,
        columns=tuple(_column(c, decision, steward=steward) for c in columns),
        filter=None if row_filter is None else filter_sql(row_filter),
        filter_english="" if row_filter is None else filter_english(row_filter),
        permissions=_permissions(decision) if steward else (),
        warnings=_warnings(decision) if steward else tuple(_unjoinable(decision)),
        version=decision.version if steward else None,
        digest=decision.digest if steward else "",
    )


def _warnings(decision: Decision) -> tuple[str, ...]:
    """All that a steward should know of what a decision rests on, and of what it tells."""
    found = {*decision.warnings, *_unjoinable(decision), *_told_by_null(decision)}
    if decision.dataset is not None:
        names = {c.name for c in decision.dataset.columns}
        for name, permission in decision.considered.items():
            found |= set(_gone(name, permission, names))
    return tuple(sorted(found))


def _gone(name: str, permission: Permission, columns: set[str]) -> Iterator[str]:
    for column in permission.columns:
        if column.split(".")[0] not in columns:
            yield f"permission {name or 'unnamed'} is on column `{column}`, which is not here"


def _unjoinable(decision: Decision) -> Iterator[str]:
    """Columns in view whose tokens are of this dataset alone."""
    for column in decision.visible:
        uses = [use for use in _uses(column) if not use.admitted and _is_shared(use)]
        if uses:
            domain = uses[0].domain
            why = f"admitted to token domain `{domain}`" if domain else "tagged with a token domain"
            name = column.column.name
            yield f"tokens of column `{name}` join with no other dataset: it is not {why}"


def _is_shared(use: TransformUse) -> bool:
    """Whether other datasets of its domain would have the same tokens, if it was in it."""
    specs = [find_spec(s.function) for s in steps(use.call) if not is_per_user(s)]
    return any(s is not None and s.keyed and not s.per_table for s in specs)


def _uses(column: ColumnDecision) -> tuple[TransformUse, ...]:
    own = (option.transform for option in column.options)
    return tuple(use for use in (*own, *column.safeguards) if use is not None)


def _told_by_null(decision: Decision) -> Iterator[str]:
    """Columns whose NULLs tell which filter holds, where that rests on cells out of view."""
    clear = {c.column.name for c in decision.columns if c.verdict is Verdict.CLEAR}
    for column in decision.visible:
        if column.verdict is not Verdict.PARTLY or _is_alike(column, decision):
            continue
        filters = (*(f for f in decision.filters if f is not None), *column.cell_filters)
        hidden = sorted({name for f in filters for name in columns_of(f)} - clear)
        if hidden:
            yield (
                f"in column `{column.column.name}` what is NULL or transformed tells about "
                f"`{hidden[0]}`, which is not in clear view"
            )


def _is_alike(column: ColumnDecision, decision: Decision) -> bool:
    """Whether the same is seen of it in every row in view."""
    (option, *others) = column.options
    return not others and not column.cell_filters and len(option.filters) == len(decision.filters)


def _in_view(decision: Decision) -> bool:
    clear = {c.column.name for c in decision.columns if c.verdict is Verdict.CLEAR}
    filters = (*decision.filters, *decision.restrictions)
    return all(clear >= set(columns_of(f)) for f in filters if f is not None)


def _column(column: ColumnDecision, decision: Decision, *, steward: bool) -> ExplainedColumn:
    dataset = decision.dataset
    held = dataset.effective_tags(column.column) if dataset else frozenset()
    reasons = column.reasons if steward else ()
    return ExplainedColumn(
        name=column.column.name,
        type=str(column.column.type),
        verdict=str(column.verdict),
        shown=_shown(column, decision, steward=steward),
        tags=tuple(sorted(map(str, held))),
        transforms=tuple(dict.fromkeys(transform_sql(use.call) for use in _uses(column))),
        reasons=tuple(_reason(r, decision) for r in reasons),
    )


def _shown(column: ColumnDecision, decision: Decision, *, steward: bool) -> str:
    if steward or column.verdict is not Verdict.PARTLY:
        return shown_as(column, decision).how
    return "not alike in every row"


def _reason(reason: Reason, decision: Decision) -> ExplainedReason:
    permission = decision.considered.get(reason.permission_id)
    return ExplainedReason(
        reason.effect,
        reason.detail,
        reason.permission_id,
        to_sql(permission) if permission else "",
        to_english(permission) if permission else "",
    )


def _permissions(decision: Decision) -> tuple[ExplainedPermission, ...]:
    return tuple(
        ExplainedPermission(
            name, to_sql(permission), to_english(permission), decision.ignored.get(name, "")
        )
        for name, permission in sorted(decision.considered.items())
    )


def _column_dict(column: ExplainedColumn) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type,
        "tags": list(column.tags),
        "verdict": column.verdict,
        "shown": column.shown,
        "transform": column.transforms[0] if column.transforms else None,
        "transforms": list(column.transforms),
        "reasons": [
            {
                "effect": r.effect,
                "detail": r.detail,
                "permission": {"id": r.permission, "sql": r.sql, "english": r.english}
                if r.sql
                else None,
            }
            for r in column.reasons
        ],
    }


def _permission_dict(permission: ExplainedPermission) -> dict[str, Any]:
    return {"id": permission.id, "sql": permission.sql, "english": permission.english}


def _column_lines(column: ExplainedColumn) -> Iterator[str]:
    tags = f" [{', '.join(column.tags)}]" if column.tags else ""
    how = f" by {', '.join(column.transforms)}" if column.transforms else ""
    yield f"  {column.name} {column.type}{tags}: {column.verdict}{how}"
    for reason in column.reasons:
        source = f" (permission {reason.permission})" if reason.permission else ""
        yield f"      {reason.effect}: {reason.detail}{source}"
