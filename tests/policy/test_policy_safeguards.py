"""Denials and restrictions: what they take, whatever grants show; through the engine to cells."""

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from policy_cases import COSTS, NOW, READER, column, dataset, decide_on, grant, guard

from privet.enforcement import enforce
from privet.model.datasets import Dataset
from privet.model.decisions import Decision, Facts
from privet.model.names import TagName
from privet.model.principals import Principal
from privet.model.requests import ScanRequest
from privet.policy import decide, explain

ROWS = pa.table(
    {
        "id": [1, 2, 3],
        "mrn": ["AX123456", "BY654321", None],
        "phone": ["030 12", "040 34", "050 56"],
        "age": [30, None, 50],
        "charges": [1.5, 2.5, 3.5],
        "opted_out": [0, 0, 1],
    }
)
ALL = grant("")


def seen(decision: Decision, rows: pa.Table = ROWS) -> list[dict[str, Any]]:
    """What the engine gives of some rows."""
    plan = enforce(decision, ScanRequest(decision.name), lambda *_: b"k" * 32)
    batch = rows.select([c.name for c in plan.reads]).combine_chunks().to_batches()[0]
    return plan.apply(batch).to_pylist()


def column_of(decision: Decision, name: str) -> list[Any]:
    """The cells of a column."""
    return [row[name] for row in seen(decision)]


def names(decision: Decision) -> list[str]:
    """The visible columns."""
    return [c.column.name for c in decision.visible]


@pytest.mark.parametrize("verb", ["DENY", "RESTRICT"])
def test_columns_are_taken(verb: str) -> None:
    """Whoever grants them, and in whichever role."""
    taken = guard(f"{verb} HAVING ATTRIBUTE phi.phone_number")
    decision = decide_on(COSTS, [ALL, grant("HAVING ATTRIBUTE phi.phone_number", "two"), taken])
    assert "phone" not in names(decision)
    assert len(names(decision)) == 5


def test_safeguards_show_nothing() -> None:
    """Alone, they give no access."""
    assert not decide_on(COSTS, [guard("RESTRICT WHERE age > 1")]).allowed


def test_rows_are_taken() -> None:
    """Each restriction must be true of a row; NULL is not."""
    decision = decide_on(COSTS, [ALL, guard("RESTRICT WHERE age > 10")])
    assert column_of(decision, "id") == [1, 3]
    both = decide_on(
        COSTS, [ALL, guard("RESTRICT WHERE age > 10"), guard("RESTRICT WHERE opted_out = 0")]
    )
    assert column_of(both, "id") == [1]


def test_rows_are_taken_from_every_grant() -> None:
    """Also from one whose filter says otherwise."""
    held = [
        grant("WHERE id = 3"),
        grant("WHERE id = 1", "b"),
        guard("RESTRICT WHERE opted_out = 0"),
    ]
    assert column_of(decide_on(COSTS, held), "id") == [1]


def test_cells_are_taken() -> None:
    """WHERE with HAVING leaves the rows, and NULL in what is meant."""
    taken = guard("RESTRICT HAVING ATTRIBUTE phi.mrn WHERE age > 10")
    decision = decide_on(COSTS, [ALL, taken])
    assert column_of(decision, "mrn") == ["AX123456", None, None]
    assert column_of(decision, "id") == [1, 2, 3]
    verdicts = {c.column.name: c.verdict for c in decision.columns}
    assert (verdicts["mrn"], verdicts["id"]) == ("partly", "clear")


def test_what_is_left_is_transformed() -> None:
    """After the union: a token that a grant gives goes through the mask."""
    masked = guard("RESTRICT TRANSFORM phi.mrn WITH mask()")
    for held in ([ALL], [grant("TRANSFORM phi.mrn WITH tokenize()")]):
        assert column_of(decide_on(COSTS, [*held, masked]), "mrn") == ["X" * 8, "X" * 8, None]


def test_an_identical_transform_is_applied_once() -> None:
    """The same as a grant's, or as another safeguard's, adds nothing."""
    token = grant("TRANSFORM phi.mrn WITH tokenize()")
    once = column_of(decide_on(COSTS, [token]), "mrn")
    twice = [guard("RESTRICT TRANSFORM phi.mrn WITH tokenize()", name) for name in "ab"]
    assert column_of(decide_on(COSTS, [token, *twice]), "mrn") == once
    assert column_of(decide_on(COSTS, [ALL, *twice]), "mrn") == once


def test_several_transforms_compose() -> None:
    """All of them are applied, in order of protectiveness, whoever wrote them first."""
    guards = [
        guard("RESTRICT TRANSFORM phi.mrn WITH mask()", "a"),
        guard("RESTRICT TRANSFORM phi.mrn WITH tokenize()", "b"),
    ]
    for order in (guards, guards[::-1]):
        assert column_of(decide_on(COSTS, [ALL, *order]), "mrn") == ["X" * 8, "X" * 8, None]


def test_a_transform_that_does_not_fit_hides() -> None:
    """Fail closed."""
    table = replace(COSTS, columns=(*COSTS.columns[:-1], column("opted_out", pa.float64(), "a.b")))
    decision = decide_on(table, [ALL, guard("RESTRICT TRANSFORM a.b WITH mask_ccn()")])
    assert "opted_out" not in names(decision)


@pytest.mark.parametrize("where", ["nothing = 1", "mrn > DATE '2024-01-01'", "1 = 2", "NULL"])
def test_a_filter_that_does_not_fit_closes(where: str) -> None:
    """A missing column, a type that does not fit, a filter that is true for no row."""
    decision = decide_on(COSTS, [ALL, guard(f"RESTRICT WHERE {where}")])
    assert not decision.allowed
    meant = decide_on(COSTS, [ALL, guard(f"RESTRICT HAVING ATTRIBUTE phi.mrn WHERE {where}")])
    assert "mrn" not in names(meant)
    assert "id" in names(meant)


def test_missing_columns_may_be_ignored() -> None:
    """If its author said so; a type that does not fit still closes."""
    said = {"missing_columns": "ignore"}
    missing = replace(guard("RESTRICT WHERE nothing = 1"), properties=said)
    assert column_of(decide_on(COSTS, [ALL, missing]), "id") == [1, 2, 3]
    unfit = replace(guard("RESTRICT WHERE mrn > DATE '2024-01-01'"), properties=said)
    assert not decide_on(COSTS, [ALL, unfit]).allowed


def test_windows() -> None:
    """Disabled and ended ones take nothing; one whose properties cannot be read does."""
    taken = guard("DENY HAVING ATTRIBUTE phi.mrn")
    for properties, hidden in (
        ({"enabled": "false"}, False),
        ({"end_datetime": "1"}, False),
        ({"start_datetime": "99999999999"}, False),
        ({"end_datetime": "99999999999"}, True),
        ({"enabled": "perhaps"}, True),
        ({"start_datetime": "soon"}, True),
    ):
        decision = decide_on(COSTS, [ALL, replace(taken, properties=properties)])
        assert ("mrn" not in names(decision)) is hidden, properties


def test_admins_are_exempt() -> None:
    """A bypass is a bypass."""
    admin = Principal("root", admin=True)
    taken = guard("DENY HAVING ATTRIBUTE phi.mrn")
    assert "mrn" in names(decide_on(COSTS, [taken], principal=admin))


def test_tags_inside_a_column_protect() -> None:
    """A tag on a field inside takes the column, as one on the column does."""
    inner = pa.struct([("phone", pa.string()), ("note", pa.string())])
    patient = replace(
        column("patient", inner),
        field_tags=(replace(COSTS.columns[2].field_tags[0], path=("patient", "phone")),),
    )
    table = dataset(column("id", pa.int64()), patient)
    taken = guard("DENY HAVING ATTRIBUTE phi.phone_number")
    assert names(decide_on(table, [ALL, taken])) == ["id"]


READERS = [
    ("user_attribute('region') = 'north'", {"region": "north"}, [1, 2, 3]),
    ("user_attribute('region') = 'north'", {}, None),
    ("user_attribute('REGION') = 'north'", {"region": "north"}, [1, 2, 3]),
    ("in_set(mrn, user_attribute('mrns'))", {"mrns": 'AX123456,"B,2"'}, [1]),
    ("in_set(mrn, user_attribute('mrns'))", {"mrns": ""}, None),
    ("in_set(mrn, user_attribute('mrns'))", {}, None),
    ("in_set(id, '1, 3')", {}, [1, 3]),
    ("NOT in_set(id, '1')", {}, [2, 3]),
    ("NOT in_set(mrn, user_attribute('none'))", {}, None),
    ("sets_intersect('a,b', user_attribute('teams'))", {"teams": "c, b"}, [1, 2, 3]),
    ("sets_intersect('a,b', user_attribute('teams'))", {"teams": "c"}, None),
    ("sets_intersect(mrn, user_attribute('teams'))", {"teams": "AX123456,C3"}, [1]),
    ("sets_intersect(mrn, user_attribute('teams')) IS NULL", {}, [1, 2, 3]),
    ("has_roles('r')", {}, [1, 2, 3]),
    ("has_roles('OKERA_public_role') OR id = 1", {}, [1]),
    ("has_roles('r,other')", {}, None),
    ("has_roles('r', 'OTHER') OR id = 2", {}, [2]),
    ("columns_with_attribute('phi.mrn') = 'AX123456'", {}, [1]),
    ("columns_with_attribute('phi.none') = 'AX123456'", {}, None),
    ("table_attribute('phi.mrn') = 'true'", {}, None),
    ("table_attribute('lake.open') = 'true'", {}, [1, 2, 3]),
]


@pytest.mark.parametrize(("where", "attributes", "rows"), READERS)
def test_what_a_filter_asks_about_the_reader(
    where: str, attributes: dict[str, str], rows: list[int] | None
) -> None:
    """Attributes, roles and tags stand for their values; one that is missing is NULL."""
    table = replace(COSTS, tags=frozenset({TagName("lake", "open")}))
    reader = replace(READER, attributes=attributes)
    decision = decide_on(table, [grant(f"WHERE {where}")], principal=reader)
    assert (column_of(decision, "id") if decision.allowed else None) == rows


def test_attributes_of_one_reader_are_not_anothers() -> None:
    """Also for the same permission objects, one after the other."""
    held = [grant("WHERE in_set(mrn, user_attribute('mrns'))")]
    for mrns, rows in (("AX123456", [1]), ("BY654321", [2]), ("AX123456,BY654321", [1, 2])):
        reader = replace(READER, attributes={"mrns": mrns})
        assert column_of(decide_on(COSTS, held, principal=reader), "id") == rows


def of_user(table: Dataset, user: str, scope: str) -> Decision:
    """What a user sees who holds a grant on a scope of their own."""
    held = [grant(f"GRANT SELECT ON {scope} TO r")]
    return decide_on(table, held, principal=Principal(user))


def test_objects_of_each_user() -> None:
    """`${user}` is the reader's name; a name that is no identifier is never bent into one."""
    home = replace(COSTS, name=COSTS.name._replace(database="home_ada"))
    scope = "DATABASE `home_${user}`"
    assert of_user(home, "ada", scope).allowed
    assert not of_user(home, "bob", scope).allowed
    assert not of_user(home, "Ada", scope).allowed
    dotted = replace(COSTS, name=COSTS.name._replace(database="home_a_b"))
    assert not of_user(dotted, "a.b", scope).allowed


def test_listed_columns() -> None:
    """`SELECT(a, b)` shows no other, also through EXCEPT."""
    held = [
        grant("GRANT SELECT(id, mrn) ON CATALOG EXCEPT TRANSFORM phi.phone_number WITH null() TO r")
    ]
    assert names(decide_on(COSTS, held)) == ["id", "mrn"]


@pytest.mark.parametrize(("level", "reads"), [("ALL", True), ("INSERT", False), ("SHOW", False)])
def test_levels(level: str, reads: bool) -> None:
    """ALL reads, others do not."""
    assert decide_on(COSTS, [grant(f"GRANT {level} ON CATALOG TO r")]).allowed is reads


def test_nested_transforms() -> None:
    """From the inside out."""
    held = [grant("TRANSFORM phi.mrn WITH mask(tokenize(__COLUMN__), 0, 7)")]
    inner = column_of(decide_on(COSTS, [grant("TRANSFORM phi.mrn WITH tokenize()")]), "mrn")
    outer = column_of(decide_on(COSTS, held), "mrn")
    assert outer == ["X" * 7 + inner[0][-1], "X" * 7 + inner[1][-1], None]


def test_safeguards_go_by_all_groups() -> None:
    """`decide` takes them from the facts apart from the roles that the token gives."""
    taken = guard("DENY HAVING ATTRIBUTE phi.mrn", "s")
    facts = Facts(1, COSTS.name, COSTS, frozenset({"r"}), (ALL,), (replace(taken, role="other"),))
    assert "mrn" not in names(decide(READER, facts, NOW))


def test_the_explanation_names_what_took() -> None:
    """A steward sees which safeguard took what; a reader sees what a scan would show."""
    taken = guard("RESTRICT WHERE opted_out = 0", "s")
    explained = explain(decide_on(COSTS, [ALL, taken]), steward=True)
    assert explained.filter == "opted_out = 0"
    assert {r.permission for c in explained.columns for r in c.reasons} == {ALL.id, "s"}
    hidden = grant("HAVING ATTRIBUTE phi.mrn")
    own = explain(decide_on(COSTS, [hidden, taken]), steward=False)
    assert own.filter is None
