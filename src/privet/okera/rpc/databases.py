"""Databases, and the one catalog that they are in: listing is deciding, as everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from privet.model.errors import InvalidRequest
from privet.model.names import TagName, fold
from privet.model.permissions import CATALOG, AccessLevel, Scope, ScopeKind, on_database
from privet.okera.calls import Call, Handler
from privet.okera.idl import T
from privet.okera.rpc.attributes import tag_of, value_of
from privet.okera.rpc.held import Held, level_names, levels_of

_CATALOG_NAME = "okera"
_MOST = 10_000
_INHERITED = frozenset(
    {AccessLevel.CREATE, AccessLevel.SHOW, AccessLevel.INSERT, AccessLevel.SELECT, AccessLevel.ALL}
)


_ABOUT_OTHERS = frozenset(
    {
        AccessLevel.CREATE_CRAWLER_AS_OWNER,
        AccessLevel.CREATE_DATACONNECTION_AS_OWNER,
        AccessLevel.CREATE_ROLE_AS_OWNER,
        AccessLevel.MANAGE_GROUPS,
        AccessLevel.MANAGE_PERMISSIONS,
        AccessLevel.USE,
    }
)
"""Levels that on a catalog are about what lies in no database."""


def _get(call: Call, params: Any) -> Any:
    known = call.services.datasets.list_databases(call.caller)
    names = [fold(n) for n in params.db_names] if params.db_names else None
    held = Held.of(call) if params.access_levels else None
    found = [
        T.TDatabase(name=[d.name], metadata=dict(d.properties), description=d.description)
        for d in known
        if (names is None or d.name in names)
        and (not params.filter or params.filter.lower() in d.name)
        and (held is None or held.anything_in(d.name, params.access_levels))
        and not d.name.startswith("_")
    ]
    return T.TGetDatabasesResult(databases=found)


def _list(call: Call, params: Any) -> Any:
    held = Held.of(call)
    found = [d for d in _known(call, held) if _wanted(d, params)]
    if params.access_levels:
        found = [d for d in found if held.anything_in(d.name, params.access_levels)]
    views = None
    if not params.names_only or params.attributes:
        views = call.services.datasets.list(call.caller)
    if params.attributes:
        tags = {tag_of(a) for a in params.attributes}
        level = params.attr_match_level
        found = [d for d in found if _tagged(d, views or (), tags, level)]
    total, first = len(found), _first(params.page_token)
    size = params.limit or _MOST
    page = found[first : first + size]
    return T.TListDatabasesResult(
        databases=[_told(d, views, held, names_only=bool(params.names_only)) for d in page],
        prev_page_token=str(max(0, first - size)) if first else None,
        next_page_token=str(first + size) if first + size < total else None,
        total_count=total,
    )


def _known(call: Call, held: Held) -> list[Any]:
    """Those that the caller knows; with the original also those that a level is held on."""
    known = call.services.datasets.list_databases(call.caller)
    if not call.compatibility or held.admin:
        return list(known)
    names = {d.name for d in known}
    return [
        d
        for d in call.services.datasets.list_databases(call.of_user("").caller)
        if d.name in names or held.levels_on(on_database(d.name), _INHERITED - {AccessLevel.SELECT})
    ]


def _first(token: str | None) -> int:
    if not token:
        return 0
    if not token.isdecimal():
        raise InvalidRequest("that is no page token", hint="send one that an answer had")
    return int(token)


def _wanted(database: Any, params: Any) -> bool:
    name = database.name
    crawler = name.startswith("_okera_crawler_")
    if params.is_crawler is not None and params.is_crawler != crawler:
        return False
    if params.ignore_internal_dbs and name.startswith("_") and not crawler:
        return False
    if params.db_names and name not in {n.lower() for n in params.db_names}:
        return False
    return not params.db_name_pattern or matches(name, params.db_name_pattern)


def matches(name: str, pattern: str) -> bool:
    """As the original has patterns: `*` is any text, `|` or."""
    alternatives = pattern.lower().split("|")
    return any(
        re.fullmatch(".*".join(map(re.escape, each.strip().split("*"))), name)
        for each in alternatives
    )


def _tagged(database: Any, views: Iterable[Any], tags: set[TagName], level: int | None) -> bool:
    own = bool(database.tags & tags)
    match = T.TAttributeMatchLevel
    if level == match.DATABASE_ONLY:
        return own
    inside = [v for v in views if v.dataset.name.database == database.name]
    on_tables = any(v.dataset.tags & tags for v in inside)
    on_columns = any(
        (decided.column.tags | decided.column.inner_tags) & tags
        for v in inside
        for decided in v.decision.visible
    )
    if level == match.TABLE_ONLY:
        return on_tables
    if level == match.TABLE_PLUS:
        return on_tables or on_columns
    if level == match.COLUMN_ONLY:
        return on_columns
    return own or on_tables or on_columns


def _told(database: Any, views: Iterable[Any] | None, held: Held, *, names_only: bool) -> Any:
    if names_only:
        return T.TDatabase(
            name=[database.name],
            datasets_count=0,
            attribute_values=[],
            has_grant=False,
            is_datasets_count_estimated=False,
        )
    count = sum(v.dataset.name.database == database.name for v in views or ())
    return T.TDatabase(
        name=[database.name],
        metadata=dict(database.properties),
        description=database.description,
        attribute_values=[value_of(tag, database.name) for tag in sorted(database.tags)],
        datasets_count=count,
        access_levels=held.levels_on(on_database(database.name), _INHERITED),
        has_grant=held.may_pass_on(on_database(database.name)),
        is_datasets_count_estimated=False,
    )


def _catalogs(call: Call, _: Any) -> Any:
    held = Held.of(call)
    scope = T.TAccessPermissionScope
    levels = {
        scope.SERVER: held.levels_exactly(lambda s: s.kind is ScopeKind.CATALOG),
        scope.DATABASE: held.levels_exactly(lambda s: s.kind.holds_data, without=_ABOUT_OTHERS),
        scope.CRAWLER: held.levels_exactly(lambda s: s.kind is ScopeKind.CRAWLER),
    }
    catalog = T.TOkeraCatalog(
        name=_CATALOG_NAME, access_levels=levels, has_grant=held.may_pass_on(CATALOG)
    )
    return T.TListCatalogsResult(catalogs=[catalog])


HANDLERS: Mapping[str, Handler] = {
    "GetDatabases": _get,
    "ListDatabases": _list,
    "ListCatalogs": _catalogs,
}

__all__ = ["HANDLERS", "Scope", "level_names", "levels_of"]
