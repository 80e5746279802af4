"""The law of union, against a naive reading of it, and its corners one by one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_cases import (
    ACCEPTANCE,
    ADMIN,
    COSTS,
    NAME,
    NOW,
    READER,
    column,
    dataset,
    decide_on,
    grant,
)

from privet.model.datasets import CanonicalType, Column, Dataset, TokenDomain
from privet.model.decisions import CellOption, Decision, Facts, Verdict
from privet.model.errors import NotFound
from privet.model.expressions import ColumnRef
from privet.model.names import DatasetName
from privet.model.permissions import Permission
from privet.model.principals import Principal
from privet.model.transforms import get_spec
from privet.policy import decide, filter_sql, transform_sql
from privet.policy.bound import matches


def verdicts(decision: Decision) -> dict[str, str]:
    """Verdicts by column name."""
    return {c.column.name: str(c.verdict) for c in decision.columns}


def calls(decision: Decision, name: str) -> list[str | None]:
    """The printed transforms of a column's options, None for clear."""
    found = next(c for c in decision.columns if c.column.name == name)
    return [o.transform and transform_sql(o.transform.call) for o in found.options]


def filters(decision: Decision) -> list[str | None]:
    """The decision's filters as text."""
    return [f if f is None else filter_sql(f) for f in decision.filters]


def test_acceptance_policy() -> None:
    """Phone is gone, mrn tokenized in its tag's domain, the rest clear, opted-out rows filtered."""
    table = replace(COSTS, domains={"phi.mrn": TokenDomain("phi.mrn", CanonicalType.TEXT)})
    decision = decide_on(table, [grant(ACCEPTANCE, "p1")])
    assert verdicts(decision) == {
        "id": "clear",
        "mrn": "transformed",
        "phone": "hidden",
        "age": "clear",
        "charges": "clear",
        "opted_out": "clear",
    }
    assert filters(decision) == ["opted_out != 1"]
    (option,) = decision.columns[1].options
    assert option.transform is not None
    assert (option.transform.domain, option.transform.admitted) == ("phi.mrn", True)
    assert not option.transform.per_principal
    assert decision.permissions == ("p1",)
    assert decision.require() is decision


def test_admin_bypasses() -> None:
    """An admin sees every column and row, unreviewed ones too, and it is marked as a bypass."""
    table = replace(COSTS, columns=(*COSTS.columns, column("new", reviewed=False)))
    decision = decide_on(table, [grant(ACCEPTANCE)], principal=ADMIN)
    assert decision.bypass
    assert set(verdicts(decision).values()) == {"clear"}
    assert decision.filters == (None,)
    assert all(c.options == (CellOption(None, frozenset({0})),) for c in decision.columns)


@pytest.mark.parametrize("principal", [READER, ADMIN])
def test_unknown_dataset(principal: Principal) -> None:
    """A dataset that is not there is a decision, not an error, for admins too."""
    unknown = decide(principal, Facts(1, NAME, None, frozenset({"r"}), (grant(""),)), NOW)
    assert unknown.dataset is None
    assert not unknown.allowed


def test_refusals_read_alike() -> None:
    """Nothing visible and nothing there have the same text."""
    texts: list[str] = []
    for table in (COSTS, None):
        decision = decide(READER, Facts(1, NAME, table), NOW)
        with pytest.raises(NotFound) as caught:
            decision.require()
        texts.append(str(caught.value))
    assert texts[0] == texts[1]


def test_facts_of_another_dataset_give_nothing() -> None:
    """Facts whose dataset is not the one asked for are closed, for admins too."""
    facts = Facts(1, DatasetName("other", "t"), COSTS, frozenset({"r"}), (grant(""),))
    for principal in (READER, ADMIN):
        assert decide(principal, facts, NOW).dataset is None


def test_roles_not_held_do_not_count() -> None:
    """A permission of a role that the principal lacks is as if it were not there."""
    decision = decide_on(COSTS, [grant("")], roles=frozenset({"public_role"}))
    assert not decision.allowed
    assert decision.ignored == {}


def test_scope() -> None:
    """Grants on another database or table do not cover the dataset."""
    others = [
        grant("GRANT SELECT ON DATABASE medical TO r"),
        grant("GRANT SELECT ON TABLE medical_charges.other TO r"),
        grant("GRANT SELECT ON TABLE other.medical_costs TO r"),
    ]
    decision = decide_on(COSTS, others)
    assert not decision.allowed
    assert decision.ignored == {}
    here = grant("GRANT SELECT ON TABLE medical_charges.medical_costs TO r")
    assert decide_on(COSTS, [*others, here]).permissions == (here.id,)


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"enabled": "false"}, "disabled"),
        ({"start_datetime": str(int(NOW.timestamp()) + 1)}, "not started"),
        ({"end_datetime": str(int(NOW.timestamp()))}, "ended"),
        ({"enabled": "maybe"}, "cannot be read"),
        ({"start_datetime": "soon"}, "cannot be read"),
        ({"start_datetime": str(int(NOW.timestamp()))}, None),
        ({"end_datetime": str(int(NOW.timestamp()) + 1)}, None),
        ({"enabled": "true", "name": "n"}, None),
    ],
)
def test_window(properties: dict[str, str], reason: str | None) -> None:
    """A permission is active if enabled and start <= now < end; what is unreadable is closed."""
    permission = replace(grant("", "p"), properties=properties)
    decision = decide_on(COSTS, [permission])
    assert decision.allowed == (reason is None)
    if reason:
        assert reason in decision.ignored["p"]


def test_window_is_looked_at_each_time() -> None:
    """What is remembered of a permission does not outlive its window."""
    end = str(int(NOW.timestamp()) + 10)
    held = (replace(grant("", "p"), properties={"end_datetime": end}),)
    facts = Facts(1, NAME, COSTS, frozenset({"r"}), held)
    assert decide(READER, facts, NOW).allowed
    assert not decide(READER, facts, NOW + timedelta(seconds=10)).allowed
    assert decide(READER, facts, NOW).allowed


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("gone = 1", "no column `gone`"),
        ("mrn", "must be true or false"),
        ("age = TRUE", "cannot be compared"),
        ("fresh = 1", "no column `fresh`"),
        ("FALSE", "true for no row"),
        ("NULL", "true for no row"),
        ("user() = 'somebody'", "true for no row"),
        ("now() < TIMESTAMP '2025-12-31 23:59:59'", "true for no row"),
        ("1 / 0 = 1 OR TRUE", "true for no row"),
    ],
)
def test_filters_that_grant_nothing(where: str, reason: str) -> None:
    """A filter that does not fit or is never TRUE takes its grant away, and says so."""
    table = replace(COSTS, columns=(*COSTS.columns, column("fresh", pa.int64(), reviewed=False)))
    decision = decide_on(table, [grant(f"WHERE {where}", "p")])
    assert not decision.allowed
    assert reason in decision.ignored["p"]
    assert decision.permissions == ()


def test_always_true_filter_is_none() -> None:
    """A filter that is TRUE for every row is no filter."""
    decision = decide_on(COSTS, [grant("WHERE user() = 'demo_user2' OR age > 3")])
    assert decision.filters == (None,)


def test_user_and_now_are_bound() -> None:
    """The filters of a decision hold no `user()` and no `now()`."""
    decision = decide_on(COSTS, [grant("WHERE mrn = user() OR now() < cast(phone AS date)")])
    assert filters(decision) == [
        "mrn = 'demo_user2' OR TIMESTAMP '2026-01-01 00:00:00' < cast(phone AS date)"
    ]


def test_unreviewed_columns_are_hidden() -> None:
    """An unreviewed column is in no grant's view, whatever its tags or clauses say."""
    table = dataset(column("a"), column("b", None, "t.x", reviewed=False))
    for text in ("", "HAVING ATTRIBUTE t.x OR NOT t.x", "EXCEPT TRANSFORM t.x WITH mask()"):
        assert verdicts(decide_on(table, [grant(text)]))["b"] == "hidden"


def test_grant_that_shows_no_column() -> None:
    """A grant whose columns are none here grants nothing: no row becomes visible by it."""
    permissions = [grant("HAVING ATTRIBUTE t.none", "p"), grant("WHERE age = 1", "q")]
    decision = decide_on(COSTS, permissions)
    assert filters(decision) == ["age = 1"]
    assert "no column" in decision.ignored["p"]


def test_effective_tags() -> None:
    """Tags of the dataset and of its database count for every column."""
    table = dataset(
        column("a"),
        column("b", None, "pii.x"),
        tags=frozenset(column("_", None, "sales.t").tags),
        database_tags=frozenset(column("_", None, "org.d").tags),
    )
    seen = {
        "HAVING ATTRIBUTE sales.t AND org.d": ["a", "b"],
        "HAVING ATTRIBUTE pii.x OR NOT org.d": ["b"],
        "HAVING ATTRIBUTE NOT IN (sales.t)": [],
        "HAVING ATTRIBUTE pii.x = false": ["a"],
    }
    for text, names in seen.items():
        assert [c.column.name for c in decide_on(table, [grant(text)]).visible] == names


def test_except_transform_adds_columns() -> None:
    """EXCEPT TRANSFORM adds what HAVING leaves out; on a column that it grants, it transforms."""
    text = "HAVING ATTRIBUTE NOT IN (phi.mrn) {} TRANSFORM phi.mrn WITH mask()"
    assert calls(decide_on(COSTS, [grant(text.format("EXCEPT"))]), "mrn") == ["mask()"]
    assert calls(decide_on(COSTS, [grant(text.format(""))]), "mrn") == []
    plain = "EXCEPT TRANSFORM phi.mrn WITH mask()"
    assert calls(decide_on(COSTS, [grant(plain)]), "mrn") == ["mask()"]


def test_most_protective_clause_within_a_grant() -> None:
    """Of several clauses of one grant that match a column, the most protective counts."""
    text = "TRANSFORM phi.mrn WITH {} TRANSFORM phi.mrn WITH {}"
    for pair in (("tokenize()", "mask()"), ("mask()", "tokenize()")):
        assert calls(decide_on(COSTS, [grant(text.format(*pair))]), "mrn") == ["mask()"]


def test_least_protective_between_grants() -> None:
    """Between grants that hold for the same rows, the least protective transform counts."""
    order = ["tokenize()", "tokenize_no_ref()", "sha2()", "mask()", "zero()", "null()"]
    for weak, strong in pairwise(order):
        permissions = [grant(f"TRANSFORM phi.mrn WITH {f}") for f in (strong, weak)]
        assert calls(decide_on(COSTS, permissions), "mrn") == [weak]
    assert calls(decide_on(COSTS, [grant("TRANSFORM phi.mrn WITH mask()"), grant("")]), "mrn") == [
        None
    ]


def test_ties_go_by_text() -> None:
    """Equally protective transforms are ordered by how they print."""
    permissions = [
        grant(f"TRANSFORM phi.mrn WITH {f}") for f in ("tokenize()", "nfp_ref_tokenize()")
    ]
    assert calls(decide_on(COSTS, permissions), "mrn") == ["nfp_ref_tokenize()"]


def test_transform_that_does_not_fit_hides() -> None:
    """A transform that does not fit the type hides its column, with a warning, never clear."""
    table = dataset(column("a"), column("price", pa.float64(), "t.x"))
    permission = grant("TRANSFORM t.x WITH mask_ccn() TRANSFORM t.x WITH zero()", "p")
    assert calls(decide_on(table, [permission]), "price") == ["zero()"]
    bad = grant("TRANSFORM t.x WITH mask_ccn()", "p")
    decision = decide_on(table, [bad])
    assert verdicts(decision) == {"a": "clear", "price": "hidden"}
    assert "`mask_ccn` does not fit" in decision.warnings[0]
    assert verdicts(decide_on(table, [bad, grant("", "q")]))["price"] == "clear"


def test_hidden_rather_than_less_protective() -> None:
    """If the most protective clause does not fit, no other clause takes its place."""
    table = dataset(column("a"), column("price", pa.float64(), "t.x"))
    decision = decide_on(table, [grant("TRANSFORM t.x WITH mask_ccn() TRANSFORM t.x WITH round()")])
    assert verdicts(decision)["price"] == "hidden"


def test_transform_of_a_later_version_hides() -> None:
    """A stored transform that this version does not know hides; nothing is raised."""
    permission = grant("TRANSFORM phi.mrn WITH tokenize() TRANSFORM phi.mrn WITH null()")
    first, second = permission.transforms
    later = replace(first, call=replace(first.call, function="homomorphic"))
    decision = decide_on(COSTS, [replace(permission, transforms=(later, second))])
    assert verdicts(decision)["mrn"] == "hidden"
    assert "unknown transform" in decision.warnings[0]


# ---- token domains


DOMAINS = (
    TokenDomain("t.a", CanonicalType.TEXT),
    TokenDomain("t.b", CanonicalType.INT64),
)


@pytest.mark.parametrize(
    ("tags", "clause", "kind", "use"),
    [
        (["t.b", "t.a"], "IN (t.a, t.b)", pa.string(), ("t.a", True)),
        (["t.b"], "IN (t.a, t.b)", pa.int64(), ("t.b", True)),
        (["t.a", "t.c"], "t.c AND NOT IN (t.b)", pa.string(), ("t.c", False)),
        (["t.a", "t.c"], "NOT IN (t.b)", pa.string(), ("t.a", True)),
        (["t.a", "t.c"], "NOT NOT IN (t.c)", pa.string(), ("t.c", False)),
        ([], "NOT IN (t.b)", pa.string(), ("", False)),
        (["t.a"], "t.a", pa.int64(), None),
        (["t.b"], "t.b", pa.string(), ("t.b", True)),
    ],
)
def test_token_domain(
    tags: list[str], clause: str, kind: pa.DataType, use: tuple[str, bool] | None
) -> None:
    """The domain is the smallest tag that the clause names and the column bears, else its own."""
    table = dataset(column("c", kind, *tags), column("d"), domains=DOMAINS)
    decision = decide_on(table, [grant(f"TRANSFORM {clause} WITH tokenize()")])
    options = decision.columns[0].options
    found = options[0].transform if options else None
    assert (found and (found.domain, found.admitted)) == use


def test_per_table_transforms_keep_type_and_version_of_the_domain() -> None:
    """A transform per dataset has a key of its own, and rotates with the domain it belongs to."""
    table = dataset(column("c", None, "t.a"), domains=DOMAINS)
    decision = decide_on(table, [grant("TRANSFORM t.a WITH tokenize_no_ref()")])
    use = decision.columns[0].options[0].transform
    assert use is not None
    assert (use.domain, use.admitted) == ("t.a", True)


def test_unkeyed_transforms_have_no_domain() -> None:
    """A mask needs no key."""
    decision = decide_on(COSTS, [grant("TRANSFORM phi.mrn WITH mask()")])
    use = decision.columns[1].options[0].transform
    assert use is not None
    assert (use.domain, use.admitted, use.per_principal) == ("", False, False)


# ---- union


def test_clear_beside_tokens_is_per_principal() -> None:
    """Where some cells are clear, the tokens of the others are the reader's own, with a warning."""
    token = grant("TRANSFORM phi.mrn WITH tokenize()", "p")
    clear = grant("WHERE age > 60", "q")
    decision = decide_on(COSTS, [token, clear])
    options = decision.columns[1].options
    assert [o.transform and o.transform.per_principal for o in options] == [None, True]
    assert decision.columns[1].verdict is Verdict.PARTLY
    assert any("reader's own" in w for w in decision.warnings)
    other = decide_on(COSTS, [token, clear], principal=Principal("other"))
    assert other.digest != decision.digest


def test_filters_and_columns_do_not_come_apart() -> None:
    """What a grant shows is shown where its own filter holds, not where another's does."""
    decision = decide_on(
        COSTS,
        [
            grant("HAVING ATTRIBUTE NOT IN (phi.mrn, phi.phone_number) WHERE age < 9", "p"),
            grant("HAVING ATTRIBUTE phi.mrn WHERE charges > 5", "q"),
        ],
    )
    assert filters(decision) == ["age < 9", "charges > 5"]
    by_name = {c.column.name: c for c in decision.columns}
    assert by_name["mrn"].options == (CellOption(None, frozenset({1})),)
    assert by_name["id"].options == (CellOption(None, frozenset({0})),)
    assert by_name["mrn"].verdict is by_name["id"].verdict is Verdict.PARTLY
    assert by_name["phone"].verdict is Verdict.HIDDEN


def test_equal_filters_are_one() -> None:
    """Grants with the same filter, however written, are a plain projection and one predicate."""
    decision = decide_on(
        COSTS,
        [
            grant("HAVING ATTRIBUTE phi.mrn WHERE age<>9", "p"),
            grant("HAVING ATTRIBUTE NOT IN (phi.mrn) WHERE AGE != 9", "q"),
        ],
    )
    assert filters(decision) == ["age != 9"]
    assert set(verdicts(decision).values()) == {"clear"}


def test_unfiltered_grant_beside_a_filtered_one() -> None:
    """A filter that adds nothing is gone; one that adds cells stays, and every row is visible."""
    same = decide_on(COSTS, [grant(""), grant("WHERE age = 1")])
    assert same.filters == (None,)
    more = decide_on(COSTS, [grant("HAVING ATTRIBUTE NOT IN (phi.mrn)"), grant("WHERE age = 1")])
    assert filters(more) == [None, "age = 1"]
    assert verdicts(more)["mrn"] == "partly"
    assert verdicts(more)["id"] == "clear"


# ---- digest


def test_digest_identifies_the_outcome() -> None:
    """The digest ignores version and reader and changes with the outcome or the dataset."""
    held = (grant("WHERE age > 1", "p"),)
    facts = Facts(1, NAME, COSTS, frozenset({"r"}), held)
    first = decide(READER, facts, NOW).digest
    assert len(first) == 64
    assert decide(Principal("other"), replace(facts, version=9), NOW).digest == first
    renamed = replace(facts, permissions=(replace(held[0], id="q"),))
    assert decide(READER, renamed, NOW).digest == first
    different = [
        replace(facts, dataset=replace(COSTS, revision=2)),
        replace(facts, dataset=replace(COSTS, id="another")),
        replace(facts, permissions=(grant("WHERE age > 2"),)),
        replace(facts, permissions=(grant("WHERE age > 1.0"),)),
        replace(facts, permissions=(grant("TRANSFORM phi.mrn WITH mask() WHERE age > 1"),)),
    ]
    digests = {decide(READER, f, NOW).digest for f in different}
    assert len(digests | {first, decide(ADMIN, facts, NOW).digest}) == len(different) + 2


def test_digest_follows_the_key_version() -> None:
    """A rotated domain gives another digest: cached answers hold other tokens."""
    tables = [
        replace(COSTS, domains={"phi.mrn": TokenDomain("phi.mrn", CanonicalType.TEXT, v)})
        for v in (1, 2)
    ]
    assert len({decide_on(t, [grant(ACCEPTANCE)]).digest for t in tables}) == 2


def test_equal_looking_literals_are_not_confused() -> None:
    """`1`, `TRUE` and `1.0` are equal to Python; what is remembered must keep them apart."""
    texts = ["age = 1", "age = 1.0", "age = TRUE"]
    found = [decide_on(COSTS, [grant(f"WHERE {t}", "p")]) for t in texts]
    assert [filters(d) for d in found] == [["age = 1"], ["age = 1.0"], []]


def test_user_filters_are_not_shared() -> None:
    """What is remembered for one reader is not given to the next."""
    facts = Facts(1, NAME, COSTS, frozenset({"r"}), (grant("WHERE mrn = user()"),))
    for user in ("ann", "bob", "ann"):
        assert filters(decide(Principal(user), facts, NOW)) == [f"mrn = '{user}'"]


def test_now_is_not_remembered() -> None:
    """A filter on the moment is settled at every decision."""
    facts = Facts(1, NAME, COSTS, frozenset({"r"}), (grant("WHERE now() < DATE '2026-01-02'"),))
    for day, allowed in ((1, True), (3, False), (1, True)):
        moment = datetime(2026, 1, day, 12, tzinfo=UTC)
        assert decide(READER, facts, moment).allowed is allowed


# ---- the naive law

HAVINGS = [
    "",
    "HAVING ATTRIBUTE t.x",
    "HAVING ATTRIBUTE NOT IN (t.x)",
    "HAVING ATTRIBUTE t.y OR t.x",
]
CLAUSES = [
    "",
    "TRANSFORM t.x WITH tokenize()",
    "TRANSFORM t.x WITH mask()",
    "EXCEPT TRANSFORM t.y WITH null()",
    "EXCEPT TRANSFORM t.x WITH mask() TRANSFORM t.x WITH tokenize()",
    "TRANSFORM NOT IN (t.x) WITH tokenize()",
]
WHERES = ["", "WHERE f", "WHERE g", "WHERE f AND TRUE", "WHERE h"]
TABLE = dataset(
    column("f", pa.bool_()),
    column("g", pa.bool_(), "t.x"),
    column("h", pa.bool_(), "t.y"),
    column("s", pa.string(), "t.x"),
    column("u", pa.string(), "t.x", "t.y"),
    column("v", pa.string()),
    column("n", pa.string(), "t.x", reviewed=False),
)
FLAGS = ("f", "g", "h")
small_grants = st.builds(
    lambda *parts: grant(" ".join(filter(None, parts))),
    st.sampled_from(HAVINGS),
    st.sampled_from(CLAUSES),
    st.sampled_from(WHERES),
)
grant_lists = st.lists(small_grants, max_size=5)
Row = dict[str, bool | None]
ROWS: list[Row] = [
    dict(zip(FLAGS, values, strict=True)) for values in product((True, False, None), repeat=3)
]


def naive_way(permission: Permission, item: Column) -> tuple[int, str] | None:
    """How one grant alone shows a column, read straight from the law: rank and text."""
    tags = TABLE.effective_tags(item)
    if not item.reviewed:
        return None
    hits = [c for c in permission.transforms if matches(c.tags, tags)]
    in_view = permission.having is None or matches(permission.having, tags)
    if not in_view and not any(c.excepted for c in hits):
        return None
    ways = [(get_spec(c.call.function).rank, transform_sql(c.call), c) for c in hits]
    if not ways:
        return (0, "")
    rank, text, clause = max(ways, key=lambda w: w[:2])
    return (rank, text) if get_spec(clause.call.function).fits(item.type) else None


def naive_holds(permission: Permission, row: Row) -> bool:
    """Whether a grant's filter, of those generated here, is TRUE."""
    where = permission.where
    if where is None:
        return True
    name = where.name if isinstance(where, ColumnRef) else "f"
    return row[name] is True


def naive(permissions: list[Permission], row: Row) -> dict[str, tuple[int, str]] | None:
    """The visible cells of a row as rank and text, or None where the row is not visible."""
    seen: dict[str, tuple[int, str]] = {}
    visible = False
    for permission in permissions:
        shown = {c.name: w for c in TABLE.columns if (w := naive_way(permission, c))}
        if not shown or not naive_holds(permission, row):
            continue
        visible = True
        for name, way in shown.items():
            seen[name] = min(way, seen.get(name, way))
    return seen if visible else None


def apply(decision: Decision, row: Row) -> dict[str, tuple[int, str]] | None:
    """The same, as a decision says it."""
    held = {
        number
        for number, expr in enumerate(decision.filters)
        if expr is None or (isinstance(expr, ColumnRef) and row[expr.name] is True)
    }
    if not held:
        return None
    seen: dict[str, tuple[int, str]] = {}
    for decided in decision.columns:
        for option in decided.options:
            if option.filters & held:
                use = option.transform
                rank = get_spec(use.call.function).rank if use else 0
                seen[decided.column.name] = (rank, transform_sql(use.call) if use else "")
                break
    return seen


@given(grant_lists)
@settings(deadline=None, max_examples=300)
def test_agrees_with_the_naive_law(permissions: list[Permission]) -> None:
    """Row by row and cell by cell, a decision is what the law says of the grants together."""
    decision = decide_on(TABLE, permissions)
    for row in ROWS:
        assert apply(decision, row) == naive(permissions, row)
    shown = {c.name for c in TABLE.columns if any(naive_way(p, c) for p in permissions)}
    assert {c.column.name for c in decision.visible} == shown


@given(grant_lists)
@settings(deadline=None, max_examples=150)
def test_verdicts_say_what_rows_get(permissions: list[Permission]) -> None:
    """Clear and transformed columns are alike in every visible row."""
    decision = decide_on(TABLE, permissions)
    rows = [cells for row in ROWS if (cells := apply(decision, row)) is not None]
    for decided in decision.columns:
        ways = {cells.get(decided.column.name) for cells in rows}
        if decided.verdict is Verdict.CLEAR:
            assert ways == {(0, "")}
        elif decided.verdict is Verdict.TRANSFORMED:
            assert len(ways) == 1
            assert None not in ways
        elif decided.verdict is Verdict.HIDDEN:
            assert ways <= {None}


@given(grant_lists, small_grants)
@settings(deadline=None, max_examples=150)
def test_adding_a_grant_never_takes_a_cell_away(
    permissions: list[Permission], more: Permission
) -> None:
    """Monotone: with one more grant every cell is shown at least as clearly."""
    before, after = decide_on(TABLE, permissions), decide_on(TABLE, [*permissions, more])
    for row in ROWS:
        cells = apply(before, row)
        if cells is not None:
            now = apply(after, row)
            assert now is not None
            assert all(now[name] <= way for name, way in cells.items())


@given(grant_lists.flatmap(lambda ps: st.tuples(st.just(ps), st.permutations(ps))))
@settings(deadline=None, max_examples=100)
def test_order_is_irrelevant(pair: tuple[list[Permission], list[Permission]]) -> None:
    """Any order of the permissions gives the same decision, to the digest and the reasons."""
    one, other = (decide_on(TABLE, permissions) for permissions in pair)
    assert one.digest == other.digest
    assert (one.filters, one.columns, one.permissions) == (
        other.filters,
        other.columns,
        other.permissions,
    )
    assert (one.warnings, one.ignored) == (other.warnings, other.ignored)


@given(grant_lists, small_grants)
@settings(deadline=None, max_examples=100)
def test_a_repeated_or_inactive_grant_changes_nothing(
    permissions: list[Permission], more: Permission
) -> None:
    """Union is idempotent, and what is not in force has no part in it."""
    before = decide_on(TABLE, permissions)
    off = replace(more, properties={"enabled": "false"}, id="off")
    assert decide_on(TABLE, [*permissions, *permissions[:1], off]).digest == before.digest


def test_a_table_without_columns_is_not_there() -> None:
    """Nothing to see is not visible, for admins too."""
    empty: Dataset = dataset()
    for principal in (READER, ADMIN):
        assert not decide_on(empty, [grant("")], principal=principal).allowed
