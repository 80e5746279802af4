"""The few calls beside scans that clients without HTTP need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from privet.model.errors import InvalidRequest
from privet.model.names import DatasetName, fold, fold_domain
from privet.model.strict_json import read_json
from privet.service import Caller, Services
from privet.service.effects import outlook_json, readers_json
from privet.service.forms import database_json, statement_json, view_json, whoami_json

CALL = "privet.call"
Arguments = dict[str, Any]


def call(services: Services, caller: Caller, body: bytes) -> Any:
    """Carry out `{"use": name, ...arguments}`; what comes back is JSON.

    Raises:
        InvalidRequest: not such an object, or arguments that the use does not take.
        And what the use case raises.
    """
    asked = read_json(body)
    use = asked.pop("use", None) if isinstance(asked, dict) else None
    if not isinstance(use, str) or use not in _USES:
        raise InvalidRequest("no such use", hint=f"one of {', '.join(_USES)}")
    function, takes = _USES[use]
    given = {k: v for k, v in asked.items() if v is not None}
    if not set(given) <= set(takes) or not all(_fits(v, takes[k]) for k, v in given.items()):
        raise InvalidRequest("wrong arguments", hint=f"it takes {', '.join(takes) or 'none'}")
    return function(services, caller, given)


def _fits(value: Any, kind: type) -> bool:
    if kind is list:
        return isinstance(value, list) and all(isinstance(v, str) for v in value)
    return isinstance(value, kind)


def _whoami(services: Services, caller: Caller, _: Arguments) -> Any:
    return whoami_json(services.sessions.whoami(caller))


def _databases(services: Services, caller: Caller, _: Arguments) -> Any:
    return [database_json(d) for d in services.datasets.list_databases(caller)]


def _datasets(services: Services, caller: Caller, given: Arguments) -> Any:
    database = fold(given["database"], "database name") if "database" in given else None
    return [view_json(view) for view in services.datasets.list(caller, database)]


def _explain(services: Services, caller: Caller, given: Arguments) -> Any:
    if "dataset" not in given:
        raise InvalidRequest("`explain` needs a dataset")
    name = DatasetName.parse(given["dataset"])
    asked = services.explanations.explain(caller, name, given.get("user"), given.get("groups"))
    return asked.to_dict()


def _what_if(services: Services, caller: Caller, given: Arguments) -> Any:
    statements, count = given.get("statements", []), given.get("count", True)
    return outlook_json(services.outlooks.what_if(caller, statements, count=count))


def _who_can_see(services: Services, caller: Caller, given: Arguments) -> Any:
    name = DatasetName.parse(given.get("dataset", ""))
    column = fold(given.get("column", ""), "column name")
    return readers_json(services.readers.of_column(caller, name, column))


def _detokenize(services: Services, caller: Caller, given: Arguments) -> Any:
    return services.detokenizing.detokenize(
        caller,
        fold_domain(given.get("domain", "")),
        given.get("tokens", []),
        given.get("purpose", ""),
        given.get("version"),
    )


def _sql(services: Services, caller: Caller, given: Arguments) -> Any:
    return statement_json(services.statements.execute(caller, given.get("statement", "")))


_USES: dict[str, tuple[Callable[[Services, Caller, Arguments], Any], dict[str, type]]] = {
    "whoami": (_whoami, {}),
    "databases": (_databases, {}),
    "datasets": (_datasets, {"database": str}),
    "explain": (_explain, {"dataset": str, "user": str, "groups": list}),
    "what_if": (_what_if, {"statements": list, "count": bool}),
    "who_can_see": (_who_can_see, {"dataset": str, "column": str}),
    "detokenize": (
        _detokenize,
        {"domain": str, "tokens": list, "purpose": str, "version": int},
    ),
    "sql": (_sql, {"statement": str}),
}
