"""Permissions at random: few tags, roles and filters, so that many of them meet on a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from pools import NOW

from privet.model.expressions import (
    Call,
    ColumnSlot,
    Expr,
    HasTag,
    Literal,
    TagAnd,
    TagExpr,
    TagNot,
    TagOr,
)
from privet.model.names import DatasetName, TagName
from privet.model.permissions import (
    AccessLevel,
    Effect,
    Permission,
    Scope,
    ScopeKind,
    TransformClause,
)

TAGS = tuple(map(TagName.parse, ("phi.mrn", "pii.email", "phi.zip", "pii.age", "security.key")))
ROLES = ("analyst_role", "steward_role", "auditor_role", "public_role")
OTHER_LEVELS = tuple(level for level in AccessLevel if not level.reads)
TOKENS = (
    *("tokenize",) * 5,
    *("tokenize_no_ref",) * 3,
    *("nfp_ref_tokenize", "nfp_noref_tokenize", "sha2"),
)
PLAIN = ("mask", "mask", "zero", "null")
SECOND = int(NOW.timestamp())
NAMES = (
    DatasetName("medical", "costs"),
    *(DatasetName("medical", "costs_ada"), DatasetName("home_ada", "costs")),
    *(DatasetName("home_demo_user2", "costs_ada"), DatasetName("ada", "costs")),
)
_PER_USER = (
    *(Scope(ScopeKind.DATABASE, "home_${user}"), Scope(ScopeKind.DATABASE, "${user}")),
    *(Scope(ScopeKind.TABLE, d, "costs_${user}") for d in ("medical", "home_${user}")),
    Scope(ScopeKind.TABLE, "home_${user}", "costs"),
)
_NOWHERE = (
    *(Scope(ScopeKind.DATABASE, "elsewhere"), Scope(ScopeKind.TABLE, "medical", "other")),
    Scope(ScopeKind.TABLE, "elsewhere", "costs"),
)
_NO_DATA = (
    *(Scope(ScopeKind.NAMESPACE, name="phi"), Scope(ScopeKind.ROLE, name="analyst_role")),
    Scope(ScopeKind.URI, name="file:///lake/costs"),
)


@dataclass(frozen=True)
class Draw:
    """What permissions of one world are drawn from.

    `filters` has None for there being none; `drawn` are the clauses so far.
    """

    random: Random
    name: DatasetName
    columns: Sequence[str]
    tags: Sequence[TagName]
    filters: Sequence[Expr | None]
    drawn: list[TransformClause] = field(default_factory=list)

    def grant(self, identity: str) -> Permission:
        """A grant."""
        random = self.random
        if random.random() < 0.05:
            return self._whole(identity)
        return Permission(
            scope=self._scope(),
            role=self._role(),
            level=AccessLevel.SELECT if random.random() < 0.8 else AccessLevel.ALL,
            having=None if random.random() < 0.4 else self._tags(2),
            transforms=self._clauses(random.choice((0, 0, 1, 1, 1, 2, 3)), excepting=0.35),
            where=random.choice(self.filters),
            properties=self._properties(),
            columns=self._listed(),
            id=identity,
        )

    def _whole(self, identity: str) -> Permission:
        """A grant on a whole object, mostly of something else than its cells."""
        random = self.random
        if random.random() < 0.2:
            return Permission(random.choice(_NO_DATA), self._role(), id=identity)
        level = random.choice(OTHER_LEVELS)
        return Permission(self._scope(), self._role(), level=level, id=identity)

    def safeguard(self, identity: str) -> Permission:
        """A denial or a restriction, of any form that can be stored."""
        random = self.random
        effect = Effect.DENY if random.random() < 0.2 else Effect.RESTRICT
        form = random.choice(("H", "T", "T", "W", "W", "HT", "HT", "HW", "HW", "HW", "TW", "HTW"))
        if effect is Effect.DENY:
            form = "H"
        some = [f for f in self.filters if f is not None]
        return Permission(
            scope=self._scope(),
            role=self._role(),
            effect=effect,
            level=random.choice((AccessLevel.SELECT, AccessLevel.SELECT, AccessLevel.ALL)),
            having=self._tags(1) if "H" in form else None,
            transforms=self._clauses(random.choice((1, 1, 2)), excepting=0) if "T" in form else (),
            where=random.choice(some) if "W" in form else None,
            properties=self._properties(unreadable="W" not in form)
            | ({"missing_columns": "ignore"} if "W" in form and random.random() < 0.3 else {}),
            id=identity,
        )

    def _role(self) -> str:
        return self.random.choice((*ROLES, *ROLES[:2]))

    def _scope(self) -> Scope:
        random, (database, name) = self.random, self.name
        if random.random() < 0.06:
            return random.choice(_NOWHERE)
        if random.random() < (0.03 if self.name == NAMES[0] else 0.4):
            return random.choice(_PER_USER)
        return random.choice(
            (
                Scope(ScopeKind.CATALOG),
                Scope(ScopeKind.DATABASE, database),
                Scope(ScopeKind.TABLE, database, name),
            )
        )

    def _listed(self) -> tuple[str, ...]:
        """A list of columns, one that is not there now and then; mostly none."""
        random = self.random
        if random.random() < 0.85:
            return ()
        some = random.sample(
            [*self.columns], random.randint(len(self.columns) // 2, len(self.columns))
        )
        return tuple(sorted({*some, *(("gone",) if random.random() < 0.2 else ())}))

    def _tags(self, depth: int) -> TagExpr:
        random = self.random
        if depth == 0 or random.random() < 0.4:
            return HasTag(
                random.choice(self.tags) if random.random() < 0.9 else random.choice(TAGS)
            )
        parts = tuple(self._tags(depth - 1) for _ in range(2))
        either_way = TagOr((parts[0], TagNot(parts[0])))
        return random.choice((*(TagNot(parts[0]),) * 3, TagAnd(parts), TagOr(parts), either_way))

    def _clauses(self, count: int, excepting: float) -> tuple[TransformClause, ...]:
        return tuple(self._clause(excepting) for _ in range(count))

    def _clause(self, excepting: float) -> TransformClause:
        """A clause, often one that another permission has too."""
        random = self.random
        excepted = random.random() < excepting
        if self.drawn and random.random() < 0.3:
            return replace(random.choice(self.drawn), excepted=excepted)
        wide = random.random() < 0.3
        matched = self._tags(2) if wide else HasTag(random.choice(self.tags))
        self.drawn.append(TransformClause(matched, self._call(), excepted=excepted))
        return self.drawn[-1]

    def _call(self) -> Call:
        """A transform, nested now and then."""
        random = self.random
        call = self._step(None)
        while random.random() < 0.15:
            call = self._step(call)
        return call

    def _step(self, inner: Call | None) -> Call:
        random = self.random
        name = random.choice((*TOKENS, *PLAIN, *PLAIN))
        bounds = random.choice(((), (), (1,), (2, 3), (0, 0), (40,))) if name == "mask" else ()
        return Call(name, (inner or ColumnSlot(), *map(Literal, bounds)))

    def _properties(self, *, unreadable: bool = True) -> dict[str, str]:
        random = self.random
        if random.random() < 0.8:
            return {}
        if unreadable and random.random() < 0.1:
            return random.choice(
                ({"enabled": "perhaps"}, {"start_datetime": "soon"}, {"end_datetime": "never"})
            )
        return random.choice(
            (
                {"enabled": "true", "name": "a permission"},
                {"enabled": "false"},
                {"start_datetime": str(SECOND - random.choice((0, 60)))},
                {"start_datetime": str(SECOND + random.choice((1, 60)))},
                {"end_datetime": str(SECOND + random.choice((1, 60)))},
                {"end_datetime": str(SECOND - random.choice((0, 60)))},
                {"start_datetime": str(SECOND - 9), "end_datetime": str(SECOND + 9)},
            )
        )
