"""Crawls, datasets, explanations and the audit."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, status

from privet.model.datasets import parse_type
from privet.model.edits import ColumnEdit
from privet.model.errors import InvalidRequest
from privet.model.events import Outcome
from privet.model.names import DatasetName, FieldPath, TagName, fold, parse_path
from privet.rest.bodies import (
    ColumnChange,
    ColumnsChange,
    NewCrawl,
    NewRegistration,
    NewSchedule,
    items,
)
from privet.rest.callers import CallerDep, ServicesDep
from privet.rest.strict import StrictRoute
from privet.service import event_dict
from privet.service.crawls import Registration
from privet.service.effects import readers_json
from privet.service.forms import (
    Json,
    connection_json,
    crawl_json,
    dataset_json,
    lineage_json,
    view_json,
)

router = APIRouter(route_class=StrictRoute, prefix="/v1")
_GONE = status.HTTP_204_NO_CONTENT


def _name(database: str, name: str) -> DatasetName:
    return DatasetName(fold(database, "database name"), fold(name, "dataset name"))


@router.post("/crawls", tags=["crawls"], status_code=status.HTTP_202_ACCEPTED)
def start_crawl(caller: CallerDep, services: ServicesDep, body: NewCrawl) -> Json:
    """Begin a crawl; it goes on in the background."""
    return crawl_json(
        services.crawls.start(caller, body.name, body.source, single_files=body.single_files)
    )


@router.get("/crawls", tags=["crawls"])
def list_crawls(caller: CallerDep, services: ServicesDep) -> Json:
    """All crawls."""
    return items([crawl_json(c) for c in services.crawls.list(caller)])


@router.get("/crawls/{name}", tags=["crawls"])
def get_crawl(caller: CallerDep, services: ServicesDep, name: str) -> Json:
    """One crawl, as far as it got."""
    crawl = services.crawls.get(caller, name)
    return crawl_json(crawl, services.crawls.drift(caller, crawl))


@router.post("/crawls/{name}/cancel", tags=["crawls"])
def cancel_crawl(caller: CallerDep, services: ServicesDep, name: str) -> Json:
    """End a crawl that runs; the next one goes on from what it has looked into."""
    return crawl_json(services.crawls.cancel(caller, name))


@router.delete("/crawls/{name}", tags=["crawls"], status_code=_GONE)
def drop_crawl(caller: CallerDep, services: ServicesDep, name: str) -> None:
    """Forget a crawl, its schedule and what it remembers; datasets stay."""
    services.crawls.drop(caller, name)


@router.post("/crawls/{name}/schedule", tags=["crawls"])
def schedule_crawl(caller: CallerDep, services: ServicesDep, name: str, body: NewSchedule) -> Json:
    """Crawl again whenever the schedule says, by the rights that the caller has by then."""
    return crawl_json(services.crawls.schedules.put(caller, name, body.expression, body.timezone))


@router.delete("/crawls/{name}/schedule", tags=["crawls"], status_code=_GONE)
def unschedule_crawl(caller: CallerDep, services: ServicesDep, name: str) -> None:
    """Crawl again only when somebody says so."""
    services.crawls.schedules.drop(caller, name)


@router.post("/crawls/{name}/register", tags=["crawls"], status_code=status.HTTP_201_CREATED)
def register(caller: CallerDep, services: ServicesDep, name: str, body: NewRegistration) -> Json:
    """Make what was found a dataset; this is the review of its columns."""
    if any(change.reviewed is False for change in body.columns):
        raise InvalidRequest("registering reviews every column", hint="leave `reviewed` out")
    wanted = Registration(
        found=body.dataset,
        name=_name(body.database, body.name or body.dataset),
        new_database=body.new_database,
        columns=_edits(body.columns),
    )
    made = services.crawls.register(caller, name, wanted)
    return dataset_json(made) | {"warnings": list(services.permissions.misfits(caller, made))}


def _edit(change: ColumnChange) -> ColumnEdit:
    return ColumnEdit(
        type=None if change.type is None else parse_type(change.type),
        comment=change.comment,
        tags=None if change.tags is None else tuple(TagName.parse(t) for t in change.tags),
        reviewed=change.reviewed,
    )


def _edits(changes: list[ColumnChange]) -> dict[str, ColumnEdit]:
    edits = {fold(c.name, "column name"): _edit(c) for c in changes}
    if len(edits) != len(changes):
        raise InvalidRequest("a column is named twice")
    return edits


@router.get("/connections", tags=["connections"])
def list_connections(caller: CallerDep, services: ServicesDep) -> Json:
    """The connections to databases that the caller has a right on."""
    return items([connection_json(c) for c in services.connections.list(caller)])


@router.get("/connections/{name}", tags=["connections"])
def get_connection(caller: CallerDep, services: ServicesDep, name: str) -> Json:
    """One connection."""
    return connection_json(services.connections.get(caller, name))


@router.post("/connections/{name}/test", tags=["connections"])
def try_connection(caller: CallerDep, services: ServicesDep, name: str) -> Json:
    """Try to log in, and say whether that works."""
    tested = services.connections.test(caller, name)
    return {"name": tested.connection.name, "works": not tested.problem, "problem": tested.problem}


@router.get("/datasets", tags=["datasets"])
def list_datasets(caller: CallerDep, services: ServicesDep, database: str | None = None) -> Json:
    """The datasets that the caller sees something of."""
    chosen = None if database is None else fold(database, "database name")
    return items([view_json(v) for v in services.datasets.list(caller, chosen)])


@router.get("/datasets/{database}/{name}", tags=["datasets"])
def get_dataset(caller: CallerDep, services: ServicesDep, database: str, name: str) -> Json:
    """One dataset."""
    view = services.datasets.get(caller, _name(database, name))
    return view_json(view, services.datasets.drift(view))


@router.get("/datasets/{database}/{name}/lineage", tags=["datasets"])
def get_lineage(caller: CallerDep, services: ServicesDep, database: str, name: str) -> Json:
    """What a dataset is made of, and the views that are made of it."""
    return lineage_json(services.views.lineage(caller, _name(database, name)))


@router.delete("/datasets/{database}/{name}", tags=["datasets"], status_code=_GONE)
def drop_dataset(caller: CallerDep, services: ServicesDep, database: str, name: str) -> None:
    """Forget a dataset; the data is not touched."""
    services.tables.drop(caller, _name(database, name))


@router.patch("/datasets/{database}/{name}/columns", tags=["datasets"])
def change_columns(
    caller: CallerDep, services: ServicesDep, database: str, name: str, body: ColumnsChange
) -> Json:
    """Change columns, all or none; refused when somebody changed the dataset since `revision`."""
    edits = _edits(body.columns)
    changed = services.datasets.update_columns(caller, _name(database, name), edits, body.revision)
    return dataset_json(changed)


@router.post("/datasets/{database}/{name}/review", tags=["datasets"])
def review(
    caller: CallerDep,
    services: ServicesDep,
    database: str,
    name: str,
    revision: int | None = None,
) -> Json:
    """Accept a dataset as it is at its source, if nobody changed it since `revision`."""
    return dataset_json(services.datasets.review(caller, _name(database, name), revision))


def _path(path: str) -> FieldPath:
    return parse_path(path) if path else ()


@router.put("/datasets/{database}/{name}/tags/{tag}", tags=["datasets"], status_code=_GONE)
def assign_tag(  # noqa: PLR0913, PLR0917 - the parameters of the address
    caller: CallerDep,
    services: ServicesDep,
    database: str,
    name: str,
    tag: str,
    path: str = "",
    revision: int | None = None,
) -> None:
    """Put a tag on a dataset, or on the field at `path`: column.field, odd ones in back quotes."""
    services.tags.assign(caller, _name(database, name), _path(path), TagName.parse(tag), revision)


@router.delete("/datasets/{database}/{name}/tags/{tag}", tags=["datasets"], status_code=_GONE)
def unassign_tag(  # noqa: PLR0913, PLR0917 - the parameters of the address
    caller: CallerDep,
    services: ServicesDep,
    database: str,
    name: str,
    tag: str,
    path: str = "",
    revision: int | None = None,
) -> None:
    """Take a tag off a dataset, or off the field at `path`."""
    services.tags.unassign(caller, _name(database, name), _path(path), TagName.parse(tag), revision)


@router.get("/datasets/{database}/{name}/explain", tags=["datasets"])
def explain(
    caller: CallerDep,
    services: ServicesDep,
    database: str,
    name: str,
    user: str | None = None,
    groups: Annotated[str | None, Query(description="comma-separated")] = None,
) -> Json:
    """What a user would get, and why."""
    named = None if groups is None else [g for g in groups.split(",") if g]
    dataset = _name(database, name)
    return services.explanations.explain(caller, dataset, user, named).to_dict()


@router.get("/datasets/{database}/{name}/columns/{column}/readers", tags=["datasets"])
def who_can_see(
    caller: CallerDep, services: ServicesDep, database: str, name: str, column: str
) -> Json:
    """Who sees a column, how, and by which permissions."""
    dataset = _name(database, name)
    folded = fold(column, "column name")
    return readers_json(services.readers.of_column(caller, dataset, folded))


@router.get("/audit", tags=["audit"])
def list_audit(  # noqa: PLR0913, PLR0917 - the parameters of the address
    caller: CallerDep,
    services: ServicesDep,
    user: str | None = None,
    action: str | None = None,
    object: str | None = None,  # noqa: A002 - the interface
    outcome: Outcome | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: str | None = None,
) -> Json:
    """Audit events, newest first."""
    events = services.audits.list(
        caller,
        user=user,
        action=action,
        object=object,
        outcome=outcome,
        limit=limit,
        before=before,
    )
    following = events[-1].id if len(events) == limit else None
    return items([event_dict(e) for e in events], following)
