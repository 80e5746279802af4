"""JSON bodies: what comes in, checked; what goes out, built in one place per noun."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from privet.model.datasets import Column, Crawl, Dataset, FieldTag, FoundDataset, Rule, RuleTarget
from privet.model.permissions import Permission
from privet.service import Database, Role, Tag, to_english, to_json, to_sql
from privet.service.datasets import DatasetView

Json = dict[str, Any]


class Body(BaseModel):
    """Unknown keys are refused: a misspelt one would otherwise widen or narrow silently."""

    model_config = ConfigDict(extra="forbid")


class Login(Body):
    """Name and password of a local user."""

    user: str
    password: SecretStr


class NewToken(Body):
    """Whom a token is for; `lifetime` in seconds."""

    user: str
    groups: list[str] = Field(default_factory=list[str])
    lifetime: int | None = Field(None, gt=0, lt=2**31)


class NewUser(Body):
    """A local user."""

    user: str
    password: SecretStr
    groups: list[str] = Field(default_factory=list[str])


class NewTag(Body):
    """A tag, `namespace.key`."""

    tag: str
    description: str = ""


class NewRule(Body):
    """A rule that proposes a tag."""

    name: str
    tag: str
    pattern: str
    targets: list[RuleTarget]
    match_rate: float = 0.8
    min_rows: int = 10
    description: str = ""


class NewRole(Body):
    """A role."""

    name: str


class NewDatabase(Body):
    """A database."""

    name: str
    description: str = ""


class NewPermission(Body):
    """A permission, as SQL or in its JSON form."""

    sql: str | None = None
    permission: Json | None = None


class StatementBody(Body):
    """One SQL statement."""

    statement: str


class NewCrawl(Body):
    """What to crawl, and under which name."""

    name: str
    source: str


class ColumnChange(Body):
    """What to change about a column; what is left out stays."""

    name: str
    type: str | None = None
    comment: str | None = None
    tags: list[str] | None = None
    reviewed: bool | None = None


class NewRegistration(Body):
    """Which found dataset goes where."""

    dataset: str
    database: str
    name: str | None = None
    new_database: bool = False
    columns: list[ColumnChange] = Field(default_factory=list[ColumnChange])


class ColumnsChange(Body):
    """Changes made on a revision of a dataset."""

    revision: int
    columns: list[ColumnChange]


def items(listed: list[Json], following: str | None = None) -> Json:
    """A listing."""
    return {"items": listed, "next": following}


def moment(at: datetime | None) -> str | None:
    """A moment in RFC 3339, UTC."""
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def tag_json(tag: Tag) -> Json:
    """A tag."""
    return {"tag": str(tag.name), "description": tag.description, "builtin": tag.builtin}


def rule_json(rule: Rule) -> Json:
    """A rule."""
    return {
        "name": rule.name,
        "tag": str(rule.tag),
        "pattern": rule.pattern,
        "targets": sorted(t.value for t in rule.targets),
        "match_rate": rule.match_rate,
        "min_rows": rule.min_rows,
        "check": rule.check,
        "builtin": rule.builtin,
        "description": rule.description,
    }


def role_json(role: Role) -> Json:
    """A role with the names of its groups."""
    return {
        "name": role.name,
        "groups": sorted(group for _, group in role.groups),
        "builtin": role.builtin,
    }


def database_json(database: Database) -> Json:
    """A database."""
    return {"name": database.name, "description": database.description}


def permission_json(permission: Permission) -> Json:
    """A permission in its three forms."""
    return {
        "id": permission.id,
        "sql": to_sql(permission),
        "english": to_english(permission),
        "json": to_json(permission),
        "created_by": permission.created_by,
        "created_at": moment(permission.created_at),
    }


def field_tag_json(tagged: FieldTag) -> Json:
    """A tag on a field, with the evidence that proposed it."""
    seen = tagged.evidence
    return {
        "tag": str(tagged.tag),
        "path": list(tagged.path),
        "origin": tagged.origin.value,
        "evidence": None
        if seen is None
        else {
            "rule": seen.rule,
            "target": seen.target,
            "sampled": seen.sampled,
            "matched": seen.matched,
            "detail": seen.detail,
        },
    }


def column_json(column: Column) -> Json:
    """A column as a steward sees it."""
    return {
        "name": column.name,
        "source_name": column.source_name,
        "type": str(column.type),
        "comment": column.comment,
        "partition": column.partition,
        "reviewed": column.reviewed,
        "tags": [field_tag_json(t) for t in column.field_tags],
    }


def found_json(found: FoundDataset) -> Json:
    """A dataset that a crawl found."""
    registered = found.registered_as
    return {
        "name": found.name,
        "uri": found.source.uri,
        "format": found.source.format.value,
        "options": dict(found.source.options),
        "partitions": list(found.source.partitions),
        "files": found.files,
        "bytes": found.bytes,
        "problem": found.problem,
        "notes": list(found.notes),
        "registered_as": None if registered is None else str(registered),
        "columns": [column_json(c) for c in found.columns],
    }


def crawl_json(crawl: Crawl) -> Json:
    """A crawl with what it found."""
    return {
        "name": crawl.name,
        "source": crawl.uri,
        "status": crawl.status.value,
        "objects_seen": crawl.objects_seen,
        "error": crawl.error,
        "started_at": moment(crawl.started_at),
        "finished_at": moment(crawl.finished_at),
        "created_by": crawl.created_by,
        "datasets": [found_json(f) for f in crawl.found],
    }


def dataset_json(dataset: Dataset) -> Json:
    """A dataset as a steward sees it."""
    return {
        "name": str(dataset.name),
        "revision": dataset.revision,
        "description": dataset.description,
        "owner": dataset.owner,
        "created_at": moment(dataset.created_at),
        "uri": dataset.source.uri,
        "format": dataset.source.format.value,
        "tags": sorted(map(str, dataset.tags)),
        "columns": [column_json(c) for c in dataset.columns],
    }


def view_json(view: DatasetView) -> Json:
    """A dataset as its reader sees it; stewards see everything."""
    if view.full:
        return dataset_json(view.dataset)
    return {
        "name": str(view.dataset.name),
        "description": view.dataset.description,
        "columns": [
            {
                "name": decided.column.name,
                "type": str(decided.column.type),
                "comment": decided.column.comment,
                "tags": sorted(map(str, decided.column.tags)),
                "verdict": decided.verdict.value,
            }
            for decided in view.decision.visible
        ],
    }
