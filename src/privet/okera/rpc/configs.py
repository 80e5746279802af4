"""Settings that the original changes by calls: rules that propose tags, and what clients share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from zlib import crc32

from privet.model.datasets import Rule, RuleTarget
from privet.model.errors import Conflict, InvalidRequest, NotFound
from privet.model.names import TagName, fold
from privet.okera.calls import Call, Handler
from privet.okera.errors import Unsupported
from privet.okera.idl import T

RULE_COLUMNS = (
    "id", "name", "namespace", "tag", "expression", "description", "match_column_name",
    "match_column_comment",
)  # fmt: skip
_MIN_ROWS, _MATCH_RATE = 1, 0.8


def number_of(name: str) -> int:
    """The number by which the original's clients name a rule; it stays as long as its name does."""
    return crc32(name.encode())


def rule_rows(call: Call) -> list[tuple[object, ...]]:
    """The rules, as the original's table of them has columns."""
    return [
        (
            number_of(rule.name),
            rule.name,
            rule.tag.namespace,
            rule.tag.key,
            rule.pattern,
            rule.description,
            RuleTarget.COLUMN_NAME in rule.targets,
            RuleTarget.COLUMN_COMMENT in rule.targets,
        )
        for rule in call.services.tags.list_rules(call.caller)
    ]


def shared_rows(call: Call) -> list[tuple[object, ...]]:
    """What clients share, as the original's table of its settings has columns."""
    return list(call.services.notes.list_shared(call.caller))


def _upsert(call: Call, params: Any) -> Any:
    if _is_shared(call, params):
        key, value = _one_key(params.key), (params.params or {}).get("value", "")
        call.services.notes.put_shared(call.caller, key, value)
        return T.TConfigChangeResult(result=0, warnings=[])
    _only_rules(params.config_type)
    rule = _rule(params.params or {})
    tags = call.services.tags
    with suppress(Conflict):
        tags.create(call.caller, rule.tag)
    old = _named(call, params.key[0]) if params.key else None
    if old is None:
        tags.create_rule(call.caller, rule)
    else:
        if rule.name != old.name:
            raise InvalidRequest("a rule keeps its name", hint="drop it, and make another")
        tags.drop_rule(call.caller, old.name)
        try:
            tags.create_rule(call.caller, rule)
        except BaseException:
            tags.create_rule(call.caller, old)
            raise
    return T.TConfigChangeResult(result=0, warnings=[])


def _is_shared(call: Call, params: Any) -> bool:
    """Whether it is of the original's settings: its table of them is served for compatibility."""
    return call.compatibility and params.config_type == T.TConfigType.SYSTEM_CONFIG


def _only_rules(config_type: int) -> None:
    if config_type != T.TConfigType.AUTOTAGGER_REGEX:
        raise Unsupported(
            "settings of the server are not changed by calls",
            hint="change its settings file, and start it again",
        )


def _rule(given: Mapping[str, str]) -> Rule:
    name = given.get("name", "").strip()
    if not name:
        raise InvalidRequest("a rule has a name", hint="send `name`")
    targets = {RuleTarget.CELL_CONTENT}
    if given.get("match_column_name", "").lower() == "true":
        targets.add(RuleTarget.COLUMN_NAME)
    if given.get("match_column_comment", "").lower() == "true":
        targets.add(RuleTarget.COLUMN_COMMENT)
    try:
        rate = float(given.get("match_rate") or _MATCH_RATE)
        rows = int(given.get("min_rows") or _MIN_ROWS)
    except ValueError as error:
        raise InvalidRequest("`match_rate` and `min_rows` are numbers") from error
    return Rule(
        name=name,
        tag=TagName(
            fold(given.get("namespace", ""), "tag namespace"),
            fold(given.get("tag", ""), "tag name"),
        ),
        pattern=given.get("expression", ""),
        targets=frozenset(targets),
        match_rate=rate,
        min_rows=rows,
        description=given.get("description", ""),
    )


def _named(call: Call, key: str) -> Rule:
    for rule in call.services.tags.list_rules(call.caller):
        if key in (rule.name, str(number_of(rule.name))):
            return rule
    raise NotFound("no such rule", hint="list them in okera_system.tagging_rules")


def _one_key(keys: Sequence[str] | None) -> str:
    if not keys or len(keys) != 1:
        raise InvalidRequest("a setting has one key", hint="send each in a call of its own")
    return keys[0]


def _delete(call: Call, params: Any) -> Any:
    if _is_shared(call, params):
        call.services.notes.put_shared(call.caller, _one_key(params.key), None)
        return T.TConfigChangeResult(result=0, warnings=[])
    _only_rules(params.config_type)
    # Some clients send the key as a text, which arrives as the list of its characters.
    keys = params.key
    joined = "".join(keys) if all(len(k) == 1 for k in keys) else None
    for key in [joined] if joined else keys:
        call.services.tags.drop_rule(call.caller, _named(call, key).name)
    return T.TConfigChangeResult(result=0, warnings=[])


HANDLERS: Mapping[str, Handler] = {"UpsertConfig": _upsert, "DeleteConfig": _delete}
