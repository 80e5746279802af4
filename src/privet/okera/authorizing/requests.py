"""One call with many forms: a statement, a dataset, records, or a note of what ran elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from privet.model.decisions import Decision
from privet.model.errors import InvalidRequest
from privet.model.names import DatasetName, fold
from privet.okera.authorizing import original
from privet.okera.authorizing.telling import access_of, is_open, schema_of_visible
from privet.okera.calls import Call
from privet.okera.errors import RequestTooLarge, Unsupported
from privet.okera.idl import T
from privet.okera.reading import planned_request
from privet.okera.rpc.datasets import described

_CLIENT = T.TAuthorizeQueryClient
_ENGINES: Mapping[int, str] = {
    _CLIENT.OKERA: "hive",
    _CLIENT.APACHE_SPARK: "spark",
    _CLIENT.DATABRICKS_SPARK: "databricks",
    _CLIENT.HIVE: "hive",
    _CLIENT.IMPALA: "impala",
    _CLIENT.PRESTO: "presto",
    _CLIENT.POSTGRES: "postgres",
    _CLIENT.ATHENA: "athena",
    _CLIENT.BIG_QUERY: "bigquery",
    _CLIENT.SNOWFLAKE: "snowflake",
    _CLIENT.MYSQL: "mysql",
    _CLIENT.REDSHIFT: "redshift",
    _CLIENT.DREMIO: "dremio",
}
_LONGEST = 1_000_000
"""Characters of a statement; longer ones are told so, and not read."""


def authorize(call: Call, params: Any) -> Any:
    """Answer a call.

    Raises:
        RequestTooLarge: the statement.
        Unsupported: a form that is not served.
        PrivetError: as the use cases.
    """
    if len(params.sql or "") > _LONGEST:
        raise RequestTooLarge("Request is larger than the maximum allowed size.")
    if params.audit_only:
        names = [".".join((*(params.db or ()), params.dataset or ""))] if params.dataset else []
        call.services.rewrites.note(call.caller, params.sql or "", names)
        return T.TAuthorizeQueryResult()
    if params.client == _CLIENT.TEST_ACK:
        call.services.sessions.identify(call.caller)
        return T.TAuthorizeQueryResult()
    _check(params)
    if call.compatibility:
        return original.authorize(call, params)
    if params.records is not None:
        return _records(call, params)
    if params.dataset:
        return _dataset(call, params)
    return _statement(call, params)


def note(call: Call, params: Any) -> Any:
    """Record a statement that ran elsewhere, as its client tells it.

    Raises:
        RequestTooLarge: the statement.
        PrivetError: as the use case.
    """
    text = params.query or ""
    if len(text) > _LONGEST:
        raise RequestTooLarge("Request is larger than the maximum allowed size.")
    call.services.rewrites.note(call.caller, text, sorted(params.accessed_datasets or ()))
    return T.TAuditQueryResult()


def _check(params: Any) -> None:
    """Refuse what would have another answer if it were left out."""
    for name in ("use_session_local_tables", "is_create_tmp_view", "ignore_unknown_tables"):
        if getattr(params, name):
            raise Unsupported(
                f"`{name}` is not served here",
                hint="names that stand for unfiltered tables are not made",
            )
    if params.privilege_level not in (None, T.TAccessPermissionLevel.SELECT):
        raise Unsupported(
            "only reading is decided about here", hint="leave `privilege_level` out, or SELECT"
        )
    if params.request_filter:
        raise Unsupported("filters of one's own are not folded into those of the policy here")


def _named(params: Any) -> DatasetName:
    if not params.db or len(params.db) != 1 or not params.dataset:
        raise InvalidRequest("a dataset is named by `db` and `dataset`")
    return DatasetName(fold(params.db[0], "database name"), fold(params.dataset, "dataset name"))


def _engine(params: Any) -> str:
    engine = _ENGINES.get(_CLIENT.OKERA if params.client is None else params.client)
    if engine is None:
        raise Unsupported(
            "no statements are written for this client", hint="name the engine that will run it"
        )
    return engine


def _records(call: Call, params: Any) -> Any:
    found = call.services.rewrites.records(call.caller, _named(params), params.records)
    return T.TAuthorizeQueryResult(
        filtered_records=list(found.passed),
        result_records=list(found.records) if params.return_records else None,
    )


def _dataset(call: Call, params: Any) -> Any:
    name = _named(params)
    if params.client == _CLIENT.REST_API:
        ruled = call.services.rewrites.rule(call.caller, name)
        return _ruled(ruled.decision, ruled.filter)
    rewritten = call.services.rewrites.dataset(call.caller, _engine(params), name)
    decision = rewritten.decisions[name]
    told = T.TAuthorizeQueryResult(
        result_sql=rewritten.sql,
        result_schema=schema_of_visible(decision),
        full_access=is_open(decision),
        requires_worker=False,
        referenced_tables={str(name)},
    )
    if told.full_access:
        told.table = described(call, name)
    return told


def _ruled(decision: Decision, condition: str | None) -> Any:
    told = T.TAuthorizeQueryResult(
        full_access=is_open(decision),
        requires_worker=False,
        filter=condition,
        result_schema=schema_of_visible(decision),
        column_access=None if is_open(decision) else access_of(decision.visible),
    )
    if condition is not None:
        told.filters = T.TAuthorizeQueryFilters(filters=[condition], op=T.TCompoundOp.OR)
    return told


def _statement(call: Call, params: Any) -> Any:
    """A statement rewritten; or planned for our own workers, which need nothing rewritten."""
    if not params.sql:
        raise InvalidRequest("neither a statement nor a dataset was sent")
    if params.plan_request:
        if params.client not in (None, _CLIENT.OKERA):
            raise Unsupported(
                "our workers run no statement in the SQL of another engine",
                hint="leave `plan_request` out, or the client",
            )
        return T.TAuthorizeQueryResult(plan=planned_request(call, params.sql))
    spaces = params.default_namespace or ([params.default_db] if params.default_db else [])
    database = fold(spaces[-1], "database name") if spaces else None
    rewrites = call.services.rewrites
    if params.client == _CLIENT.OKERA_CACHE_KEY:
        key = rewrites.cache_key(call.caller, _ENGINES[_CLIENT.OKERA], params.sql, database)
        return T.TAuthorizeQueryResult(result_sql=key)
    engine = _engine(params)
    if params.connection_proxy_host:
        host = params.connection_proxy_host
        rewritten = rewrites.proxied(call.caller, engine, params.sql, host, database)
    else:
        rewritten = rewrites.statement(call.caller, engine, params.sql, database)
    return T.TAuthorizeQueryResult(
        result_sql=rewritten.sql,
        requires_worker=False,
        referenced_tables={str(name) for name in rewritten.decisions},
    )
