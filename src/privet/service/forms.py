"""What use cases give, as the JSON that every door sends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from privet.catalog import Database, DataConnection, Role, Tag
from privet.model.crawling.crawls import Crawl, FoundDataset, Schedule
from privet.model.datasets import Column, Dataset, FieldTag, Rule, View
from privet.model.edits import Drift
from privet.model.events import Event
from privet.model.permissions import Permission
from privet.policy import to_english, to_json, to_sql
from privet.service.datasets import DatasetView
from privet.service.running import Run
from privet.service.sessions import IssuedToken, Whoami
from privet.service.statements import StatementResult
from privet.service.views import Lineage

Json = dict[str, Any]


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


def role_change_json(event: Event) -> Json:
    """Who changed a role, a group of it or a permission of it, and when."""
    return {
        "id": event.id,
        "at": moment(event.at),
        "user": event.user,
        "door": event.door,
        "action": event.action,
        "group": event.detail.get("group"),
        "statement": event.statement or None,
        "by_permissions": list(event.permissions),
        "bypass": event.bypass,
    }


def database_json(database: Database) -> Json:
    """A database."""
    return {
        "name": database.name,
        "description": database.description,
        "tags": sorted(map(str, database.tags)),
    }


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
            "interval": None if seen.interval is None else [round(s, 4) for s in seen.interval],
            "examples": list(seen.examples),
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


def drift_json(drift: Iterable[Drift]) -> list[Json]:
    """Where a source is no longer what was reviewed."""
    return [
        {"kind": d.kind.value, "column": d.column, "was": d.was, "now": d.now, "closes": d.closes}
        for d in drift
    ]


def crawl_json(crawl: Crawl, drift: Mapping[str, tuple[Drift, ...]] | None = None) -> Json:
    """A crawl with what it found, and how that differs from what was registered, by found name."""
    drift = drift or {}
    return {
        "name": crawl.name,
        "source": crawl.uri,
        "status": crawl.status.value,
        "objects_seen": crawl.objects_seen,
        "error": crawl.error,
        "started_at": moment(crawl.started_at),
        "finished_at": moment(crawl.finished_at),
        "created_by": crawl.created_by,
        "run": crawl.run,
        "report": crawl.report.to_json(),
        "schedule": None if crawl.schedule is None else schedule_json(crawl.schedule),
        "datasets": [
            found_json(f) | ({"drift": drift_json(drift[f.name])} if f.name in drift else {})
            for f in crawl.found
        ],
    }


def schedule_json(schedule: Schedule) -> Json:
    """When a crawl is done again, and by whose rights."""
    return {
        "expression": schedule.expression,
        "timezone": schedule.timezone,
        "next_at": moment(schedule.next_at),
        "last_at": moment(schedule.last_at),
        "last_error": schedule.last_error,
        "owner": schedule.owner[1],
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
    } | ({} if dataset.view is None else {"view": _made_of(dataset.view)})


def _made_of(view: View) -> Json:
    return {
        "text": view.text,
        "database": view.database,
        "definer": {"issuer": view.definer[0], "user": view.definer[1]},
        "rests": {
            column: sorted(f"{dataset}.{name}" for dataset, name in pairs)
            for column, pairs in sorted(view.rests.items())
        },
        "released": {c: sorted(map(str, tags)) for c, tags in sorted(view.released.items())},
    }


def lineage_json(lineage: Lineage) -> Json:
    """What a dataset is made of, and what is made of it."""
    return {
        "name": str(lineage.dataset.name),
        "parents": list(map(str, lineage.parents)),
        "base_tables": list(map(str, lineage.tables)),
        "children": list(map(str, lineage.children)),
    }


def view_json(view: DatasetView, drift: Iterable[Drift] | None = None) -> Json:
    """A dataset as its reader sees it; stewards see everything, and how it drifted."""
    if view.full:
        told = {} if drift is None else {"drift": drift_json(drift)}
        return dataset_json(view.dataset) | told
    return {
        "name": str(view.dataset.name),
        "description": view.dataset.description,
        "columns": [
            {
                "name": decided.column.name,
                "type": str(decided.column.type),
                "comment": decided.column.comment,
                "tags": sorted(map(str, decided.column.tags | decided.column.inner_tags)),
                "verdict": decided.verdict.value,
            }
            for decided in view.decision.visible
        ],
    }


def whoami_json(known: Whoami) -> Json:
    """A principal with the roles they hold now."""
    principal = known.principal
    return {
        "user": principal.user,
        "issuer": principal.issuer,
        "groups": sorted(principal.groups),
        "roles": sorted(known.roles),
        "admin": principal.admin,
        "attributes": dict(sorted(principal.attributes.items())),
        "other_groups": sorted(principal.other_groups),
        "expires_at": moment(principal.expires_at),
    }


def token_json(issued: IssuedToken) -> Json:
    """A token and its end."""
    return {"token": issued.token, "expires_at": moment(issued.expires_at)}


def statement_json(result: StatementResult) -> Json:
    """What a statement answered."""
    return {
        "kind": result.kind,
        "message": result.message,
        "columns": list(result.columns),
        "rows": [list(row) for row in result.rows],
        "warnings": list(result.warnings),
    }


def run_json(run: Run) -> Json:
    """A scan or query that runs; how many rows it read would tell how many are hidden."""
    return {
        "id": run.started.id,
        "kind": run.kind,
        "user": run.started.user,
        "issuer": run.started.issuer,
        "door": run.started.door,
        "datasets": list(run.datasets),
        "since": moment(run.since),
        "rows": run.progress.rows_returned,
    }


def connection_json(connection: DataConnection) -> Json:
    """A connection, whose secrets are references."""
    return {
        "name": connection.name,
        "driver": connection.driver,
        "host": connection.host,
        "port": connection.port or None,
        "user": connection.user,
        "password": connection.password,
        "database": connection.database,
        "schema": connection.schema,
        "properties": dict(connection.properties),
        "created_by": connection.created_by,
        "created_at": moment(connection.created_at),
        "updated_by": connection.updated_by,
        "updated_at": moment(connection.updated_at),
    }
