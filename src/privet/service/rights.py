"""What callers may administer and what they know of, and how a refusal is said.

An object on which somebody has no right, and of which they see nothing, reads like one that does
not exist.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from privet.model.datasets import Column
from privet.model.edits import ColumnEdit
from privet.model.errors import Forbidden, NotFound, PrivetError
from privet.model.names import DatasetName, TagName
from privet.model.permissions import (
    AccessLevel,
    Effect,
    Rights,
    Scope,
    ScopeKind,
    on_database,
    on_namespace,
    on_role,
)
from privet.model.principals import Principal
from privet.policy import Need, Passing, Reach, Ruling, judge, reach
from privet.service.deciding import decide_by_name, decide_each
from privet.service.platform import Platform

_SQL = {ScopeKind.NAMESPACE: "ATTRIBUTE NAMESPACE", ScopeKind.TOKEN_DOMAIN: "TOKEN DOMAIN"}


@dataclass(frozen=True, slots=True)
class Administrator:
    """Somebody with their rights, at one version of the catalog."""

    platform: Platform
    rights: Rights

    @classmethod
    def of(cls, platform: Platform, principal: Principal) -> Administrator:
        """With the rights that they have now."""
        return cls(platform, platform.catalog.rights(principal))

    @property
    def principal(self) -> Principal:
        """Who it is."""
        return self.rights.principal

    @property
    def only_reads(self) -> bool:
        """Whether they have no right but to read."""
        held = self.rights.permissions
        return not self.principal.admin and all(p.level is AccessLevel.SELECT for p in held)

    def rule(self, needs: Iterable[Need | Passing]) -> Ruling:
        """Whether they have these rights."""
        return judge(self.rights, needs, self.platform.clock())

    def may(self, level: AccessLevel, scope: Scope) -> bool:
        """Whether they have a right."""
        return self.rule([Need(level, scope)]).allowed

    def reach(self, level: AccessLevel) -> Reach:
        """The datasets on which they have a right."""
        return reach(self.rights, level, self.platform.clock())

    def knows(self, scope: Scope) -> bool:
        """Whether they may know that an object is there: by a right on it, or by seeing it."""
        match scope.kind:
            case ScopeKind.CATALOG | ScopeKind.NAMESPACE | ScopeKind.TOKEN_DOMAIN | ScopeKind.URI:
                # Of these there is nothing to know: tags and their domains are everybody's, and
                # paths are no objects.
                return True
            case ScopeKind.ROLE if scope.name in self.rights.roles:
                return True
            case ScopeKind.DATABASE | ScopeKind.TABLE:
                return self.may(AccessLevel.SHOW, scope) or self._sees(scope)
            case _:
                return self.may(AccessLevel.SHOW, scope)

    def known_roles(self, names: Iterable[str]) -> frozenset[str]:
        """Those of the roles that they hold, or have a right on."""
        return frozenset(name for name in names if self.knows(on_role(name)))

    def known_datasets(self, names: Iterable[DatasetName]) -> frozenset[DatasetName]:
        """Those of the datasets that they have a right on, or see something of."""
        if self.principal.admin:
            return frozenset(names)
        seen, shown = self._seen(), self.reach(AccessLevel.SHOW)
        return frozenset(name for name in names if name in seen or shown.holds(name))

    def known_databases(
        self, names: Iterable[str], datasets: Collection[DatasetName]
    ) -> frozenset[str]:
        """Those of the databases that they have a right on, or know a dataset of."""
        around = {name.database for name in datasets}
        return frozenset(
            name
            for name in names
            if name in around or self.may(AccessLevel.SHOW, on_database(name))
        )

    def refusal(self, ruling: Ruling) -> PrivetError:
        """Why they may not."""
        unmet = ruling.unmet
        if unmet is None:
            return Forbidden(
                "this needs a catalog administrator",
                hint="ask one of them, or log in as one",
            )
        if isinstance(unmet, Need) and unmet.why:
            return Forbidden(unmet.why, hint="ask a catalog administrator")
        if not self.knows(unmet.scope):
            return absent(unmet.scope)
        return Forbidden(
            f"this needs {_asked(unmet)}",
            hint="ask a catalog administrator to grant it to one of your roles",
        )

    def _sees(self, scope: Scope) -> bool:
        if scope.kind is ScopeKind.TABLE:
            name = DatasetName(scope.database, scope.dataset)
            return decide_by_name(self.platform, self.principal, name).decision.allowed
        return any(name.database == scope.database for name in self._seen())

    def _seen(self) -> frozenset[DatasetName]:
        facts = self.platform.catalog.list_facts(self.principal)
        decisions = decide_each(self.platform, self.principal, facts)
        return frozenset(decision.name for decision in decisions if decision.allowed)


def absent(scope: Scope) -> NotFound:
    """The words for an object that does not exist, as the catalog has them."""
    match scope.kind:
        case ScopeKind.TABLE:
            return NotFound(
                f"dataset `{scope}` does not exist, or you have no access to it",
                hint="list what you can read with `privet db datasets`, or ask a data steward",
            )
        case ScopeKind.DATABASE:
            return NotFound(
                f"database `{scope}` does not exist, or you have no access to it",
                hint="list what you can read with `privet db list`, or ask a data steward",
            )
        case ScopeKind.CRAWLER:
            return NotFound(
                f"crawl `{scope.name}` does not exist", hint="start it with `privet crawl`"
            )
        case ScopeKind.DATACONNECTION:
            hint = "see `privet connection list`"
            return NotFound(f"connection `{scope.name}` does not exist", hint=hint)
        case kind:
            hint = f"see `privet {kind} list`"
            return NotFound(f"{kind} `{scope.name}` does not exist", hint=hint)


def named(scope: Scope) -> str:
    """An object as statements name it."""
    match scope.kind:
        case ScopeKind.CATALOG:
            return "CATALOG"
        case ScopeKind.DATABASE | ScopeKind.TABLE:
            return f"{scope.kind.upper()} {scope}"
        case ScopeKind.URI:
            # Its canonical form would tell where a link leads.
            return "the URI"
        case kind:
            return f"{_SQL.get(kind, kind.upper())} {scope.name}"


def _asked(unmet: Need | Passing) -> str:
    if isinstance(unmet, Need):
        return f"{unmet.level.upper()} on {named(unmet.scope)}"
    permission, on = unmet.permission, named(unmet.scope)
    if permission.effect is not Effect.GRANT:
        return f"MANAGE_GRANTS on {on}"
    return (
        f"{permission.level.upper()} on {on} WITH GRANT OPTION, without fewer columns or rows "
        f"and for as long, or MANAGE_GRANTS on {on}"
    )


def tagging(
    columns: Iterable[Column], edits: Mapping[str, ColumnEdit], on: Scope | None
) -> tuple[Need, ...]:
    """What changing the tags of columns needs: rights on their namespaces, and on the dataset."""
    needs: dict[Need, None] = {}
    for column in columns:
        wanted = edits[column.name].tags if column.name in edits else None
        if wanted is None:
            continue
        for level, tags in (
            (AccessLevel.ADD_ATTRIBUTE, {*wanted} - column.tags),
            (AccessLevel.REMOVE_ATTRIBUTE, column.tags - {*wanted}),
        ):
            for tag in sorted(tags):
                needs |= dict.fromkeys(tag_needs(level, tag, on))
    return tuple(needs)


def complete_metadata(administrator: Administrator) -> Reach:
    """The datasets of which somebody sees everything but the rows."""
    # Whoever alters columns has to see them.
    full = administrator.reach(AccessLevel.VIEW_COMPLETE_METADATA)
    full |= administrator.reach(AccessLevel.ALTER)
    return full


def tag_needs(level: AccessLevel, tag: TagName, on: Scope | None) -> tuple[Need, ...]:
    """A right on what a tag is for, and on its namespace."""
    scopes = (*([on] if on else []), on_namespace(tag.namespace))
    return tuple(Need(level, scope) for scope in scopes)
