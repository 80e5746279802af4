"""Explanations: complete for stewards, and no more than the scan for everybody else."""

import json
from dataclasses import replace

import pytest
from policy_cases import ACCEPTANCE, ADMIN, COSTS, NAME, NOW, READER, column, decide_on, grant

from privet.model.decisions import Facts
from privet.policy import decide, explain


def test_acceptance_for_a_steward() -> None:
    """Every column has its verdict, tags and reasons; filter and permission in SQL and English."""
    explained = explain(decide_on(COSTS, [grant(ACCEPTANCE, "p1")]), steward=True).to_dict()
    columns = {c["name"]: c for c in explained["columns"]}
    assert list(columns) == ["id", "mrn", "phone", "age", "charges", "opted_out"]
    assert columns["mrn"]["verdict"] == "transformed"
    assert columns["mrn"]["transform"] == "tokenize()"
    assert columns["mrn"]["tags"] == ["phi.mrn"]
    assert columns["phone"]["verdict"] == "hidden"
    (reason,) = columns["phone"]["reasons"]
    assert reason["effect"] == "hides"
    assert reason["permission"]["sql"] == ACCEPTANCE
    assert explained["filter"] == {
        "sql": "opted_out != 1",
        "english": "only rows where opted_out is not 1",
    }
    assert [p["id"] for p in explained["permissions"]] == ["p1"]
    assert explained["permissions"][0]["english"].startswith("People with healthcare_analyst_role")
    assert (explained["ignored"], explained["allowed"], explained["bypass"]) == ([], True, False)
    assert json.loads(json.dumps(explained)) == explained


def test_ignored_permissions_and_warnings() -> None:
    """A steward sees which permissions grant nothing here, and why."""
    held = [
        grant("WHERE gone = 1", "p1"),
        grant("TRANSFORM phi.mrn WITH mask()", "p2"),
        replace(grant("", "p3"), properties={"enabled": "false"}),
    ]
    explained = explain(decide_on(COSTS, held), steward=True).to_dict()
    reasons = {p["id"]: p["reason"] for p in explained["ignored"]}
    assert "no column `gone`" in reasons["p1"]
    assert reasons["p3"] == "it is disabled"
    assert [p["id"] for p in explained["permissions"]] == ["p2"]
    assert explained["filter"] is None


SECRETS = ("phone", "WHERE", "p1", "p2", "gone", "opted_out != 1", "(555)")


def test_own_explanation_shows_what_the_scan_shows() -> None:
    """Without steward's rights: no hidden column, permission, warning, digest or version."""
    held = [
        grant(ACCEPTANCE.replace("opted_out != 1", "phone != '(555)'"), "p1"),
        grant("WHERE gone = 1", "p2"),
    ]
    explanation = explain(decide_on(COSTS, held), steward=False)
    text = json.dumps(explanation.to_dict()) + "\n".join(explanation.lines())
    assert not [s for s in SECRETS if s in text]
    assert [c.name for c in explanation.columns] == ["id", "mrn", "age", "charges", "opted_out"]
    assert (explanation.version, explanation.digest) == (None, "")


@pytest.mark.parametrize(
    ("where", "shown"),
    [
        ("age > 3", "age > 3"),
        ("phone = '1'", None),
        ("mrn = 'M1'", None),
        ("age > 3 OR mrn = ''", None),
    ],
)
def test_own_filter(where: str, shown: str | None) -> None:
    """One's own filter is shown only where every column in it is visible in clear."""
    text = f"HAVING ATTRIBUTE NOT IN (phi.phone_number) TRANSFORM phi.mrn WITH mask() WHERE {where}"
    decision = decide_on(COSTS, [grant(text)])
    assert explain(decision, steward=False).filter == shown
    assert explain(decision, steward=True).filter == where


def test_unseen_and_absent_filters_read_alike() -> None:
    """No filter and one that may not be known give the same explanation to its reader."""
    base = "HAVING ATTRIBUTE NOT IN (phi.phone_number)"
    one, other = (
        explain(decide_on(COSTS, [grant(text)]), steward=False)
        for text in (base, f"{base} WHERE phone != '1'")
    )
    assert one == other
    assert list(one.lines()) == list(other.lines())


def test_several_filters() -> None:
    """The effective filter is the disjunction."""
    held = [
        grant("HAVING ATTRIBUTE phi.mrn WHERE age = 1"),
        grant("WHERE age = 2 AND id = 3"),
    ]
    explained = explain(decide_on(COSTS, held), steward=True)
    assert explained.filter == "age = 1 OR age = 2 AND id = 3"


def test_explain_is_total() -> None:
    """Unknown datasets, invisible ones and bypasses have explanations too."""
    unknown = explain(decide(READER, Facts(1, NAME, None), NOW), steward=True)
    assert not unknown.allowed
    nothing = explain(decide_on(COSTS, []), steward=True)
    assert "does not exist for this user" in list(nothing.lines())[1]
    assert {c.verdict for c in nothing.columns} == {"hidden"}
    assert explain(decide_on(COSTS, []), steward=False).columns == ()
    admin = explain(decide_on(COSTS, [grant(ACCEPTANCE)], principal=ADMIN), steward=True)
    assert admin.bypass
    assert admin.filter is None
    assert "catalog admin" in list(admin.lines())[1]


def test_lines_for_people() -> None:
    """The text form has a line per column and the policy as a sentence."""
    table = replace(COSTS, columns=(*COSTS.columns, column("fresh", reviewed=False)))
    lines = list(explain(decide_on(table, [grant(ACCEPTANCE, "p1")]), steward=True).lines())
    assert lines[0].startswith("medical_charges.medical_costs as seen by demo_user2")
    assert "rows: only rows where opted_out is not 1" in lines
    assert "  mrn string [phi.mrn]: transformed by tokenize()" in lines
    assert "      hides: a steward has not reviewed it yet" in lines
    assert f"permission p1 (in force): {ACCEPTANCE}" in lines
