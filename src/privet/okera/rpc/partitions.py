"""Partitions: as the reader sees their values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from privet.model.names import DatasetName, fold
from privet.okera.calls import Call, Handler
from privet.okera.idl import T


def _found(call: Call, params: Any) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    name = DatasetName(fold(params.database[0]), fold(params.table))
    shown = call.services.statements.execute(
        call.caller, f"SHOW PARTITIONS `{name.database}`.`{name.name}`"
    )
    columns = tuple(c for c in shown.columns if c not in ("files", "bytes"))
    return columns, [row[: len(columns)] for row in shown.rows]


def _names(call: Call, params: Any) -> Any:
    columns, rows = _found(call, params)
    names = ["/".join(f"{c}={v}" for c, v in zip(columns, row, strict=True)) for row in rows]
    most = params.max_parts
    return T.TGetPartitionNamesResult(partition_names=names if most < 0 else names[:most])


def _list(call: Call, params: Any) -> Any:
    _, rows = _found(call, params)
    return T.TGetPartitionsResult(
        partitions=[T.TPartition(partition_values=list(row)) for row in rows]
    )


HANDLERS: Mapping[str, Handler] = {"GetPartitionNames": _names, "GetPartitions": _list}
