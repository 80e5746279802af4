"""Queries at every door: the same rows everywhere, or the same refusal."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from doors.clinic import Clinic
from doors.doors import NO_PARAMETERS, SQL_DOORS, Answer, Values

pytestmark = pytest.mark.service

TYPES = (
    "SELECT TIME '01:02:03.5' AS a, TIMESTAMPTZ '2024-02-29 01:02:03+00' AS b,"
    " TIMESTAMP '2024-02-29 01:02:03.000004' AS c, 1.50 AS d, '\\xFF'::BLOB AS e,"
    " [1, NULL] AS f, {'g': [DATE '2024-02-29'], 'h': 'ü'} AS g, MAP {'k': 1.5} AS h,"
    " 'nan'::DOUBLE IS NULL AS i, true AS j, NULL::VARCHAR AS k, '' AS l, 2::HUGEINT AS m"
)
QUERIES: tuple[tuple[str, Values | None], ...] = (
    ("SELECT * FROM {patients} ORDER BY id", None),
    ("SELECT age, count(*) AS n FROM {patients} GROUP BY ALL ORDER BY ALL", None),
    ("WITH a AS (FROM {patients}) SELECT max(charges) AS most FROM a WHERE id > 0", None),
    ("SELECT id FROM {patients} WHERE id < $1 AND region != $2 ORDER BY id", [6, "x"]),
    ("SELECT $day::DATE AS day, $text AS text", {"day": dt.date(2024, 2, 29), "text": "ü'"}),
    ("SELECT 1 AS a WHERE false", None),
    (TYPES, None),
)
REFUSED: tuple[tuple[str, str], ...] = (
    ("SELECT phone FROM {patients}", "unknown_name"),
    ("SELECT * FROM {vault}", "not_found"),
    ("SELECT * FROM {patients}_absent", "not_found"),
    ("SELECT FROM FROM", "parse_failed"),
    ("SELECT 'x'::INTEGER AS a", "statement_failed"),
)


def every_answer(clinic: Clinic, text: str, parameters: Values | None) -> dict[str, Answer]:
    """What each door says; text formats are read under Arrow's schema."""
    server, token = clinic.server, clinic.analyst.token
    first = SQL_DOORS["rest arrow"](server, token, text, parameters)
    schema = None if first.table is None else first.table.schema
    doors = {n: d for n, d in SQL_DOORS.items() if not parameters or n not in NO_PARAMETERS}
    return {name: door(server, token, text, parameters, schema) for name, door in doors.items()}


@pytest.mark.parametrize(("text", "parameters"), QUERIES)
def test_a_query_is_answered_the_same_at_every_door(
    clinic: Clinic, text: str, parameters: Any
) -> None:
    """Names, types and rows, in their order."""
    statement = text.replace("{patients}", clinic.patients).replace("{vault}", clinic.vault)
    answers = every_answer(clinic, statement, parameters)
    table = answers["rest arrow"].table
    assert table is not None, answers["rest arrow"].message
    for door, answer in answers.items():
        assert answer.table is not None, (door, answer.code, answer.message)
        plain = pa.schema([pa.field(f.name, f.type) for f in table.schema])
        assert answer.table.cast(plain).equals(table.cast(plain)), door


@pytest.mark.parametrize(("text", "code"), REFUSED)
def test_a_refusal_reads_the_same_at_every_door(clinic: Clinic, text: str, code: str) -> None:
    """What is hidden is what does not exist."""
    statement = text.replace("{patients}", clinic.patients).replace("{vault}", clinic.vault)
    answers = every_answer(clinic, statement, None)
    message = answers["rest arrow"].message
    assert message
    for door, answer in answers.items():
        assert answer.table is None, door
        assert answer.message == message, door
        # The command line has an exit code for some codes only.
        assert answer.code in (code, "" if door == "cli" else ...), door
