"""What must hold of a permission when it is stored, against the catalog as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from privet.model.datasets import Dataset, plain_type
from privet.model.errors import InvalidRequest, Position, TypeMismatch, UnknownName
from privet.model.expressions import Call, Expr
from privet.model.names import PUBLIC_ROLE, DatasetName, FieldPath, TagName
from privet.model.permissions import (
    AccessLevel,
    Effect,
    Permission,
    Scope,
    ScopeKind,
    TransformClause,
)
from privet.model.transforms import specs_of
from privet.policy.binding import check_filter, column_kinds, columns_of, walk
from privet.policy.bound import Same, held_by, tags_in
from privet.policy.domains.small import NO_PROFILES, Profiles, check_small_domains
from privet.policy.fields import check_items, field_kinds, fields_in, find_field
from privet.policy.functions import Kind, near
from privet.policy.grants import CLEAR, BoundGrant, adds_to, bind_grant, use_of
from privet.policy.language.printing import filter_sql
from privet.policy.language.statements import Places
from privet.policy.overlaps import remarks
from privet.policy.settling import misplaced_roles, of_dataset, roles_named, tags_named

_ACCEPTED = "accepted"
_PROPERTY = "reveals_filter"
_OF_DOMAINS = frozenset(
    {
        AccessLevel.ALL,
        AccessLevel.ALTER,
        AccessLevel.DETOKENIZE,
        AccessLevel.MANAGE_GRANTS,
        AccessLevel.SHOW,
    }
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that a permission may use."""

    tags: frozenset[TagName] = frozenset()
    roles: frozenset[str] = frozenset()
    databases: frozenset[str] = frozenset()
    datasets: frozenset[DatasetName] = field(default_factory=frozenset[DatasetName])
    domains: frozenset[str] = frozenset()
    """Declared token domains; every tag has one of its own besides."""


def check(
    permission: Permission,
    vocabulary: Vocabulary,
    datasets: Iterable[Dataset],
    existing: Iterable[Permission] = (),
    *,
    places: Places | None = None,
    profiles: Profiles = NO_PROFILES,
) -> tuple[str, ...]:
    """Check a permission that is to be stored; gives warnings.

    Args:
        permission: as parsed.
        vocabulary: the tags, roles, databases and datasets that exist.
        datasets: candidates; those that the permission does not cover are passed over.
        existing: the stored permissions of all roles. Beside the new one count those that its
            holders hold for sure: of its role and of the public one, which everybody holds; for a
            permission of the public role, those of each role in turn.
        places: where the names of scope and role stand in the statement.
        profiles: what samples said about the columns of datasets.

    Raises:
        UnknownName: a tag, role, database, dataset, function, transform or column that is not
            there, with its position and near names.
        TypeMismatch: a filter or a transform that fits no covered dataset.
        InvalidRequest: the permission would reveal a filter over columns that its holder does not
            see, or make tokens of values with too few to hide among, and does not say that this is
            accepted; or its level means nothing on that object.
    """
    _check_names(permission, vocabulary, places or Places())
    covered = [d for d in datasets if permission.scope.covers(d.name)]
    others = [
        e
        for e in existing
        if e != permission and not _same(e, permission) and e.effect is Effect.GRANT
    ]
    _check_columns(permission, covered)
    check_small_domains(permission, covered, profiles)
    warnings = [
        *_check_where(permission, covered),
        *(w for c in permission.transforms for w in _check_clause(c, covered)),
    ]
    if permission.effect is Effect.GRANT and permission.level.reads:
        for beside in _held_together(permission.role, others):
            _check_reveals(permission, beside, covered)
    beside = (e for e in existing if e.role in {permission.role, PUBLIC_ROLE})
    held = [e for e in beside if not _replaced(e, permission)]
    warnings += remarks(permission, covered, held)
    if not covered and permission.scope.kind.holds_data:
        warnings.append("it covers no dataset yet, so its columns and types were not checked")
    return tuple(warnings)


def _held_together(role: str, others: Sequence[Permission]) -> Iterable[list[Permission]]:
    """What holders of a role hold beside it: one list for each other role they may have."""
    known = {e.role for e in others} | {role} if role == PUBLIC_ROLE else {role}
    for each in sorted(known):
        yield [e for e in others if e.role in {each, PUBLIC_ROLE}]


def _same(one: Permission, other: Permission) -> bool:
    return bool(one.id) and one.id == other.id


def _replaced(one: Permission, by: Permission) -> bool:
    """Whether storing one of two takes the place of the other: properties aside, they are equal."""
    return replace(one, properties={}, grant_option=False) == replace(
        by, properties={}, grant_option=False
    )


# ---- names


def _check_names(permission: Permission, vocabulary: Vocabulary, places: Places) -> None:
    scope = permission.scope
    if not scope.per_user:
        _check_scope(scope, vocabulary, places.scope)
    _check_level(permission, places.scope)
    if permission.role not in vocabulary.roles | {PUBLIC_ROLE}:
        raise _unknown("role", permission.role, vocabulary.roles, places.role)
    expressions = [c.tags for c in permission.transforms]
    if permission.having is not None:
        expressions.insert(0, permission.having)
    for tags in expressions:
        for leaf, _ in tags_in(tags):
            if leaf.tag not in vocabulary.tags:
                raise _unknown("tag", str(leaf.tag), map(str, vocabulary.tags), leaf.position)
    for clause in permission.transforms:
        specs_of(clause.call)
    if permission.where is not None:
        _check_named(permission.where, vocabulary)


def _check_scope(scope: Scope, vocabulary: Vocabulary, position: Position | None) -> None:
    name = DatasetName(scope.database, scope.dataset)
    if scope.database and scope.database not in vocabulary.databases:
        raise _unknown("database", scope.database, vocabulary.databases, position)
    if scope.kind is ScopeKind.TABLE and name not in vocabulary.datasets:
        raise _unknown("dataset", str(name), map(str, vocabulary.datasets), position)
    if scope.kind is ScopeKind.ROLE and scope.name not in vocabulary.roles | {PUBLIC_ROLE}:
        raise _unknown("role", scope.name, vocabulary.roles, position)
    domains = vocabulary.domains | {str(tag) for tag in vocabulary.tags}
    if scope.kind is ScopeKind.TOKEN_DOMAIN and scope.name not in domains:
        raise _unknown("token domain", scope.name, domains, position)
    namespaces = {tag.namespace for tag in vocabulary.tags}
    if scope.kind is ScopeKind.NAMESPACE and scope.name not in namespaces:
        raise _unknown("tag namespace", scope.name, namespaces, position)


def _check_level(permission: Permission, position: Position | None) -> None:
    kind = permission.scope.kind
    detokenizing = permission.level is AccessLevel.DETOKENIZE
    if detokenizing and kind not in {ScopeKind.TOKEN_DOMAIN, ScopeKind.CATALOG}:
        raise InvalidRequest(
            "`DETOKENIZE` is on token domains",
            hint="write it as GRANT DETOKENIZE ON TOKEN DOMAIN namespace.key",
            position=position,
        )
    if kind is ScopeKind.TOKEN_DOMAIN and permission.level not in _OF_DOMAINS:
        known = ", ".join(sorted(level.upper() for level in _OF_DOMAINS))
        raise InvalidRequest(
            f"`{permission.level.upper()}` means nothing on a token domain",
            hint=f"one of {known}",
            position=position,
        )


def _check_named(where: Expr, vocabulary: Vocabulary) -> None:
    """The tags and roles that functions of a filter name."""
    for tag, position in tags_named(where):
        if tag not in vocabulary.tags:
            raise _unknown("tag", str(tag), map(str, vocabulary.tags), position)
    for part in walk(where):
        if isinstance(part, Call) and part.function == "has_roles":
            for role in sorted(roles_named(part) - vocabulary.roles - {PUBLIC_ROLE}):
                raise _unknown("role", role, vocabulary.roles, part.position)
    if misplaced := misplaced_roles(where):
        raise InvalidRequest(
            "`has_roles` may only stand under AND and OR",
            hint="a right that ends when somebody gains a role is a safeguard: use RESTRICT",
            position=misplaced.position,
        )


def _unknown(what: str, name: str, known: Iterable[str], position: Position | None) -> UnknownName:
    hint = near(name, known) or f"create the {what} first"
    return UnknownName(f"unknown {what} `{name}`", hint=hint, position=position)


# ---- columns


def _check_columns(permission: Permission, covered: Sequence[Dataset]) -> None:
    known = {c.name for dataset in covered for c in dataset.columns}
    for name in permission.columns:
        column, *inside = name.split(".")
        if covered and column in known and inside:
            _check_field((column, *inside), covered)
        elif covered and name not in known:
            raise UnknownName(f"no covered dataset has a column `{name}`", hint=near(name, known))


def _check_field(path: FieldPath, covered: Sequence[Dataset]) -> None:
    types = (plain_type(c.type) for d in covered for c in d.columns if c.name == path[0])
    if not any(find_field(kind, path) for kind in types):
        raise UnknownName(
            f"no covered dataset has a field `{'.'.join(path)}`",
            hint=f"look at the type of column `{path[0]}`",
        )


# ---- filters


def _check_where(permission: Permission, covered: Sequence[Dataset]) -> Iterable[str]:
    where = permission.where
    if where is None:
        return
    check_filter(where, None)
    kinds: list[Mapping[str, Kind]] = [column_kinds(d) for d in covered]
    known = {name for columns in kinds for name in columns}
    loses = "grants nothing" if permission.effect is Effect.GRANT else "closes what it is on"
    for name, position in columns_of(where).items():
        if covered and name not in known:
            raise UnknownName(
                f"no covered dataset has a column `{name}`",
                hint=near(name, known),
                position=position,
            )
    kinds = [field_kinds(where, d, own) for d, own in zip(covered, kinds, strict=True)]
    for ref in fields_in(where):
        if covered and not any(ref.name in columns for columns in kinds):
            raise UnknownName(
                f"no covered dataset has a field `{ref.name}`",
                hint=f"look at the type of column `{ref.path[0]}`",
                position=ref.position,
            )
    problems: list[tuple[Dataset, InvalidRequest]] = []
    for dataset, columns in zip(covered, kinds, strict=True):
        try:
            check_filter(of_dataset(where, dataset), columns)
            check_items(where, dataset, columns)
        except InvalidRequest as error:
            problems.append((dataset, error))
    mismatch = next((e for _, e in problems if isinstance(e, TypeMismatch)), None)
    if mismatch and len(problems) == len(covered):
        raise mismatch
    for dataset, error in problems:
        yield f"on `{dataset.name}` it {loses}: {error.message}"


# ---- transforms


def _check_clause(clause: TransformClause, covered: Sequence[Dataset]) -> Iterable[str]:
    fitting = 0
    problems: list[tuple[str, InvalidRequest]] = []
    for dataset in covered:
        for column in dataset.columns:
            if not column.reviewed or not held_by(column, dataset).meets(clause.tags):
                continue
            try:
                use_of(clause, column, dataset)
                fitting += 1
            except InvalidRequest as error:
                problems.append((f"{dataset.name}.{column.name}", error))
    if problems and not fitting:
        name, error = problems[0]
        raise TypeMismatch(
            f"on column `{name}`: {error.message}",
            hint="use `mask` or `null`, or another tag",
            position=clause.call.position,
        )
    for name, error in problems:
        yield f"column `{name}` will be hidden: {error.message}"


# ---- what a filter tells


def _check_reveals(
    permission: Permission, others: Sequence[Permission], covered: Sequence[Dataset]
) -> None:
    """Beside another grant, the cells that a filtered one adds tell where its filter holds."""
    if permission.properties.get(_PROPERTY) == _ACCEPTED:
        return
    for dataset in covered:
        table = Same(dataset)
        new = bind_grant(Same(permission), table)
        beside = [bind_grant(Same(e), table) for e in others if e.scope.covers(dataset.name)]
        for other in beside:
            told = _revealed(new, other, beside, dataset)
            if not told and other.permission.properties.get(_PROPERTY) != _ACCEPTED:
                told = _revealed(other, new, beside, dataset)
            if told:
                raise InvalidRequest(
                    f"on `{dataset.name}` the cells shown would tell the holder about column "
                    f"`{told}`, which is not in view",
                    hint="add POLICYPROPERTIES('reveals_filter'='accepted') to accept that",
                    position=columns_of(permission.where).get(told) if permission.where else None,
                )


def _revealed(
    grant: BoundGrant, other: BoundGrant, beside: Sequence[BoundGrant], dataset: Dataset
) -> str:
    """A column of `grant`'s filter that rows shown by `other` tell about, or nothing."""
    where, beside_where = grant.permission.where, other.permission.where
    if where is None or not grant.shown or not other.shown:
        return ""
    if beside_where is not None and filter_sql(where) == filter_sql(beside_where):
        return ""
    adds = any(
        place not in other.shown or adds_to(way, other.shown[place])
        for place, way in grant.shown.items()
    )
    whole = [g for g in beside if g is not grant and g.permission.where is None]
    seen = {
        dataset.columns[place].name
        for g in (other, *whole)
        for place, way in g.shown.items()
        if way is CLEAR
    }
    hidden = sorted(set(columns_of(where)) - seen)
    return hidden[0] if adds and hidden else ""
