"""Files of deletes in Iceberg tables, committed as other writers do: `pyiceberg` writes none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestWriterV2,
)
from pyiceberg.table import Table
from pyiceberg.typedef import Record

_NUMBER = b"PARQUET:field_id"


def delete_values(
    table: Table,
    target: Path,
    values: pa.Table,
    ids: Sequence[int] | None = None,
    **told: Any,
) -> None:
    """Commit a file of values whose rows are deleted.

    Args:
        table: where.
        target: of the file.
        values: by columns that are called as the table's.
        ids: of the columns that are compared; all that the file has, without it.
        told: more about the file, such as its `partition` and `spec_id`.
    """
    known = {f.name: f.field_id for s in table.metadata.schemas for f in s.fields}
    fields = [
        f.with_metadata({_NUMBER: str(known[f.name])}) if f.name in known else f
        for f in values.schema
    ]
    pq.write_table(values.cast(pa.schema(fields)), target)
    numbers = [known[name] for name in values.column_names] if ids is None else list(ids)
    commit_deletes(table, target, values.num_rows, equality_ids=numbers, **told)


def commit_deletes(table: Table, target: Path, count: int, **told: Any) -> None:
    """Commit a file of deletes that is there: of values if it has `equality_ids`, or of places."""
    content = (
        DataFileContent.EQUALITY_DELETES
        if "equality_ids" in told
        else DataFileContent.POSITION_DELETES
    )
    spec_id = told.pop("spec_id", table.spec().spec_id)
    said: dict[str, Any] = {
        "content": content,
        "file_path": f"file://{target}",
        "file_format": FileFormat.PARQUET,
        "partition": Record(),
        "record_count": count,
        "file_size_in_bytes": target.stat().st_size,
        "equality_ids": None,
        "sort_order_id": None,
        "spec_id": spec_id,
    }
    file = DataFile.from_args(**(said | told))
    file.spec_id = spec_id
    with table.transaction() as transaction:
        snapshot = transaction.update_snapshot().fast_append()
        original = snapshot._manifests

        class Writer(ManifestWriterV2):
            def content(self) -> ManifestContent:
                return ManifestContent.DELETES

            @property
            def _meta(self) -> dict[str, str]:
                return {**super()._meta, "content": "deletes"}

        def manifests() -> list[Any]:
            writer = Writer(
                table.specs()[spec_id], table.schema(),
                snapshot.new_manifest_output(), snapshot.snapshot_id, "null",
            )  # fmt: skip
            with writer:
                writer.add(
                    ManifestEntry.from_args(
                        status=ManifestEntryStatus.ADDED,
                        snapshot_id=snapshot.snapshot_id,
                        sequence_number=None,
                        file_sequence_number=None,
                        data_file=file,
                    )
                )
            return [writer.to_manifest_file(), *original()]

        snapshot._manifests = manifests
        with snapshot:
            pass
