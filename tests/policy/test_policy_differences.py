"""Two decisions side by side: the same law twice, and what differs in words."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from policy_cases import ACCEPTANCE, ADMIN, COSTS, column, dataset, decide_on, grant, guard

from privet.model.datasets import CanonicalType, TokenDomain
from privet.model.decisions import Decision
from privet.policy import compare, explain, rows_of, shown_as
from privet.policy.telling.differences import Direction, Portion

STATEMENTS = (
    "HAVING ATTRIBUTE NOT IN (phi.phone_number)",
    "HAVING ATTRIBUTE phi.mrn WHERE age > 3",
    "TRANSFORM phi.mrn WITH mask() WHERE age < 9",
    "WHERE opted_out != 1",
)
SAFEGUARDS = (
    "DENY HAVING ATTRIBUTE phi.mrn",
    "RESTRICT WHERE age > 5",
    "RESTRICT TRANSFORM phi.phone_number WITH mask()",
    "RESTRICT HAVING ATTRIBUTE phi.mrn WHERE opted_out = 0",
)


def shown(decision: Decision) -> dict[str, str]:
    """How each column is seen."""
    return {c.column.name: shown_as(c, decision).how for c in decision.columns}


def test_a_first_grant_shows_what_it_shows() -> None:
    """From nothing: every column that the grant shows is gained, and the rows with it."""
    change = compare(decide_on(COSTS, []), decide_on(COSTS, [grant(ACCEPTANCE)]))
    assert change is not None
    assert change.rows_before.portion is Portion.NONE
    assert str(change.rows_after) == "only where opted_out is not 1"
    assert {c.direction for c in change.columns} == {Direction.GAINS}
    seen = {c.name: (c.before.how, c.after.how) for c in change.columns}
    assert seen["mrn"] == ("not at all", "tokenize()")
    assert seen["age"] == ("not at all", "in clear")
    assert "phone" not in seen


def test_nothing_changes_where_nothing_is_decided() -> None:
    """The same facts, and a bypass whatever is granted."""
    decision = decide_on(COSTS, [grant(ACCEPTANCE)])
    assert compare(decision, decide_on(COSTS, [grant(ACCEPTANCE)])) is None
    admins = (decide_on(COSTS, p, principal=ADMIN) for p in ([], [grant(ACCEPTANCE)]))
    assert compare(*admins) is None
    assert rows_of(decide_on(COSTS, [], principal=ADMIN)).portion is Portion.ALL


def test_a_safeguard_is_seen_in_its_words() -> None:
    """Transforms in turn, cells that are NULL elsewhere, and rows that go."""
    held = [grant("TRANSFORM phi.mrn WITH tokenize()", "g")]
    bound = guard("RESTRICT TRANSFORM phi.mrn WITH mask() WHERE age > 5")
    change = compare(decide_on(COSTS, held), decide_on(COSTS, [*held, bound]))
    assert change is not None
    assert [c.after.how for c in change.columns] == ["tokenize(), then mask()"]
    assert (str(change.rows_before), str(change.rows_after)) == (
        "all",
        "only where age is more than 5",
    )
    cells = guard("RESTRICT HAVING ATTRIBUTE phi.mrn WHERE age > 5")
    after = decide_on(COSTS, [*held, cells])
    assert shown(after)["mrn"] == "tokenize(); only where age is more than 5"
    assert rows_of(after).portion is Portion.ALL


def test_ways_that_differ_by_row_say_where() -> None:
    """The least protective way first, each with the filter under which it holds."""
    held = [
        grant("WHERE age = 1", "p1"),
        grant("HAVING ATTRIBUTE phi.mrn TRANSFORM phi.mrn WITH mask()", "p2"),
    ]
    seen = shown(decide_on(COSTS, held))
    assert seen["mrn"] == "in clear where age is 1; mask()"
    assert seen["phone"] == "in clear where age is 1"
    assert seen["id"] == "in clear where age is 1"


@given(st.lists(st.sampled_from(STATEMENTS)), st.sampled_from(STATEMENTS))
def test_a_grant_takes_nothing(held: list[str], added: str) -> None:
    """Whatever is held: no column is lost by one more grant."""
    before = [grant(text, str(i)) for i, text in enumerate(held)]
    change = compare(decide_on(COSTS, before), decide_on(COSTS, [*before, grant(added, "new")]))
    assert not change or all(c.direction is not Direction.LOSES for c in change.columns)


@given(
    st.lists(st.sampled_from(STATEMENTS), min_size=1),
    st.lists(st.sampled_from(SAFEGUARDS)),
    st.sampled_from(SAFEGUARDS),
)
def test_a_safeguard_gives_nothing(held: list[str], bound: list[str], added: str) -> None:
    """Whatever is held and bound: no column is gained by one more safeguard."""
    before = [grant(text, str(i)) for i, text in enumerate(held)]
    before += [guard(text, f"s{i}") for i, text in enumerate(bound)]
    roles = frozenset({"r"})
    change = compare(
        decide_on(COSTS, before, roles=roles),
        decide_on(COSTS, [*before, guard(added, "new")], roles=roles),
    )
    assert not change or all(c.direction is not Direction.GAINS for c in change.columns)


# ---- what explanations warn of


def test_tokens_that_join_with_nothing() -> None:
    """Without the token domain's admission, also for the reader; with it there is no warning."""
    held = [grant(ACCEPTANCE)]
    (warning,) = explain(decide_on(COSTS, held), steward=False).warnings
    assert warning.startswith("tokens of column `mrn` join with no other dataset")
    assert "`phi.mrn`" in warning
    admitted = replace(COSTS, domains={"phi.mrn": TokenDomain("phi.mrn", CanonicalType.TEXT)})
    assert explain(decide_on(admitted, held), steward=True).warnings == ()


def test_tokens_of_this_dataset_alone_are_meant_to_be() -> None:
    """A transform per table is no surprise, nor is one that makes no token."""
    for call in ("tokenize_no_ref()", "mask()"):
        held = [grant(f"TRANSFORM phi.mrn WITH {call}")]
        assert explain(decide_on(COSTS, held), steward=True).warnings == ()


def test_nulls_that_tell() -> None:
    """A steward hears that NULLs tell about a hidden column; its reader does not."""
    held = [
        grant("HAVING ATTRIBUTE phi.mrn WHERE phone = '1'", "p1"),
        grant("HAVING ATTRIBUTE phi.mrn TRANSFORM phi.mrn WITH mask()", "p2"),
    ]
    decision = decide_on(COSTS, held)
    (warning,) = explain(decision, steward=True).warnings
    assert "column `mrn`" in warning
    assert "`phone`" in warning
    assert explain(decision, steward=False).warnings == ()


def test_columns_that_are_gone() -> None:
    """A permission on a column that the dataset no longer has says so."""
    table = dataset(column("a"), column("b"))
    held = [replace(grant(""), columns=("a", "lost"), id="p1")]
    (warning,) = explain(decide_on(table, held), steward=True).warnings
    assert warning == "permission p1 is on column `lost`, which is not here"


def test_how_a_column_is_shown_is_told_to_whom_it_may() -> None:
    """A steward sees under which filter, the reader only that rows differ."""
    held = [
        grant("WHERE phone = '1'", "p1"),
        grant("HAVING ATTRIBUTE phi.mrn TRANSFORM phi.mrn WITH mask()", "p2"),
    ]
    decision = decide_on(COSTS, held)
    full, own = (explain(decision, steward=steward).to_dict() for steward in (True, False))
    assert full["columns"][1]["shown"] == "in clear where phone is '1'; mask()"
    assert own["columns"][1]["shown"] == "not alike in every row"
    assert "phone =" not in str(own)
