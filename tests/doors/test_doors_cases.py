"""Cases as data, through every door: the same rows everywhere, or the same refusal."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest

from doors.clinic import CASES, Clinic
from doors.doors import Answer, Wanted, every_answer

pytestmark = pytest.mark.service
Case = dict[str, Any]
POLICIES: list[Case] = json.loads((CASES / "policies.json").read_text())
REQUESTS: list[Case] = json.loads((CASES / "requests.json").read_text())


def named(cases: list[Case]) -> Any:
    """One test per case."""
    return pytest.mark.parametrize("case", cases, ids=[case["name"] for case in cases])


@named(POLICIES)
def test_a_policy_shows_the_same_at_every_door(clinic: Clinic, case: Case) -> None:
    """Somebody new, with these grants and no others, asks for the patients."""
    if case.get("who") == "admin":
        token = clinic.server.admin_token
    else:
        reader = clinic.steward.reader()
        clinic.steward.sqls(filled(clinic, grant, reader.role) for grant in case["grants"])
        token = reader.token
    check(clinic, case, ask(clinic, token, case))


@named(REQUESTS)
def test_a_request_is_answered_the_same_at_every_door(clinic: Clinic, case: Case) -> None:
    """The analyst, within the acceptance policy, asks in this way."""
    check(clinic, case, ask(clinic, clinic.analyst.token, case))


def test_there_is_a_case_for_every_transform() -> None:
    """Of those that a policy can name, aliases and per-dataset variants aside."""
    said = " ".join(grant for case in POLICIES for grant in case.get("grants", ()))
    for transform in ("tokenize", "nfp_ref_tokenize", "sha2", "mask", "zero", "null"):
        assert f" {transform}(" in said


def filled(clinic: Clinic, text: str, role: str = "") -> str:
    """A text with the names that things got on this server."""
    return text.format(
        patients=clinic.patients, database=clinic.database, vault=clinic.vault, role=role
    )


def ask(clinic: Clinic, token: str, case: Case) -> Mapping[str, Answer]:
    """What every door answers."""
    columns = case.get("columns")
    wanted = Wanted(
        filled(clinic, case.get("dataset", "{patients}")),
        None if columns is None else tuple(columns),
        case.get("limit"),
    )
    answers = every_answer(clinic.server, token, wanted)
    assert len(answers) >= 8
    return answers


def check(clinic: Clinic, case: Case, answers: Mapping[str, Answer]) -> None:
    """Against what the case says."""
    if "refused" in case:
        message = filled(clinic, case["refused"]["message"])
        for door, answer in answers.items():
            assert answer.table is None, door
            assert answer.message == message, door
            # The command line has an exit code for some codes only.
            assert answer.code in (case["refused"]["code"], "" if door == "cli" else ...), door
        return
    first = answers["flight command"].table
    assert first is not None, answers["flight command"].message
    check_rows(first, case["rows"])
    for door, answer in answers.items():
        assert answer.table is not None, (door, answer.message)
        assert answer.table.cast(first.schema).equals(first), door


def check_rows(table: pa.Table, rows: Mapping[str, Any]) -> None:
    """Values as they are written, or tokens for raw values."""
    assert table.column_names == list(rows)
    for name, wanted in rows.items():
        got = table.column(name).to_pylist()
        if isinstance(wanted, list):
            assert got == wanted, name
        else:
            check_tokens(got, wanted["for"], wanted["like"])


def check_tokens(got: list[str], raw: list[str], like: str) -> None:
    """Of the right form, none of them a raw value, equal where and only where raw values are."""
    assert all(re.fullmatch(like, token) for token in got), got
    assert not set(got) & set(raw)
    pairs = set(zip(raw, got, strict=True))
    assert len(pairs) == len(set(raw)) == len(set(got))
