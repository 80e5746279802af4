"""Records that somebody else holds, filtered and redacted by the policy of a dataset.

They are rows of the dataset in all but where they lie, and go through the same plan as a scan's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.types as pat

from privet.enforcement import EnforcedPlan, enforce
from privet.model.datasets import Column, plain_type
from privet.model.decisions import ColumnDecision, Decision, Verdict
from privet.model.errors import InvalidRequest
from privet.model.events import Event, Outcome
from privet.model.names import FieldPath
from privet.model.requests import ScanRequest
from privet.model.strict_json import read_json
from privet.policy import fields_in, with_fields
from privet.service.platform import Platform

MOST_RECORDS = 100_000
_CHARACTERS = 64 * 2**20
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Filtered:
    """What is left of records.

    Attributes:
        passed: for each, whether its reader may see it.
        records: those that they may see, redacted, as JSON.
    """

    passed: tuple[bool, ...]
    records: tuple[str, ...]


def filter_records(
    platform: Platform, decision: Decision, texts: Sequence[str], *, strangers: bool = False
) -> Filtered:
    """Keep of records what a decision shows.

    Args:
        platform: what kernels are made from.
        decision: about the dataset whose rows they are.
        texts: an object of JSON each; its members are columns, in whatever case.
        strangers: whether members that are no columns stay, for who sees every column in clear.

    Raises:
        InvalidRequest: a record is none, or has a cell of another type than its column.
        NotFound: the decision shows nothing.
    """
    if len(texts) > MOST_RECORDS or sum(map(len, texts)) > _CHARACTERS:
        raise InvalidRequest("these are too many records at once", hint="send them in parts")
    plan = enforce(decision, ScanRequest(decision.name), platform.derive, platform.circumstances)
    records = [_read(number, text) for number, text in enumerate(texts, 1)]
    raw = _batch(plan, decision, records)
    passed = [bool(each) for each in plan.visible_rows(raw)]
    kept = [record for record, passes in zip(records, passed, strict=True) if passes]
    shown = {c.column.name: c for c in decision.visible}
    changed = {
        name: cells
        for name, cells in zip(plan.schema.names, plan.apply(raw).columns, strict=True)
        if shown[name].verdict is not Verdict.CLEAR
    }
    if strangers and all(c.verdict is Verdict.CLEAR for c in decision.columns):
        told = kept
    else:
        types = {name: plain_type(c.column.type) for name, c in shown.items()}
        told = [
            _told(record, types, {n: cells[i] for n, cells in changed.items()})
            for i, record in enumerate(kept)
        ]
    return Filtered(tuple(passed), tuple(map(_written, told)))


def ended(started: Event, filtered: Filtered) -> Event:
    """What is on record about the end of filtering."""
    return replace(
        started,
        action="records.end",
        outcome=Outcome.COMPLETED,
        parent=started.id,
        rows_read=len(filtered.passed),
        rows_returned=len(filtered.records),
        detail={},
    )


def _read(number: int, text: str) -> Record:
    try:
        record = read_json(text.encode("utf-8", "surrogatepass"))
    except InvalidRequest as error:
        error.message = f"record {number}: {error.message}"
        raise
    if not isinstance(record, dict):
        raise InvalidRequest(f"record {number} is no object of JSON")
    names = [name.lower() for name in record]
    if len(set(names)) < len(names):
        raise InvalidRequest(f"record {number} has one member twice, in different case")
    return record


def _batch(plan: EnforcedPlan, decision: Decision, records: Sequence[Record]) -> pa.RecordBatch:
    """The columns that a plan reads, of what the records have under these names."""
    folded = [{name.lower(): value for name, value in record.items()} for record in records]
    shown = {c.column.name: c for c in decision.visible}
    named = _named(decision)
    arrays: list[pa.Array] = []
    for column in plan.reads:
        seen = shown.get(column.name)
        kind = _kind(column, seen, named)
        arrays.append(_array(kind, [each.get(column.name) for each in folded], seen))
    fields = [pa.field(c.name, a.type) for c, a in zip(plan.reads, arrays, strict=True)]
    if not arrays:
        return pa.table({"": pa.nulls(len(records))}).select([]).to_batches()[0]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def _named(decision: Decision) -> frozenset[FieldPath]:
    """The fields inside columns that filters name."""
    cells = (f for c in decision.visible for f in c.cell_filters)
    filters = (*(f for f in decision.filters if f is not None), *decision.restrictions, *cells)
    return frozenset(ref.path for f in filters for ref in fields_in(f))


def _kind(column: Column, seen: ColumnDecision | None, named: frozenset[FieldPath]) -> pa.DataType:
    """The type of what counts of a column: other fields are not looked at, as if there were none.

    Whoever sends records would else learn their names and types by those that are refused.
    """
    fields = {path for path in named if path[0] == column.name}
    for option in seen.options if seen else ():
        if option.fields is None:
            return plain_type(column.type)
        fields |= option.fields
    return plain_type((with_fields(column, frozenset(fields)) if fields else column).type)


def _array(kind: pa.DataType, values: list[Any], seen: ColumnDecision | None) -> pa.Array:
    try:
        return pa.array([_cell(kind, value) for value in values], kind)
    except (pa.ArrowException, ValueError, TypeError, OverflowError, ArithmeticError):
        # The library's own words show the cell, and a filter may read what its reader does not.
        named = f"the column `{seen.column.name}`" if seen else "a member"
        wanted = f" `{plain_type(seen.column.type)}`" if seen else ""
        raise InvalidRequest(
            f"{named} of some record is not of its type{wanted}",
            hint="send records as the dataset has them",
        ) from None


def _cell(kind: pa.DataType, value: Any) -> Any:
    """A value of JSON as one of a type.

    Raises:
        TypeError, ValueError, ArithmeticError: it is none of this type.
    """
    if value is None:
        return None
    if (pat.is_struct(kind) or pat.is_map(kind)) and not isinstance(value, dict):
        raise TypeError
    if pat.is_struct(kind):
        members = {name.lower(): member for name, member in value.items()}
        fields = [kind.field(i) for i in range(kind.num_fields)]
        return {f.name: _cell(f.type, members.get(f.name.lower())) for f in fields}
    if pat.is_list(kind):
        if not isinstance(value, list):
            raise TypeError
        return [_cell(kind.value_type, each) for each in value]
    if pat.is_map(kind):
        return [(key, _cell(kind.item_type, each)) for key, each in value.items()]
    return _scalar(kind, value)


def _scalar(kind: pa.DataType, value: Any) -> Any:
    if pat.is_boolean(kind) is not isinstance(value, bool):
        raise TypeError
    if pat.is_decimal(kind):
        return Decimal(str(value))
    if pat.is_integer(kind) or pat.is_floating(kind):
        if isinstance(value, str) or (pat.is_integer(kind) and not isinstance(value, int)):
            raise TypeError
        return value
    if isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise TypeError
    if pat.is_timestamp(kind):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if pat.is_date(kind) else value


def _known(kind: pa.DataType, value: Any) -> Any:
    """A value without the members that its type does not have, at every depth."""
    if value is None:
        return None
    if pat.is_struct(kind):
        inside = {kind.field(i).name.lower(): kind.field(i).type for i in range(kind.num_fields)}
        return {n: _known(inside[n.lower()], v) for n, v in value.items() if n.lower() in inside}
    if pat.is_list(kind):
        return [_known(kind.value_type, each) for each in value]
    if pat.is_map(kind):
        return {name: _known(kind.item_type, each) for name, each in value.items()}
    return value


def _told(
    record: Record, types: Mapping[str, pa.DataType], changed: Mapping[str, pa.Scalar]
) -> Record:
    """A record with the members that are seen; those in clear are as they were sent."""
    told: Record = {}
    for name, value in record.items():
        folded = name.lower()
        if folded in changed:
            told[name] = changed[folded].as_py()
        elif folded in types:
            told[name] = _known(types[folded], value)
    return told


def _written(record: Record) -> str:
    return json.dumps(record, ensure_ascii=False, default=_spelled)


def _spelled(value: Any) -> str:
    """A cell of a type that JSON does not have."""
    if isinstance(value, date):
        return value.isoformat()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
