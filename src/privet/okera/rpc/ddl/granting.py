"""Permissions and roles, in the original's rows of sixteen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from privet.model.errors import Conflict, Forbidden, InvalidRequest, NotFound
from privet.model.names import TagName, fold_role
from privet.model.permissions import AccessLevel, Permission, Scope, ScopeKind
from privet.okera.calls import Call
from privet.okera.rpc.ddl.answers import Answer, Row
from privet.okera.rpc.roles import our_role, their_role
from privet.service.forms import permission_json
from privet.service.statements import GRANT_COLUMNS, grant_rows

_HAVING = re.compile(
    r"(?is)\bon\s+(\w+(?:\s+[\w.`]+)?)\s+(?:having|has)\s+attribute(.+?)"
    r"\s(?:to|transform|except|where)\s"
)


def rows_of(found: Iterable[Permission]) -> tuple[Row, ...]:
    """Permissions as rows; one on several columns as one row for each."""
    return tuple(row for permission in found for row in grant_rows(permission))


def _of_role(call: Call, found: re.Match[str], _: str) -> Answer:
    role = our_role(found[1])
    known = {r.name for r in call.services.roles.list(call.caller)}
    if role not in known:
        raise _unknown(call, role)
    if call.compatibility:
        # The original tells holders of a role all of it, also what hides from them what it is on.
        call = call.of_user("")
    held = call.services.permissions.list(call.caller, role=role)
    return Answer(GRANT_COLUMNS, rows_of(_within(held, found[2])))


def _unknown(call: Call, role: str) -> NotFound | Forbidden:
    """Of roles that somebody does not know they hear the same as of those that are not there."""
    user = call.services.sessions.identify(call.caller)
    if user.admin:
        return NotFound(f"role `{role}` does not exist")
    return Forbidden(f"'{user.user}' is not an admin")


def _within(found: Iterable[Permission], where: str | None) -> list[Permission]:
    if not where:
        return list(found)
    scope = _scope(where)
    return [p for p in found if scope.holds(p.scope)]


def _scope(text: str) -> Scope:
    words = text.replace("`", "").split()
    if words[0].lower() in {"catalog", "server"}:
        return Scope(ScopeKind.CATALOG)
    name = words[-1].lower()
    if words[0].lower() == "table":
        database, _, table = name.partition(".")
        return Scope(ScopeKind.TABLE, database, table)
    return Scope(ScopeKind.DATABASE, name)


def _of_tag(call: Call, found: re.Match[str], _: str) -> Answer:
    tag = TagName.parse(found[1].replace("`", ""))
    return Answer(
        GRANT_COLUMNS,
        rows_of(_within(call.services.permissions.naming(call.caller, tag), found[2])),
    )


def _grant(call: Call, found: re.Match[str], text: str) -> Answer:
    """A grant that is there: with an expression an error, without one nothing new."""
    del found
    if call.compatibility:
        _check_opposite(call, text)
    try:
        result = call.services.statements.execute(call.caller, text)
    except Conflict as error:
        if not call.compatibility or re.search(r"(?i)\b(?:having|has|transform|where)\b", text):
            error.message = f"Grant already exists: {error.message}"
            raise
        return Answer()
    return Answer(warnings=result.warnings)


def _revoke(call: Call, found: re.Match[str], text: str) -> Answer:
    """Of a grant that is not there; with an expression an error, without one nothing to do."""
    del found
    try:
        result = call.services.statements.execute(call.caller, text)
    except NotFound as error:
        if not call.compatibility or not error.message.startswith("there is no such grant"):
            raise
        expression = re.search(r"(?is)\b(?:having|has)\s+attribute\s*(.+?)\s+from\s", text)
        if expression:
            error.message = (
                f"CatalogException: Grant WITH EXPRESSION '{expression[1]}' does not exist."
                f" ({error.message})"
            )
            raise
        if re.search(r"(?i)\b(?:transform|where)\b", text):
            raise
        return Answer()
    return Answer(warnings=result.warnings)


def _drop_tag(call: Call, found: re.Match[str], text: str) -> Answer:
    """With the original, what names a tag ends with it."""
    tag = TagName.parse(found[2].replace("`", "").lower())
    if call.compatibility:
        for permission in call.services.permissions.naming(call.caller, tag):
            call.services.permissions.revoke_by_id(call.caller, permission.id)
    result = call.services.statements.execute(call.caller, text)
    return Answer(warnings=result.warnings)


def _no_filter(call: Call, found: re.Match[str], text: str) -> Answer:
    del call, found, text
    raise InvalidRequest("DENY takes no WHERE", hint="write RESTRICT ... WHERE instead")


def _check_opposite(call: Call, text: str) -> None:
    """Refuse, as the original does, a grant beside one with the opposite expression."""
    found = _HAVING.search(text)
    role = re.search(r"(?i)\bto\s+(?:role\s+)?`?(\w+)`?", text)
    if found is None or role is None:
        return
    wanted = _simple(found[2])
    scope = _scope(found[1])
    for permission in call.services.permissions.list(call.caller, role=fold_role(role[1].lower())):
        having = permission_json(permission)["json"]["having"]
        if permission.scope == scope and having and _opposite(wanted, _simple(having)):
            raise Conflict("Another grant with the opposite expression exists")


def _simple(text: str) -> str:
    return re.sub(r"[()\s`]+", " ", text).strip().lower()


def _opposite(one: str, other: str) -> bool:
    return one == f"not {other}" or other == f"not {one}"


def _roles(call: Call, found: re.Match[str], text: str) -> Answer:
    kind = (found[1] or "").lower()
    if kind == "all" and not _may_see_all(call):
        user = call.services.sessions.identify(call.caller).user
        raise Forbidden(f"'{user}' is not an admin")
    result = call.services.statements.execute(call.caller, text)
    names = {row[0] for row in result.rows}
    if call.compatibility:
        names = {their_role(name) for name in names}
    return Answer(("role_name",), tuple((name,) for name in sorted(names)))


def _may_see_all(call: Call) -> bool:
    rights = call.services.permissions.held(call.caller)
    return rights.principal.admin or any(p.grant_option for p in rights.permissions)


def _of_group(call: Call, found: re.Match[str], text: str) -> Answer:
    group = found[1].strip("`'\"")
    caller = call.services.sessions.identify(call.caller)
    if group not in caller.effective_groups and not _may_see_all(call):
        raise Forbidden(f"'{caller.user}' is not an admin")
    result = call.services.statements.execute(call.caller, text)
    names = {their_role(row[0]) for row in result.rows} | {their_role("public_role")}
    return Answer(("role_name",), tuple((name,) for name in sorted(names)))


_ON = r"(?:\s+on\s+(.+?))?"
SPECIAL: tuple[tuple[str, Callable[[Call, re.Match[str], str], Answer]], ...] = (
    (r"\s*show\s+grant\s+role\s+`?(\w+)`?" + _ON, _of_role),
    (r"\s*show\s+grant\s+attribute\s+([\w`]+\.[\w`]+)" + _ON, _of_tag),
    (r"\s*show\s+(?:(all|current)\s+)?roles", _roles),
    (r"\s*show\s+role\s+grant\s+group\s+(\S+)", _of_group),
    (r"\s*grant\s+(?!role\b).+", _grant),
    (r"\s*(?:revoke\s+(?!role\b)|drop\s+restrict\s).+", _revoke),
    (r"\s*drop\s+attribute\s+(if\s+exists\s+)?([\w`]+\.[\w`]+)", _drop_tag),
    (r"\s*deny\s+.+?\swhere\s.+", _no_filter),
)

__all__ = ["SPECIAL", "AccessLevel", "rows_of", "their_role"]
