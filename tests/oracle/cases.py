"""Worlds as JSON: counter-examples are kept in tests/cases/oracle and read by people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.types as pat
from cells import Cell, Day, Moment, cells_of, to_array
from kinds import kind_of_type
from world import World

from privet.model.datasets import (
    CanonicalType,
    Column,
    Dataset,
    FieldTag,
    Format,
    Source,
    TokenDomain,
)
from privet.model.errors import InvalidRequest
from privet.model.names import DatasetName, TagName
from privet.model.permissions import Effect, Permission
from privet.model.principals import Principal
from privet.policy import Grant, parse, to_sql

FOLDER = Path(__file__).parents[1] / "cases" / "oracle"
Json = dict[str, Any]


def kept() -> Mapping[str, Path]:
    """The counter-examples by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.json"))}


def read(path: Path) -> World:
    """The world of a file."""
    return from_json(json.loads(path.read_text(encoding="utf-8")))


def write(name: str, why: str, world: World) -> None:
    """Keep a counter-example; `why` says what was wrong and what is right."""
    text = json.dumps({"why": why, **to_json(world)}, indent=1, ensure_ascii=False)
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def to_json(world: World) -> Json:
    """A world as plain JSON; permissions are statements."""
    reader, dataset = world.principal, world.dataset
    return {
        "now": world.now.isoformat(),
        "reader": {
            "user": reader.user,
            "groups": sorted(reader.groups),
            "issuer": reader.issuer,
            "admin": reader.admin,
            "other_groups": sorted(reader.other_groups),
            "attributes": dict(reader.attributes),
        },
        "roles": {role: sorted(map(list, pairs)) for role, pairs in world.roles.items()},
        "grants": [_statement(p) for p in world.permissions if p.effect is Effect.GRANT],
        "safeguards": [_statement(p) for p in world.permissions if p.effect is not Effect.GRANT],
        "dataset": {
            "id": dataset.id,
            "name": str(dataset.name),
            "tags": sorted(map(str, dataset.tags)),
            "database_tags": sorted(map(str, dataset.database_tags)),
            "domains": {d.name: [d.canonical, d.version] for d in dataset.domains.values()},
        },
        "columns": [_column_json(c, world.table.column(c.name)) for c in dataset.columns],
    }


def from_json(form: Json) -> World:
    """The world of such JSON."""
    told = form["dataset"]
    columns = tuple(map(_column, form["columns"]))
    dataset = Dataset(
        told["id"],
        DatasetName.parse(told["name"]),
        Source("file:///lake/costs", Format.CSV),
        columns,
        frozenset(map(TagName.parse, told["tags"])),
        frozenset(map(TagName.parse, told["database_tags"])),
        {n: TokenDomain(n, CanonicalType(c), v) for n, (c, v) in told["domains"].items()},
    )
    cells = [_array(c["cells"], k.type) for c, k in zip(form["columns"], columns, strict=True)]
    return World(
        _reader(form["reader"]),
        dataset,
        pa.table(cells, names=[c.name for c in columns]),
        tuple(
            _permission(told, f"{letter}{number}")
            # Cases from before there were safeguards have none.
            for letter, key in (("p", "grants"), ("s", "safeguards"))
            for number, told in enumerate(form.get(key, ()))
        ),
        {role: frozenset((i, g) for i, g in pairs) for role, pairs in form["roles"].items()},
        datetime.fromisoformat(form["now"]),
    )


def _reader(form: Json) -> Principal:
    sets = {key: frozenset(form.get(key, ())) for key in ("groups", "other_groups")}
    return Principal(**{**form, **sets})


def _statement(permission: Permission) -> str | Json:
    """The statement; beside it the properties, if they are none that a statement can have."""
    text = to_sql(permission)
    try:
        parse(text)
    except InvalidRequest:
        bare = to_sql(replace(permission, properties={}))
        return {"statement": bare, "properties": dict(permission.properties)}
    return text


def _permission(told: str | Json, identity: str) -> Permission:
    if not isinstance(told, str):
        properties = told["properties"]
        return replace(_permission(told["statement"], identity), properties=properties)
    statement = parse(told)
    assert isinstance(statement, Grant)
    return replace(statement.permission, id=identity)


def _column_json(column: Column, cells: pa.ChunkedArray) -> Json:
    return {
        "name": column.name,
        "type": str(column.type),
        "tags": [str(t.tag) for t in column.field_tags if t.path == (column.name,)],
        "inside": [str(t.tag) for t in column.field_tags if t.path != (column.name,)],
        "reviewed": column.reviewed,
        "cells": [_told(c) for c in _plain_cells(cells)],
    }


def _column(form: Json) -> Column:
    name = form["name"]
    # Cases from before tags inside columns counted have none.
    tags = tuple(
        FieldTag(path, TagName.parse(tag))
        for path, tags in (((name,), form["tags"]), ((name, "inside"), form.get("inside", [])))
        for tag in tags
    )
    return Column(
        name, _type(form["type"]), name.upper(), reviewed=form["reviewed"], field_tags=tags
    )


def _type(text: str) -> pa.DataType:
    for kind in TYPES_BY_TEXT:
        if str(kind) == text:
            return kind
    raise ValueError(text)


TYPES_BY_TEXT = (
    *(pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32()),
    *(pa.uint64(), pa.float32(), pa.float64(), pa.decimal128(10, 2), pa.decimal128(38, 9)),
    *(pa.string(), pa.large_string(), pa.string_view(), pa.bool_(), pa.date32(), pa.date64()),
    *(pa.timestamp(unit) for unit in ("s", "ms", "us", "ns")),
    *(pa.timestamp(u, tz=z) for u in ("s", "ms", "us", "ns") for z in ("UTC", "Europe/Berlin")),
    *(pa.binary(), pa.list_(pa.int64()), pa.time64("us")),
)


def _plain_cells(cells: pa.ChunkedArray) -> list[object]:
    if pat.is_time(cells.type):
        return cells.cast(pa.int64()).to_pylist()
    if kind_of_type(cells.type) == "other":
        return cells.to_pylist()
    return list(cells_of(cells))


def _told(cell: object) -> object:
    match cell:
        case Moment(number) | Day(number):
            return number
        case float() | Decimal():
            return repr(cell) if isinstance(cell, float) else str(cell)
        case bytes():
            return cell.hex()
    return cell


def _array(told: list[Any], kind: pa.DataType) -> pa.Array:
    if pat.is_binary(kind):
        return pa.array([None if t is None else bytes.fromhex(t) for t in told], kind)
    if kind_of_type(kind) == "other":
        return pa.array(told, kind)
    return to_array([None if t is None else _cell(t, kind) for t in told], kind)


def _cell(told: Any, kind: pa.DataType) -> Cell:
    if pat.is_floating(kind):
        return float(told)
    if pat.is_decimal(kind):
        return Decimal(told)
    if pat.is_date(kind):
        return Day(told)
    return Moment(told) if pat.is_timestamp(kind) else told
