"""Which datasets a request for them means: by names, tags, connection, rights and pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from privet.model.datasets import Column
from privet.model.errors import InvalidRequest, NotFound
from privet.model.names import DatasetName, TagName, fold
from privet.model.permissions import on_dataset
from privet.model.sources import connection_of
from privet.okera.calls import Call
from privet.okera.idl import T
from privet.okera.rpc.attributes import tag_of
from privet.okera.rpc.held import Held


def choose(call: Call, params: Any) -> tuple[Sequence[Any], int]:
    """The datasets of the page that is asked for, and how many there are on all pages.

    Raises:
        InvalidRequest: filters that exclude each other, or a connection that there is not.
    """
    _check(params)
    if call.compatibility and params.attributes and params.count:
        return _as_the_original(call, params)
    views = list(_chosen(call, params, _named(call, params)))
    return _page(views, params), len(views)


def _as_the_original(call: Call, params: Any) -> tuple[Sequence[Any], int]:
    """It cuts pages of what has the tags, and looks at names afterwards."""
    everything = call.services.datasets.list(call.caller)
    page = _page(list(_tagged_ones(call, params, everything)), params)
    names = {v.dataset.name for v in _named(call, params)}
    views = list(_chosen(call, params, [v for v in page if v.dataset.name in names]))
    return views, len(views)


def _page(views: list[Any], params: Any) -> list[Any]:
    rest = views[params.offset or 0 :]
    return rest[: params.count] if params.count else rest


def columns_of(view: Any) -> list[Column]:
    """The columns that its reader knows of."""
    if view.full and not view.decision.visible:
        return list(view.dataset.columns)
    return [decided.column for decided in view.decision.visible]


def _check(params: Any) -> None:
    for other in ("databases", "filter", "connection_name", "count_only"):
        if params.dataset_names and getattr(params, other):
            raise InvalidRequest(f"Cannot specify both dataset_names and {other}.")
    if params.count_only and not params.names_only:
        raise InvalidRequest("Cannot specify count_only without names_only")


def _chosen(call: Call, params: Any, views: Iterable[Any]) -> Iterator[Any]:
    held = Held.of(call) if params.access_levels else None
    for view in _tagged_ones(call, params, views):
        name = view.dataset.name
        if params.filter and params.filter.lower() not in name.name:
            continue
        if held and not held.anything_on(on_dataset(name), params.access_levels):
            continue
        yield view


def _tagged_ones(call: Call, params: Any, views: Iterable[Any]) -> Iterator[Any]:
    """Those over the connection and with the tags that are asked for, if any are."""
    connection = _known_connection(call, params.connection_name)
    tags = {tag_of(a) for a in params.attributes or ()}
    for view in views:
        if connection and _connection(view) != connection:
            continue
        if not tags or _tagged(call, view, tags, params.attr_match_level):
            yield view


def _named(call: Call, params: Any) -> Iterable[Any]:
    datasets = call.services.datasets
    if params.dataset_names:
        for text in params.dataset_names:
            database, _, name = text.partition(".")
            try:
                yield datasets.get(call.caller, DatasetName(fold(database), fold(name)))
            except (NotFound, InvalidRequest):
                continue
    elif params.databases:
        for database in params.databases:
            yield from datasets.list(call.caller, fold(database))
    else:
        yield from (
            v for v in datasets.list(call.caller) if not v.dataset.name.database.startswith("_")
        )


def _known_connection(call: Call, name: str | None) -> str:
    """A connection that the caller has a right on, or administers a dataset over.

    Raises:
        InvalidRequest: there is none that they know of.
    """
    if not name:
        return ""
    folded = name.lower()
    known = {c.name for c in call.services.connections.list(call.caller)}
    if folded not in known:
        known |= set(map(_connection, call.services.datasets.list(call.caller)))
    if folded not in known:
        raise InvalidRequest("Connection name does not exist.")
    return folded


def _connection(view: Any) -> str:
    """The connection of a dataset, for those who may know where it lies."""
    return connection_of(view.dataset.source) if view.full else ""


def _tagged(call: Call, view: Any, tags: set[TagName], level: int | None) -> bool:
    match = T.TAttributeMatchLevel
    on_table = bool(view.dataset.tags & tags)
    on_column = any((c.tags | c.inner_tags) & tags for c in columns_of(view))
    if level == match.COLUMN_ONLY:
        return on_column
    if level == match.TABLE_ONLY:
        return on_table
    if level in {match.DATABASE_ONLY, match.SERVER_ONLY}:
        # That is asked of databases; of datasets none is one.
        return False
    if level == match.TABLE_PLUS or level is None:
        return on_table or on_column
    return on_table or on_column or _on_database(call, view, tags)


def _on_database(call: Call, view: Any, tags: set[TagName]) -> bool:
    database = call.services.databases.get(call.caller, view.dataset.name.database)
    return bool(database.database.tags & tags)
