"""The policies of a server, asked for at its public door; and what it says of statements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from privet.cli.policies.policies import Place, Policies, PolicyFileWrong, Statement, Target
from privet.cli.policies.sql_text import Written
from privet.model.errors import Forbidden
from privet.model.names import RESERVED_ROLE_PREFIX, path_text

if TYPE_CHECKING:
    from privet.client.rest import Rest

_AT_ONCE = 200
_AT_ONCE_BYTES = 256 * 1024
_RULE = ("name", "tag", "pattern", "targets", "match_rate", "min_rows", "description")


def fetch(rest: Rest) -> Policies:
    """Everything that a steward may change, and what of it is built in.

    Raises:
        Forbidden: the caller sees a part of the catalog only.
        PrivetError: what the server says.
    """
    tags, roles = rest.items("/v1/tags"), rest.items("/v1/roles")
    databases = rest.items("/v1/databases")
    policies = Policies(
        tags={t["tag"]: t["description"] for t in tags if not t["builtin"]},
        databases={d["name"]: d["description"] for d in databases},
        roles={
            r["name"]: frozenset(r["groups"])
            for r in roles
            if (not r["builtin"] or r["groups"]) and not _is_owners(r["name"])
        },
        rules={
            r["name"]: {key: r[key] for key in _RULE}
            for r in rest.items("/v1/rules")
            if not r["builtin"]
        },
        builtin_tags=frozenset(t["tag"] for t in tags if t["builtin"]),
        builtin_roles=frozenset(r["name"] for r in roles if r["builtin"]),
    )
    for item in rest.items("/v1/permissions"):
        if _is_owners(item["json"]["role"]):
            continue
        stored = Statement(item["sql"], item["english"], item["json"], item["id"])
        policies.statements[stored.key] = stored
    targets: set[Target] = {(d["name"], "") for d in databases}
    for database in databases:
        _hold(policies, (database["name"], ""), database["tags"])
    for dataset in rest.items("/v1/datasets"):
        name = dataset["name"]
        if "revision" not in dataset:
            raise Forbidden(
                f"you do not see all of dataset `{name}`",
                hint="policies are exported, compared and applied by who sees the whole catalog",
            )
        _hold(policies, (name, ""), dataset.get("tags", []))
        targets.add((name, ""))
        for column in dataset["columns"]:
            targets.add((name, column["name"]))
            for tagged in column["tags"]:
                if tagged["origin"] == "lineage":
                    # It is where it comes from.
                    continue
                path = path_text(tagged["path"])
                targets.add((name, path))
                _hold(policies, (name, path), [tagged["tag"]])
    policies.targets = frozenset(targets)
    return policies


def _is_owners(role: str) -> bool:
    """Whether it is the role of one user, by which they own what they created: no policy."""
    return role.startswith(RESERVED_ROLE_PREFIX)


def _hold(policies: Policies, target: Target, tags: Sequence[str]) -> None:
    if tags:
        policies.tagged[target] = policies.tagged.get(target, frozenset()) | {*tags}


def check(
    rest: Rest, written: Sequence[Written], policies: Policies, without: Sequence[str] = ()
) -> Iterator[tuple[Written, Mapping[str, Any]]]:
    """What the server says of each statement, as if all else in the files was there already.

    And as if the permissions with the ids of `without` were gone.

    Raises:
        PrivetError: what the server says.
    """
    assumed = {
        "tags": sorted(policies.tags),
        "roles": sorted(policies.roles),
        "databases": sorted(policies.databases),
        "without": list(without),
    }
    for part in _portions(written):
        body = {"statements": [w.text for w in part], **assumed}
        yield from zip(part, rest.post("/v1/permissions/check", body)["items"], strict=True)


def _portions(written: Sequence[Written]) -> Iterator[list[Written]]:
    """As many at once as a request may hold."""
    part: list[Written] = []
    size = 0
    for each in written:
        length = len(each.text.encode())
        if part and (len(part) >= _AT_ONCE or size + length > _AT_ONCE_BYTES):
            yield part
            part, size = [], 0
        part.append(each)
        size += length
    if part:
        yield part


def read_statement(written: Written, verdict: Mapping[str, Any]) -> Statement:
    """The permission that a statement says.

    Raises:
        PolicyFileWrong: the server cannot read it, or it takes a permission away.
    """
    if verdict["json"] is None:
        raise refusal(written, verdict["problem"])
    if verdict["removes"]:
        raise written.place.wrong(
            "files say what is granted, not what is taken away",
            "leave the permission out of the files, and apply with --prune",
        )
    if _is_owners(verdict["json"]["role"]):
        raise written.place.wrong("what owners have is not kept in files")
    return Statement(verdict["sql"], verdict["english"], verdict["json"], place=written.place)


def refusal(written: Written, problem: Mapping[str, Any]) -> PolicyFileWrong:
    """What the server refuses, with its place in the file."""
    place: Place = written.at(problem.get("position"))
    return place.wrong(problem["detail"], problem.get("hint") or "")
