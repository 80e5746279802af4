"""Counter-examples of the twin, kept as JSON in tests/cases/queries/twin and read by people."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from twin.statements import Statement
from twin.worlds import Table, TwinWorld

FOLDER = Path(__file__).parents[1] / "cases" / "queries" / "twin"
Json = dict[str, Any]


def names() -> list[str]:
    """The kept ones."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read(name: str) -> tuple[TwinWorld, Statement]:
    """A world and a statement; `{}` stands for the database."""
    return from_json(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))


def write(name: str, why: str, world: TwinWorld, statement: Statement) -> None:
    """Keep one; `why` says what was wrong."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"why": why, **to_json(world, statement)}, indent=1, ensure_ascii=False)
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def to_json(world: TwinWorld, statement: Statement) -> Json:
    """Plain JSON; rows are an Arrow stream, with their text beside it for people."""
    return {
        "sql": statement.sql,
        "parameters": statement.parameters,
        "ordered": statement.ordered,
        "roles": [list(grants) for grants in world.roles],
        "views": world.views,
        "tables": {
            name: {
                "tags": table.tags,
                "shown": [repr(row) for row in table.rows.to_pylist()],
                "rows": _packed(table.rows),
            }
            for name, table in world.tables.items()
        },
        "seed": world.seed,
    }


def from_json(form: Json) -> tuple[TwinWorld, Statement]:
    """What `to_json` wrote."""
    tables = {n: Table(_unpacked(t["rows"]), t["tags"]) for n, t in form["tables"].items()}
    roles = tuple(tuple(grants) for grants in form["roles"])
    statement = Statement(form["sql"], form["parameters"], form["ordered"])
    return TwinWorld(form["seed"], tables, roles, form.get("views", {})), statement


def _packed(table: pa.Table) -> str:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return base64.b64encode(sink.getvalue()).decode("ascii")


def _unpacked(text: str) -> pa.Table:
    return pa.ipc.open_stream(base64.b64decode(text)).read_all()
