"""Statements that contradict, repeat, overflow or trick: refused where it stands, or warned of.

The cases are in tests/cases/statements/bad.json. `statement` is a text or parts of one, of which
some are repeated; `at` is where the refusal points.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privet.model.errors import PrivetError
from query.platforms import Place, open_place

CASES = json.loads(
    (Path(__file__).parents[1] / "cases" / "statements" / "bad.json").read_text("utf-8")
)
ROWS = pa.table({"id": [1, 2], "name": ["a", "b"]})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform with a database `s` and two tags."""
    with open_place(tmp_path_factory.mktemp("bad")) as place:
        place.platform.catalog.databases.create("s", by="root")
        place.tags("s.a", "s.b")
        yield place


def text_of(statement: str | list[str | list[Any]]) -> str:
    """A statement from its parts."""
    parts = [statement] if isinstance(statement, str) else statement
    return "".join(p if isinstance(p, str) else p[0] * p[1] for p in parts)


@pytest.mark.parametrize("case", CASES, ids=[case["says"] for case in CASES])
def test_bad_statements(place: Place, case: dict[str, Any]) -> None:
    """A refusal has a code, words, and the place; a warning is said and the statement stored."""
    boss = place.person("GRANT ALL ON CATALOG", "GRANT MANAGE_GRANTS ON CATALOG")
    folder = place.lake / place.unique("bad")
    folder.mkdir()
    pq.write_table(ROWS, folder / "part.parquet")
    names = {
        "{t}": f"s.{place.unique('t')}", "{r}": place.unique("bad_role"), "{v}": place.unique("v"),
    }  # fmt: skip

    def run(text: str) -> tuple[str, ...]:
        return place.services.statements.execute(boss.caller, text).warnings

    def named(text: str) -> str:
        for slot, name in names.items():
            text = text.replace(slot, name)
        return text

    run(named(f"CREATE TABLE {{t}} LOCATION '{folder}'"))
    run(named("CREATE ROLE {r}"))
    for text in case.get("before", ()):
        run(named(text))
    text = named(text_of(case["statement"]))
    if "code" not in case:
        warnings = run(text)
        assert any(case["warns"] in w for w in warnings) if "warns" in case else not warnings
        return
    with pytest.raises(PrivetError) as caught:
        run(text)
    assert caught.value.code == case["code"]
    assert case["told"] in caught.value.message
    assert len(caught.value.message) < 500
    if "at" in case:
        where = caught.value.position
        assert where is not None
        assert text[where.offset :].startswith(named(case["at"]))
