"""What is refused when a permission is stored, where, and what is only warned about."""

from dataclasses import replace

import pyarrow as pa
import pytest
from policy_cases import ACCEPTANCE, COSTS, NAME, column, dataset, grant

from privet.model.datasets import CanonicalType, TokenDomain
from privet.model.errors import InvalidRequest, PrivetError, TypeMismatch, UnknownName
from privet.model.expressions import Call, Literal
from privet.model.names import DatasetName, TagName
from privet.model.permissions import Permission
from privet.policy import (
    Grant,
    Vocabulary,
    check,
    check_filter,
    column_kinds,
    kind_of,
    parse,
    parse_filter,
)

VOCABULARY = Vocabulary(
    tags=frozenset({TagName("phi", "phone_number"), TagName("phi", "mrn"), TagName("t", "x")}),
    roles=frozenset({"healthcare_analyst_role", "r", "public_role"}),
    databases=frozenset({"medical_charges", "empty"}),
    datasets=frozenset({NAME}),
)
OTHER = dataset(
    column("mrn", pa.int64(), "phi.mrn"),
    column("price", pa.float64(), "t.x"),
    name=DatasetName("medical_charges", "other"),
)


def test_acceptance_on_an_empty_database() -> None:
    """A policy can be written before there is data; what cannot be checked is warned about."""
    assert check(grant(ACCEPTANCE), VOCABULARY, []) == (
        "it covers no dataset yet, so its columns and types were not checked",
    )
    assert check(grant(ACCEPTANCE), VOCABULARY, [COSTS]) == ()


@pytest.mark.parametrize(
    ("text", "message", "offset", "advice"),
    [
        ("ON DATABASE medical_charge TO ROLE r", "database", 25, "`medical_charges`"),
        ("ON TABLE medical_charges.medical_cost TO r", "dataset", 22, "medical_costs"),
        ("ON CATALOG TO ROLE analyst", "role", 32, "create the role first"),
        ("ON CATALOG HAVING ATTRIBUTE phi.mrm TO r", "tag", 41, "`phi.mrn`"),
        ("ON CATALOG TRANSFORM NOT IN (t.x, t.z) WITH mask() TO r", "tag", 47, "`t.x`"),
        ("ON CATALOG WHERE opted_ot = 1 TO r", "column `opted_ot`", 30, "`opted_out`"),
        ("ON CATALOG WHERE age = 1 AND\nNOT gone IS NULL TO r", "column `gone`", 46, ""),
    ],
)
def test_unknown_names(text: str, message: str, offset: int, advice: str) -> None:
    """Tags, roles, objects and columns that are not there are refused where they are written."""
    statement = parse(f"GRANT SELECT {text}")
    assert isinstance(statement, Grant)
    with pytest.raises(UnknownName, match=message) as caught:
        check(statement.permission, VOCABULARY, [COSTS], places=statement.places)
    assert caught.value.position is not None
    assert caught.value.position.offset == offset
    assert advice in caught.value.hint


def test_public_role_is_always_there() -> None:
    """The public role needs no entry in the vocabulary."""
    bare = replace(VOCABULARY, roles=frozenset())
    assert check(grant("GRANT SELECT ON CATALOG TO okera_public_role"), bare, [COSTS]) == ()


@pytest.mark.parametrize(
    "where", ["mrn", "age = TRUE", "age + mrn > 1", "NOT age", "phone LIKE '%' = 1", "id OR TRUE"]
)
def test_ill_typed_filters(where: str) -> None:
    """A filter that type-checks on no covered dataset is refused with a position."""
    where = where.replace("phone LIKE '%' = 1", "(phone LIKE '%') = 1")
    with pytest.raises(TypeMismatch) as caught:
        check(grant(f"WHERE {where}"), VOCABULARY, [COSTS])
    assert caught.value.position is not None


def test_ill_typed_without_datasets() -> None:
    """What cannot type-check over any columns is refused on an empty database too."""
    for where in ("lower(a) + 1 = 2", "a LIKE 'x' AND 1", "substr(a, b) = 'x'", "'x'"):
        with pytest.raises(TypeMismatch):
            check(grant(f"WHERE {where}"), VOCABULARY, [])


def test_filters_that_fit_some_datasets() -> None:
    """On a wide scope a filter may fit some datasets only; the others are warned about."""
    permission = grant("WHERE opted_out = 1")
    (warning,) = check(permission, VOCABULARY, [COSTS, OTHER])
    assert "`medical_charges.other` it grants nothing: no column `opted_out`" in warning
    with pytest.raises(UnknownName):
        check(permission, VOCABULARY, [OTHER])


def test_unreviewed_columns_do_not_count() -> None:
    """A filter cannot rest on a column that nobody reviewed."""
    table = replace(COSTS, columns=(*COSTS.columns, column("fresh", reviewed=False)))
    with pytest.raises(UnknownName):
        check(grant("WHERE fresh = 'x'"), VOCABULARY, [table])


def test_datasets_outside_the_scope_do_not_count() -> None:
    """Only covered datasets are checked against."""
    text = "GRANT SELECT ON TABLE medical_charges.medical_costs WHERE opted_out = 1 TO r"
    assert check(grant(text), VOCABULARY, [COSTS, OTHER]) == ()


def test_transforms_that_do_not_fit() -> None:
    """Fitting no tagged column is refused with the call's position; fitting some is warned."""
    with pytest.raises(TypeMismatch, match=r"`medical_charges\.other\.price`") as caught:
        check(grant("TRANSFORM t.x WITH mask_ccn()"), VOCABULARY, [COSTS, OTHER])
    assert caught.value.position is not None
    domain = {"phi.mrn": TokenDomain("phi.mrn", CanonicalType.TEXT)}
    text, integer = (replace(d, domains=domain) for d in (COSTS, OTHER))
    permission = grant("TRANSFORM phi.mrn WITH tokenize()")
    (warning,) = check(permission, VOCABULARY, [text, integer])
    assert warning.startswith("column `medical_charges.other.mrn` will be hidden")
    assert check(permission, VOCABULARY, [COSTS, OTHER]) == ()


# ---- reveals_filter

ALL_BUT_MRN = "HAVING ATTRIBUTE NOT IN (phi.mrn)"
NO_PHONE = "HAVING ATTRIBUTE NOT IN (phi.phone_number)"


def stored(text: str, identity: str) -> Permission:
    """A permission that exists already."""
    return grant(text, identity)


@pytest.mark.parametrize(
    ("new", "existing", "told"),
    [
        # The rows are shown anyway; the mrn cells that appear tell who has that phone number.
        ("WHERE phone = '1'", [f"{NO_PHONE} TRANSFORM phi.mrn WITH null()"], True),
        (
            "WHERE phone = '1'",
            [f"{NO_PHONE} TRANSFORM phi.mrn WITH tokenize() WHERE age > 1"],
            True,
        ),
        # The same pair, stored the other way round.
        (f"{NO_PHONE} TRANSFORM phi.mrn WITH null()", ["WHERE phone = '1'"], True),
        # The filter's column is in view.
        ("WHERE age = 1", [ALL_BUT_MRN], False),
        ("WHERE phone = '1'", [ALL_BUT_MRN], False),
        # In view by a third grant, on every row.
        (
            "WHERE phone = '1'",
            [f"{NO_PHONE} WHERE age > 1", "HAVING ATTRIBUTE phi.phone_number"],
            False,
        ),
        # Nothing is added to what the other grant shows, so no cell tells anything.
        (f"{ALL_BUT_MRN} WHERE mrn = 'M1'", [ALL_BUT_MRN], False),
        # The same filter on both: no difference between cells.
        ("WHERE phone = '1'", [f"{NO_PHONE} WHERE phone = '1'"], False),
        # No other grant, or one of nothing.
        ("WHERE phone = '1'", [], False),
        ("WHERE phone = '1'", ["GRANT SELECT ON CATALOG TO somebody_else"], False),
        ("WHERE phone = '1'", ["GRANT SELECT ON TABLE medical_charges.other TO r"], False),
        # A grant of everybody counts.
        ("WHERE phone = '1'", [f"GRANT SELECT ON CATALOG {NO_PHONE} TO public_role"], True),
    ],
)
def test_revealed_filters(new: str, existing: list[str], told: bool) -> None:
    """A grant whose cells would tell where a filter over unseen columns holds must say so."""
    held = [stored(text, f"p{n}") for n, text in enumerate(existing)]
    permission = grant(new, "new")
    if not told:
        check(permission, VOCABULARY, [COSTS], held)
        return
    with pytest.raises(InvalidRequest, match="`phone`") as caught:
        check(permission, VOCABULARY, [COSTS], held)
    assert "POLICYPROPERTIES('reveals_filter'='accepted')" in caught.value.hint
    accepted = replace(permission, properties={"reveals_filter": "accepted"})
    assert check(accepted, VOCABULARY, [COSTS], held) == ()


PAIRS = (
    ("r", "r"),
    ("r", "public_role"),
    ("public_role", "r"),
    ("public_role", "public_role"),
)


@pytest.mark.parametrize(("one", "other"), PAIRS)
@pytest.mark.parametrize("last", [0, 1])
def test_the_order_of_grants_is_irrelevant(one: str, other: str, last: int) -> None:
    """Whichever of two telling grants comes second is refused, also where one is to everybody."""
    pair = [
        grant(f"GRANT SELECT ON CATALOG {NO_PHONE} TRANSFORM phi.mrn WITH null() TO {one}", "a"),
        grant(f"GRANT SELECT ON CATALOG WHERE phone = '1' TO {other}", "b"),
    ]
    with pytest.raises(InvalidRequest, match="`phone`"):
        check(pair.pop(last), VOCABULARY, [COSTS], pair)


def test_grants_to_different_roles_are_not_beside_each_other() -> None:
    """A grant to everybody is checked beside those of each role by itself."""
    roles = VOCABULARY.roles | {"r1", "r2"}
    vocabulary = replace(VOCABULARY, roles=roles)
    held = [
        grant(f"GRANT SELECT ON CATALOG {NO_PHONE} TRANSFORM phi.mrn WITH null() TO r1", "a"),
        grant("GRANT SELECT ON CATALOG HAVING ATTRIBUTE phi.phone_number TO r2", "b"),
    ]
    everybody = grant("GRANT SELECT ON CATALOG WHERE phone = '1' TO public_role")
    # The role r2 sees phones; that does not help the holders of r1.
    with pytest.raises(InvalidRequest, match="`phone`"):
        check(everybody, vocabulary, [COSTS], held)
    assert check(everybody, vocabulary, [COSTS], held[1:]) == ()
    elsewhere = grant("GRANT SELECT ON CATALOG WHERE phone = '1' TO r2")
    assert check(elsewhere, vocabulary, [COSTS], held[:1]) == ()


def test_an_accepted_filter_stays_accepted() -> None:
    """Once the filtered grant accepted it, later grants beside it need not."""
    filtered = replace(grant("WHERE phone = '1'"), properties={"reveals_filter": "accepted"})
    beside = grant(f"{NO_PHONE} TRANSFORM phi.mrn WITH null()")
    assert check(beside, VOCABULARY, [COSTS], [filtered]) == ()


def test_the_permission_itself_is_not_beside_itself() -> None:
    """Checking a stored permission again finds nothing new."""
    permission = grant("WHERE phone = '1'", "p")
    assert check(permission, VOCABULARY, [COSTS], [permission]) == ()


# ---- the type law

TYPED = dataset(
    column("i", pa.int32()),
    column("n", pa.decimal128(9, 2)),
    column("f", pa.float32()),
    column("s", pa.large_string()),
    column("b", pa.bool_()),
    column("d", pa.date64()),
    column("t", pa.timestamp("ns")),
    column("o", pa.binary()),
    column("l", pa.list_(pa.int64())),
)
KINDS = column_kinds(TYPED)


@pytest.mark.parametrize(
    "text",
    [
        "b",
        "NOT b",
        "i = n AND n = f AND f = i",
        "i = s AND s < f",
        "s = NULL AND NULL = i",
        "d < t AND t = d",
        "b = TRUE AND b < FALSE",
        "i IN (1, 2.5, '3', NULL, f)",
        "s LIKE '%'",
        "o IS NULL AND l IS NOT NULL",
        "i + n * f / 2 % -i > 0",
        "coalesce(i, n, f) > 1 AND coalesce(s, 'x') = 'x' AND coalesce(b, TRUE)",
        "CASE WHEN b THEN i WHEN NULL THEN 2.5 END = 1",
        "CASE WHEN b THEN s ELSE NULL END LIKE 'x'",
        "abs(i) = 1 AND abs(n) = 1",
        "year(d) = month(t)",
        "substr(s, 1, 2) = concat(s, 'x') AND length(trim(s)) = 1",
        "cast(s AS bigint) = cast(b AS bigint) AND cast(n AS double) = 1",
        "cast(d AS varchar) = cast(i AS varchar) AND cast(t AS date) = cast(s AS date)",
        "user() = s AND now() > t",
        "NULL",
    ],
)
def test_well_typed(text: str) -> None:
    """What the reference page allows type-checks."""
    check_filter(parse_filter(text), KINDS)


@pytest.mark.parametrize(
    "text",
    [
        "i",
        "s",
        "'x'",
        "b = 1",
        "b = 'true'",
        "d = '2024-01-31'",
        "d = 1",
        "t = s",
        "o = 'x'",
        "o = NULL",
        "l = l",
        "o IN (NULL)",
        "i LIKE 'x'",
        "NOT i",
        "b AND i",
        "s + 1 = 1",
        "d + 1 = d",
        "b + 1 = 1",
        "-s = 1",
        "abs(s) = 1",
        "lower(i) = 'x'",
        "concat(s, i) = 'x'",
        "length(d) = 1",
        "year(s) = 1",
        "coalesce(i, s) = 1",
        "coalesce(o, NULL) IS NULL",
        "coalesce(d, t) = d",
        "CASE WHEN i THEN b END",
        "CASE WHEN b THEN s ELSE i END = 1",
        "substr(s, i) = 'x'",
        "substr(s, 1.0) = 'x'",
        "cast(d AS bigint) = 1",
        "cast(t AS varchar) = 'x'",
        "cast(n AS varchar) = 'x'",
        "cast(b AS double) = 1",
        "cast(i AS date) = d",
        "cast(o AS varchar) = 'x'",
    ],
)
def test_ill_typed(text: str) -> None:
    """Everything else is refused, with a position where a name or a function stands."""
    expr = parse_filter(text)
    with pytest.raises(TypeMismatch) as caught:
        check_filter(expr, KINDS)
    assert text == "'x'" or caught.value.position is not None


def test_malformed_calls_are_unknown() -> None:
    """Values that the parser never makes are refused, not guessed at."""
    x = Literal("x")
    for call in (
        Call("sleep", (x,)),
        Call("lower", ()),
        Call("cast", (x,)),
        Call("cast", (x, Literal("blob"))),
        Call("cast", (x, Literal(1))),
    ):
        with pytest.raises(PrivetError):
            kind_of(call, KINDS)
