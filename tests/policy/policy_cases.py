"""What the tests of the policy share: the acceptance policy, datasets, generated statements."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
from hypothesis import strategies as st

from privet.model.datasets import Column, Dataset, FieldTag, Format, Source, TokenDomain
from privet.model.decisions import Decision, Facts
from privet.model.expressions import (
    And,
    Arithmetic,
    ArithmeticOp,
    Call,
    Case,
    ColumnRef,
    ColumnSlot,
    Compare,
    CompareOp,
    Expr,
    HasTag,
    In,
    IsNull,
    Like,
    Literal,
    Negate,
    Not,
    Or,
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
from privet.model.principals import Principal
from privet.policy import Grant, decide, parse
from privet.policy.functions import WRITTEN_OUT

ACCEPTANCE = (
    "GRANT SELECT ON DATABASE medical_charges HAVING ATTRIBUTE NOT IN (phi.phone_number) "
    "TRANSFORM phi.mrn WITH tokenize() WHERE opted_out != 1 TO ROLE healthcare_analyst_role"
)
NAME = DatasetName("medical_charges", "medical_costs")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
READER = Principal("demo_user2", frozenset({"general_analyst_group"}))
ADMIN = Principal("admin", admin=True)


def column(name: str, kind: pa.DataType | None = None, *tags: str, reviewed: bool = True) -> Column:
    """A column with tags written as `ns.k`."""
    marks = tuple(FieldTag((name,), TagName.parse(t)) for t in tags)
    return Column(name, kind or pa.string(), name, reviewed=reviewed, field_tags=marks)


def dataset(
    *columns: Column, name: DatasetName = NAME, domains: Sequence[TokenDomain] = (), **more: object
) -> Dataset:
    """A dataset of these columns."""
    return Dataset(
        f"id-{name}",
        name,
        Source("file:///lake/d", Format.CSV),
        columns,
        domains={d.name: d for d in domains},
        **more,
    )


COSTS = dataset(
    column("id", pa.int64()),
    column("mrn", pa.string(), "phi.mrn"),
    column("phone", pa.string(), "phi.phone_number"),
    column("age", pa.int64()),
    column("charges", pa.float64()),
    column("opted_out", pa.int64()),
)


def grant(text: str, identity: str = "") -> Permission:
    """The permission of a GRANT statement; `SELECT ON CATALOG ... TO r` goes without saying."""
    text = text if text.upper().startswith("GRANT") else f"GRANT SELECT ON CATALOG {text} TO r"
    statement = parse(text)
    assert isinstance(statement, Grant)
    return replace(statement.permission, id=identity or text)


def guard(text: str, identity: str = "") -> Permission:
    """The safeguard of a statement; `SELECT ON CATALOG ... FROM ROLE r` goes without saying."""
    verb, _, rest = text.partition(" ")
    full = text if " ON " in text else f"{verb} SELECT ON CATALOG {rest} FROM ROLE r"
    statement = parse(full)
    assert isinstance(statement, Grant)
    return replace(statement.permission, id=identity or text)


def decide_on(
    table: Dataset | None,
    permissions: Iterable[Permission],
    *,
    principal: Principal = READER,
    now: datetime = NOW,
    roles: frozenset[str] | None = None,
) -> Decision:
    """Decide for a reader who holds the role of every permission, unless told otherwise."""
    every = tuple(permissions)
    held = tuple(p for p in every if p.effect is Effect.GRANT)
    guards = tuple(p for p in every if p.effect is not Effect.GRANT)
    roles = frozenset(p.role for p in every) if roles is None else roles
    name = table.name if table else NAME
    return decide(principal, Facts(7, name, table, roles, held, guards), now)


# ---- generated statements

WORDS = (
    "a",
    "opted_out",
    "role",
    "select",
    "date",
    "timestamp",
    "cast",
    "case",
    "when",
    "then",
    "end",
    "true",
    "false",
    "null",
    "not",
    "in",
    "is",
    "like",
    "between",
    "and",
    "or",
    "to",
    "where",
    "having",
    "transform",
    "except",
    "with",
    "from",
    "exists",
    "if",
    "group",
    "user",
    "now",
    "__column__",
    "1e5",
    "123",
    "7up",
    "_",
    "policyproperties",
    "attribute",
)
names = st.one_of(st.sampled_from(WORDS), st.from_regex(r"[a-z0-9_]{1,12}", fullmatch=True))
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
decimals = st.decimals(
    allow_nan=False, allow_infinity=False, places=3, min_value=-999, max_value=999
)
literals = st.builds(
    Literal,
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        decimals,
        texts,
        st.dates(),
        st.datetimes(timezones=st.just(UTC)),
    ),
)
patterns = texts.filter(lambda t: (len(t) - len(t.rstrip("\\"))) % 2 == 0)
casts = st.sampled_from(["bigint", "double", "varchar", "date"]).map(Literal)


def _compound(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    some = st.lists(inner, min_size=2, max_size=3).map(tuple)
    few = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Compare, st.sampled_from(CompareOp), inner, inner),
        st.builds(And, some),
        st.builds(Or, some),
        st.builds(Not, inner),
        st.builds(In, inner, few),
        st.builds(Like, inner, patterns),
        st.builds(IsNull, inner),
        st.builds(
            Case, st.lists(st.tuples(inner, inner), min_size=1, max_size=2).map(tuple), inner
        ),
        st.builds(Arithmetic, st.sampled_from(ArithmeticOp), inner, inner),
        st.builds(Negate, inner),
        st.builds(Call, st.sampled_from(["lower", "abs", "year", "length"]), st.tuples(inner)),
        st.builds(Call, st.sampled_from(["concat", "coalesce"]), some),
        st.builds(Call, st.sampled_from(["user", "now"]), st.just(())),
        st.builds(Call, st.sampled_from(sorted(WRITTEN_OUT)), st.tuples(st.builds(Literal, texts))),
        st.builds(Call, st.sampled_from(["in_set", "sets_intersect"]), st.tuples(inner, inner)),
        st.builds(Call, st.just("cast"), st.tuples(inner, casts)),
    )


expressions = st.recursive(
    st.one_of(literals, st.builds(ColumnRef, names)), _compound, max_leaves=12
)
tags = st.builds(TagName, names, names)
tag_expressions: st.SearchStrategy[TagExpr] = st.recursive(
    st.builds(HasTag, tags),
    lambda inner: st.one_of(
        st.builds(TagNot, inner),
        st.builds(TagAnd, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(TagOr, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)
calls = st.one_of(
    st.builds(
        Call,
        st.sampled_from(["tokenize", "null", "zero", "sha2", "mask"]),
        st.just((ColumnSlot(),)),
    ),
    st.builds(
        lambda a, b: Call("mask", (ColumnSlot(), Literal(a), Literal(b))),
        st.integers(0, 9),
        st.integers(0, 9),
    ),
)
nested = st.builds(
    lambda outer, inner: Call(outer, (inner,)), st.sampled_from(["mask", "sha2"]), calls
)
clauses = st.builds(TransformClause, tag_expressions, calls | nested, st.booleans())
objects = names | st.builds(lambda a, b: f"{a}${{user}}{b}", names, names)
scopes = st.one_of(
    st.just(Scope(ScopeKind.CATALOG)),
    st.builds(Scope, st.just(ScopeKind.DATABASE), objects),
    st.builds(Scope, st.just(ScopeKind.TABLE), objects, objects),
    st.builds(
        Scope,
        st.sampled_from([ScopeKind.NAMESPACE, ScopeKind.CRAWLER, ScopeKind.DATACONNECTION]),
        name=objects,
    ),
    st.builds(
        Scope,
        st.just(ScopeKind.URI),
        name=objects.map(lambda name: f"s3://lake/{name}/it's"),
    ),
)
properties = st.fixed_dictionaries(
    {},
    optional={
        "name": texts,
        "description": texts,
        "enabled": st.sampled_from(["true", "false"]),
        "start_datetime": st.integers(0, 10**9).map(str),
        "end_datetime": st.integers(10**9 + 1, 10**10).map(str),
        "reveals_filter": st.just("accepted"),
    },
)
columns_listed = st.lists(names, max_size=2, unique=True).map(sorted).map(tuple)
shapes = st.builds(
    Permission,
    scope=scopes,
    role=names,
    effect=st.sampled_from(Effect),
    level=st.sampled_from([AccessLevel.SELECT] * 9 + list(AccessLevel)),
    having=st.none() | tag_expressions,
    transforms=st.lists(clauses, max_size=2).map(tuple),
    where=st.none() | expressions,
    properties=properties,
    columns=st.just(()) | columns_listed,
)


def _mended(permission: Permission, grant_option: bool) -> Permission:
    """The nearest permission whose clauses go together."""
    granting = permission.effect is Effect.GRANT
    bare = replace(permission, having=None, transforms=(), where=None, columns=())
    if granting:
        whole = permission.level.reads and permission.scope.kind.holds_data
        return replace(permission if whole else bare, grant_option=grant_option)
    safe = replace(
        permission,
        level=AccessLevel.SELECT,
        columns=(),
        scope=permission.scope if permission.scope.kind.holds_data else Scope(ScopeKind.CATALOG),
        having=permission.having or HasTag(TagName("a", "b")),
        transforms=tuple(replace(c, excepted=False) for c in permission.transforms),
    )
    return safe if safe.effect is Effect.RESTRICT else replace(safe, transforms=(), where=None)


permissions = st.builds(_mended, shapes, st.booleans())


# ---- generated filters that type-check, over the columns of `ROWS`

ROWS = pa.table(
    {
        "i": pa.array([0, 1, None, -5, 2**53 + 1, 2**63 - 1], pa.int64()),
        "j": pa.array([1, None, 3, 0, -(2**31), 7], pa.int32()),
        "f": pa.array([0.0, None, float("nan"), -0.0, 1.5, 1e308]),
        "d": pa.array(
            [Decimal("1.50"), None, Decimal("0.00"), Decimal("-2.25"), None, None],
            pa.decimal128(10, 2),
        ),
        "t": pa.array(["", "1", None, "abc", "1.5", "Ünï"]),
        "u": pa.array(["x", None, "demo_user2", "2024-01-31", "-7", "%"]),
        "x": pa.array([True, False, None, True, False, None]),
        "y": pa.array([None, True, False, False, True, None]),
        "day": pa.array([date(2024, 1, 31), None, date(1970, 1, 1), date(2026, 1, 1), None, None]),
        "at": pa.array(
            [datetime(2024, 1, 31, 12, tzinfo=UTC), None, NOW, None, NOW, NOW],
            pa.timestamp("us", tz="UTC"),
        ),
    }
)


def typed_filters() -> st.SearchStrategy[Expr]:
    """Filters that type-check over `ROWS`, with NULLs, failures and `user()` in odd places."""
    null = st.just(Literal(None))

    def refs(*columns: str) -> st.SearchStrategy[Expr]:
        return st.sampled_from(columns).map(ColumnRef)

    small = st.integers(-3, 3) | st.sampled_from([2**53 + 1, 2**63 - 1, -(2**63)])
    whole = st.one_of(refs("i", "j"), st.builds(Literal, small), null)
    real = st.one_of(refs("f", "d"), st.builds(Literal, decimals), null)
    user = st.just(Call("user", ()))
    words = ["", "1", "1.5", "abc", "ABC", "2024-01-31", "2024-02-31", "demo_user2", " x "]
    text = st.one_of(refs("t", "u"), st.sampled_from(words).map(Literal), user, null)
    flag = st.one_of(refs("x", "y"), st.builds(Literal, st.booleans()), null)
    number = whole | real
    number = st.one_of(
        number,
        st.builds(Arithmetic, st.sampled_from(ArithmeticOp), number, number),
        st.builds(Negate, number),
        st.builds(Call, st.just("abs"), st.tuples(number)),
        st.builds(Call, st.just("length"), st.tuples(text)),
        st.builds(
            lambda v, k: Call("cast", (v, Literal(k))),
            number | text,
            st.sampled_from(["bigint", "double"]),
        ),
        st.builds(Call, st.just("coalesce"), st.tuples(number, number)),
        st.builds(lambda c, a, b: Case(((c, a),), b), flag, number, number),
    )
    text = st.one_of(
        text,
        st.builds(Call, st.sampled_from(["lower", "upper", "trim"]), st.tuples(text)),
        st.builds(lambda v: Call("cast", (v, Literal("varchar"))), whole | flag | text),
        st.builds(lambda v, s: Call("substr", (v, Literal(s))), text, st.integers(0, 3)),
        st.builds(Call, st.sampled_from(["concat", "coalesce"]), st.tuples(text, text)),
    )
    days = (
        refs("day")
        | st.dates().map(Literal)
        | st.builds(lambda v: Call("cast", (v, Literal("date"))), text)
    )
    times = st.one_of(refs("at"), st.just(Call("now", ())), days)
    truth = st.one_of(
        flag,
        st.builds(Compare, st.sampled_from(CompareOp), number, number | text),
        st.builds(Compare, st.sampled_from(CompareOp), text, text | number),
        st.builds(Compare, st.sampled_from(CompareOp), times, times),
        st.builds(In, number, st.lists(number, min_size=1, max_size=3).map(tuple)),
        st.builds(Like, text, st.sampled_from(["%", "a%", "_", "%\\%", "demo%2", ""])),
        st.builds(IsNull, st.one_of(number, text, flag, times)),
    )
    return st.recursive(
        truth,
        lambda inner: st.one_of(
            st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple)),
            st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple)),
            st.builds(Not, inner),
            st.builds(IsNull, inner),
            st.builds(lambda c, a, b: Case(((c, a),), b), inner, inner, inner),
            st.builds(Call, st.just("coalesce"), st.tuples(inner, inner)),
            st.builds(Compare, st.sampled_from(CompareOp), inner, inner),
        ),
        max_leaves=6,
    )
