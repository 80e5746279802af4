"""Whether somebody could write values into a dataset and read the tokens of others in its domain.

Such a person looks up what a token stands for by trying: equal values have equal tokens.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from privet.model.datasets import Dataset, Format
from privet.model.expressions import Call
from privet.model.names import PUBLIC_ROLE
from privet.model.permissions import AccessLevel, Effect, Permission, Scope, ScopeKind
from privet.model.transforms import find_spec, steps
from privet.policy.bound import Same, may_cover
from privet.policy.grants import Way, bind_grant

_WRITING = frozenset(
    {
        AccessLevel.ALL,
        AccessLevel.INSERT,
        AccessLevel.UPDATE,
        AccessLevel.DELETE,
        AccessLevel.ALTER,
        AccessLevel.CREATE,
        AccessLevel.CREATE_AS_OWNER,
    }
)
_CREATING = frozenset({AccessLevel.ALL, AccessLevel.CREATE, AccessLevel.CREATE_AS_OWNER})
_OF_PLACES = frozenset({ScopeKind.CATALOG, ScopeKind.DATABASE})


@dataclass(frozen=True, slots=True)
class Community:
    """Who holds which roles, as far as it is known.

    Attributes:
        groups: the groups that a role is given to, each an issuer and a name.
        people: the roles of everybody who was seen.
    """

    groups: Mapping[str, frozenset[tuple[str, str]]]
    people: Collection[frozenset[str]] = ()

    def shared(self, one: str, other: str) -> bool:
        """Whether somebody holds both, or may at any time: a group has both, or all hold one."""
        if one == other or PUBLIC_ROLE in {one, other}:
            return True
        if self.groups.get(one, frozenset()) & self.groups.get(other, frozenset()):
            return True
        return any({one, other} <= roles for roles in self.people)


@dataclass(frozen=True, order=True, slots=True)
class Risk:
    """Holders of both roles could try values: `writer` lets them write, `reader` read tokens."""

    writer: str
    reader: str


def admission_risks(
    joining: Dataset,
    members: Iterable[Dataset],
    tags: Collection[str],
    permissions: Sequence[Permission],
    community: Community,
    made_of_them: Iterable[Dataset] = (),
) -> tuple[Risk, ...]:
    """By which roles somebody could write to a dataset and read tokens of a domain with it.

    Permissions count whether they are in force now or not: admission lasts longer.

    Args:
        joining: the dataset.
        members: those that are in the domain.
        tags: what the domain serves, as texts.
        permissions: all that are stored.
        community: who holds what.
        made_of_them: views and copies of all these, whose cells may be tokens of the domain.
    """
    readers = _readers([joining, *members], tags, permissions)
    for made in made_of_them:
        readers |= {p.role for p in permissions if _reads(p) and may_cover(p, made.name)}
    writers = _writers(joining, permissions, community)
    return tuple(sorted(Risk(w, r) for w in writers for r in readers if community.shared(w, r)))


def _readers(
    inside: Sequence[Dataset], tags: Collection[str], permissions: Sequence[Permission]
) -> set[str]:
    found: set[str] = set()
    for dataset in inside:
        covering = [p for p in permissions if may_cover(p, dataset.name)]
        # A safeguard makes tokens of what grants show in the clear.
        guarded = any(
            p.effect is Effect.RESTRICT and any(_is_keyed_call(c.call) for c in p.transforms)
            for p in covering
        )
        for grant in covering:
            if not _reads(grant) or grant.role in found:
                continue
            ways = bind_grant(Same(grant), Same(dataset)).shown.values()
            if guarded or any(_has_tokens(way, tags) for way in ways):
                found.add(grant.role)
    return found


def _reads(permission: Permission) -> bool:
    return permission.effect is Effect.GRANT and permission.level.reads


def _has_tokens(way: Way, tags: Collection[str]) -> bool:
    use = way.transform
    return use is not None and use.domain in tags and _is_keyed_call(use.call)


def _is_keyed_call(call: Call) -> bool:
    specs = (find_spec(step.function) for step in steps(call))
    return any(spec is None or spec.keyed for spec in specs)


def _writers(joining: Dataset, permissions: Sequence[Permission], community: Community) -> set[str]:
    grants = [p for p in permissions if p.effect is Effect.GRANT]
    writers = {p.role for p in grants if p.level in _WRITING and may_cover(p, joining.name)}
    if joining.source.format is Format.VIEW:
        return writers
    at = Scope(ScopeKind.URI, name=joining.source.uri)
    reaching = {p.role for p in grants if _reaches(p, at)}
    creating = {p.role for p in grants if p.level in _CREATING and p.scope.kind in _OF_PLACES}
    for one in reaching:
        for other in creating:
            if community.shared(one, other):
                writers |= {one, other}
    return writers


def _reaches(grant: Permission, at: Scope) -> bool:
    """Whether its holders may have files read at a path, which those do who put them there."""
    scope = grant.scope
    on_paths = scope.kind is ScopeKind.URI and grant.level in {AccessLevel.ALL, AccessLevel.SELECT}
    return on_paths and (scope.per_user or scope.holds(at))
