"""The steps from the policies of a catalog to those of files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from privet.cli.policies.policies import Place, Policies, Statement, Target

if TYPE_CHECKING:
    from privet.client.rest import Rest

ADD, REMOVE, CHANGE = "+", "-", "~"
Request = tuple[str, str, dict[str, Any]]
"""A method, a path, and the body or the query."""


@dataclass(frozen=True, slots=True)
class Step:
    """One change: how it reads, and the requests that make it, in turn."""

    sign: str
    sentence: str
    requests: tuple[Request, ...]
    place: Place | None = None

    def take(self, rest: Rest) -> None:
        """Make the change.

        Raises:
            PrivetError: what the server says.
        """
        for method, path, given in self.requests:
            match method:
                case "POST":
                    rest.post(path, given)
                case "PUT":
                    rest.put(path, **given)
                case _:
                    rest.delete(path, **given)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        place = None if self.place is None else str(self.place)
        return {"sign": self.sign, "sentence": self.sentence, "place": place}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, in an order in which nobody sees more in between than in the end.

    Attributes:
        steps: what is to be done.
        kept: what the catalog has and the files have not, which stays.
        notes: what differs and cannot be changed.
    """

    steps: tuple[Step, ...]
    kept: tuple[Step, ...] = ()
    notes: tuple[str, ...] = field(default=())


def plan(have: Policies, want: Policies, *, prune: bool) -> Plan:
    """The steps from what a catalog has to what files want.

    Words come first, then what takes away, then what gives: in between, less is seen, not more.
    """
    added, removed = _Steps(have, want), _Steps(want, have)
    gone = [s for s in removed.statements() if s[1].key not in want.statements]
    taking = [_revoke(s) for guards, s in gone if not guards]
    lifting = [_revoke(s) for guards, s in gone if guards]
    new = [(g, s) for g, s in added.statements() if _differs(have, s)]
    guarding = [_grant(have, s) for guards, s in new if guards]
    granting = [_grant(have, s) for guards, s in new if not guards]
    unheld = [*removed.groups("DELETE", REMOVE)]
    unmade = [
        *removed.tagged("DELETE", REMOVE), *lifting, *removed.rules(), *removed.roles(),
        *removed.tags(),
    ]  # fmt: skip
    steps = [
        *added.new_tags(), *added.new_databases(), *added.new_roles(), *added.new_rules(),
        *added.tagged("PUT", ADD), *guarding, *(taking if prune else ()),
        *(unheld if prune else ()), *granting, *added.groups("PUT", ADD),
        *(unmade if prune else ()),
    ]  # fmt: skip
    kept = () if prune else (*taking, *unheld, *unmade)
    return Plan(tuple(steps), kept, tuple(_notes(have, want)))


class _Steps:
    """What one side has and the other has not."""

    def __init__(self, have: Policies, want: Policies) -> None:
        self._have, self._want = have, want

    def _place(self, *key: object) -> Place | None:
        return self._want.places.get(key)

    def new_tags(self) -> Iterator[Step]:
        for tag in sorted(self._want.tags.keys() - self._have.tags.keys()):
            body = {"tag": tag, "description": self._want.tags[tag]}
            yield _post(f"tag {tag}", "/v1/tags", body, self._place("tag", tag))

    def new_databases(self) -> Iterator[Step]:
        for name in sorted(self._want.databases.keys() - self._have.databases.keys()):
            body = {"name": name, "description": self._want.databases[name]}
            yield _post(f"database {name}", "/v1/databases", body, self._place("database", name))

    def new_roles(self) -> Iterator[Step]:
        there = self._have.roles.keys() | self._have.builtin_roles
        for name in sorted(self._want.roles.keys() - there):
            yield _post(f"role {name}", "/v1/roles", {"name": name}, self._place("role", name))

    def new_rules(self) -> Iterator[Step]:
        for name, rule in sorted(self._want.rules.items()):
            was = self._have.rules.get(name)
            if was == rule:
                continue
            sign = ADD if was is None else CHANGE
            create = ("POST", "/v1/rules", rule)
            requests = (create,) if was is None else (("DELETE", f"/v1/rules/{name}", {}), create)
            sentence = f"rule {name}: propose {rule['tag']} where {_looks(rule)}"
            yield Step(sign, sentence, requests, self._place("rule", name))

    def groups(self, method: str, sign: str) -> Iterator[Step]:
        """Groups of roles; of roles that only one side has, those go with the role."""
        for role, groups in sorted(self._want.roles.items()):
            if sign == REMOVE and role not in self._have.roles:
                continue
            for group in sorted(groups - self._have.roles.get(role, frozenset())):
                path = f"/v1/roles/{role}/groups/{quote(group, safe='')}"
                sentence = f"group {group} holds role {role}"
                yield Step(sign, sentence, ((method, path, {}),), self._place("role", role))

    def tagged(self, method: str, sign: str) -> Iterator[Step]:
        """Tags on databases, datasets and columns."""
        for target, tags in sorted(self._want.tagged.items()):
            for tag in sorted(tags - self._have.tagged.get(target, frozenset())):
                place = self._place("tagged", target, tag)
                yield Step(sign, f"tag {tag} on {_on(target)}", (_tag(method, target, tag),), place)

    def statements(self) -> Iterator[tuple[bool, Statement]]:
        """All permissions, each with whether it is a safeguard."""
        for statement in sorted(self._want.statements.values(), key=lambda s: s.sql):
            yield statement.form["effect"] != "grant", statement

    def rules(self) -> Iterator[Step]:
        for name in sorted(self._want.rules.keys() - self._have.rules.keys()):
            yield _drop(f"rule {name}", f"/v1/rules/{name}")

    def roles(self) -> Iterator[Step]:
        there = self._have.roles.keys() | self._want.builtin_roles
        for name in sorted(self._want.roles.keys() - there):
            yield _drop(f"role {name}", f"/v1/roles/{name}")

    def tags(self) -> Iterator[Step]:
        for tag in sorted(self._want.tags.keys() - self._have.tags.keys()):
            yield _drop(f"tag {tag}", f"/v1/tags/{tag}")


def _post(sentence: str, path: str, body: dict[str, Any], place: Place | None) -> Step:
    return Step(ADD, sentence, (("POST", path, body),), place)


def _drop(sentence: str, path: str) -> Step:
    return Step(REMOVE, sentence, (("DELETE", path, {}),))


def _revoke(statement: Statement) -> Step:
    return _drop(statement.english, f"/v1/permissions/{quote(statement.id, safe='')}")


def _differs(have: Policies, statement: Statement) -> bool:
    stored = have.statements.get(statement.key)
    return stored is None or stored.content != statement.content


def _grant(have: Policies, statement: Statement) -> Step:
    stored = have.statements.get(statement.key)
    sentence = statement.english
    if stored is not None:
        was, will = (_properties(s) for s in (stored, statement))
        sentence = f"{sentence} (properties: {was} -> {will})"
    request = ("POST", "/v1/permissions", {"sql": statement.sql})
    return Step(ADD if stored is None else CHANGE, sentence, (request,), statement.place)


def _properties(statement: Statement) -> str:
    held = {**statement.form["properties"]}
    if statement.form.get("grant_option"):
        held["grant option"] = "yes"
    return ", ".join(f"{key} = {value}" for key, value in sorted(held.items())) or "none"


def _tag(method: str, target: Target, tag: str) -> Request:
    dataset, path = target
    if _is_database(target):
        verb = "ADD" if method == "PUT" else "DROP"
        statement = f"ALTER DATABASE `{dataset}` {verb} ATTRIBUTE {tag}"
        return "POST", "/v1/sql", {"statement": statement}
    where = f"/v1/datasets/{dataset.replace('.', '/')}/tags/{tag}"
    return method, where, {"path": path} if path else {}


def _on(target: Target) -> str:
    dataset, path = target
    if _is_database(target):
        return f"database {dataset}"
    return f"column {path} of {dataset}" if path else dataset


def _is_database(target: Target) -> bool:
    return "." not in target[0]


def _looks(rule: dict[str, Any]) -> str:
    places = " or ".join(t.replace("_", " ") for t in rule["targets"])
    return f"{places} matches {rule['pattern']}"


def _notes(have: Policies, want: Policies) -> Iterator[str]:
    """Descriptions are given once, when something is created."""
    for kind, there, here in (
        ("tag", have.tags, want.tags),
        ("database", have.databases, want.databases),
    ):
        for name in sorted(there.keys() & here.keys()):
            if there[name] != here[name]:
                place = want.places.get((kind, name))
                yield f"{place}: the description of {kind} {name} is another, and stays as it is"
