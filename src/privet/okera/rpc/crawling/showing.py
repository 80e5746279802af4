"""Calls about databases and datasets, where these are of a crawl.

What was found is described and never read: only a registered dataset has a policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from privet.model.crawling.crawls import Crawl, FoundDataset
from privet.model.datasets import Format
from privet.model.errors import InvalidRequest
from privet.model.names import DatasetName
from privet.okera.calls import Call, Handler
from privet.okera.idl import T
from privet.okera.rpc import databases, datasets
from privet.okera.rpc.crawling.finding import (
    PREFIX,
    STATUS,
    crawl_behind,
    crawls_known,
    offered,
    status_of,
)

_TEXT_LIBRARY = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
_LAST = "okera.crawler.data_file_path"
_UNKNOWN = ("attributes", "access_levels", "connection_name")


def _tables(call: Call, params: Any) -> Any:
    crawl = crawl_behind(call, params.database[0])
    if crawl is None:
        return datasets.HANDLERS["GetTables"](call, params)
    wanted = params.filter.lower() if params.filter else ""
    return T.TGetTablesResult(
        tables=[
            T.TTable(name=found.name, db=[PREFIX + crawl.name])
            for found in offered(call, crawl)
            if wanted in found.name and (not params.name or params.name.lower() == found.name)
        ]
    )


def _datasets(call: Call, params: Any) -> Any:
    named = [name.lower().partition(".") for name in params.dataset_names or ()]
    asked = {database for database, _, _ in named} | {d.lower() for d in params.databases or ()}
    crawls = {name: crawl for name in asked if (crawl := crawl_behind(call, name)) is not None}
    if not crawls:
        return datasets.HANDLERS["GetDatasets"](call, params)
    if crawls.keys() != asked:
        raise InvalidRequest(
            "databases of crawlers are not listed together with others",
            hint="ask for each in a call of its own",
        )
    if any(getattr(params, each) for each in _UNKNOWN):
        return T.TGetDatasetsResult(datasets=[], total_count=0, is_public=[], is_admin=[])
    wanted = {(database, name) for database, _, name in named}
    told = [
        _told(crawl, found)
        for database, crawl in sorted(crawls.items())
        for found in offered(call, crawl)
        if (not wanted or (database, found.name) in wanted)
        and (params.filter or "").lower() in found.name
    ]
    rest = told[params.offset or 0 :]
    page = rest[: params.count] if params.count else rest
    return T.TGetDatasetsResult(
        datasets=page,
        total_count=len(told),
        is_public=[False] * len(page),
        is_admin=[False] * len(page),
    )


def _told(crawl: Crawl, found: FoundDataset) -> Any:
    database = PREFIX + crawl.name
    form, reader = datasets.CLASSES.get(found.source.format, ("TEXT", ""))
    return T.TTable(
        name=found.name,
        db=[database],
        schema=datasets.schema_told(DatasetName(database, found.name), found.columns),
        description=found.description or f"Discovered by Okera crawler {crawl.name}",
        metadata={_LAST: _spelled(found.last_file)} if found.last_file else {},
        serde_metadata={},
        table_format=form,
        input_format=reader,
        serialization_lib=_TEXT_LIBRARY if found.source.format is Format.CSV else None,
        location=found.source.uri,
    )


def _spelled(uri: str) -> str:
    """An address, with the original's name of the store."""
    return f"s3a{uri[2:]}" if uri.startswith("s3://") else uri


def _databases(call: Call, params: Any) -> Any:
    """Those of crawlers are told only where they are asked for."""
    if not params.is_crawler or params.attributes or params.access_levels:
        return databases.HANDLERS["ListDatabases"](call, params)
    found = list(_wanted(call, params))
    answer = databases.HANDLERS["ListDatabases"](call, params)
    first = int(params.page_token or 0)
    before = answer.total_count
    # Ours come after the databases whose names only look like these.
    room = (params.limit or len(found) + before) - len(answer.databases)
    start = max(0, first - before)
    answer.databases += found[start : start + room]
    answer.total_count = before + len(found)
    reached = first + len(answer.databases)
    answer.next_page_token = str(reached) if reached < answer.total_count else None
    return answer


def _wanted(call: Call, params: Any) -> Iterator[Any]:
    for crawl in crawls_known(call):
        name = PREFIX + crawl.name
        if params.db_names and name not in {each.lower() for each in params.db_names}:
            continue
        if params.db_name_pattern and not databases.matches(name, params.db_name_pattern):
            continue
        yield T.TDatabase(
            name=[name],
            metadata={STATUS: status_of(call, crawl)},
            datasets_count=sum(1 for _ in offered(call, crawl)),
            attribute_values=[],
            has_grant=False,
            is_datasets_count_estimated=False,
        )


HANDLERS: Mapping[str, Handler] = {
    "GetDatasets": _datasets,
    "GetTables": _tables,
    "ListDatabases": _databases,
}
