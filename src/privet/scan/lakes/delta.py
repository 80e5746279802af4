"""Delta Lake: what its log says, read by `deltalake` from a copy of the log alone."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from privet.connector import Connector, ObjectInfo
from privet.enforcement import EnforcedPlan
from privet.model.datasets import plain_type
from privet.model.errors import SourceInvalid
from privet.scan.files import RECRAWL, may_hold
from privet.scan.lakes.base import not_read, within
from privet.scan.lakes.data_files import LakeFile, Positions, file_pieces
from privet.scan.lakes.projection import Node
from privet.scan.pieces import Piece

LOG = "_delta_log"
_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint(?:\.(\d{10})\.(\d{10}))?\.parquet")
_VECTOR = re.compile(r"deletion_vector_[0-9a-f-]{36}\.bin")
_READ = frozenset({"deletionVectors", "timestampNtz", "vacuumProtocolCheck", "appendOnly"})
"""Features of which a reader has to know that it reads them rightly."""
_LARGEST = 1 << 30
_PHYSICAL = b"delta.columnMapping.physicalName"
_STEP = 4 << 20


class DeltaLake:
    """A Delta table as of one version."""

    def __init__(self, connectors: Connector, root: str, version: int | None) -> None:
        self._connectors = connectors
        self._root = root
        with tempfile.TemporaryDirectory(prefix="privet-delta-") as folder, _told():
            vectors = _copy_log(connectors, root, Path(folder), version)
            table = DeltaTable(folder)
            _check_features(table)
            self.version = table.version()
            self.schema = _plain_schema(pa.schema(table.schema().to_arrow()))
            self._partitions = tuple(table.metadata().partition_columns)
            self._added: list[dict[str, Any]] = pa.table(table.get_add_actions()).to_pylist()
            self._deleted = _deleted(table, folder) if vectors else {}

    def pieces(self, names: Sequence[str], plan: EnforcedPlan | None) -> Iterator[Piece]:
        """See `LakeTable.pieces`."""
        nodes = [node_of(self.schema.field(name)) for name in names]
        for added in self._added:
            file = self._file(added)
            if plan is None or may_hold(self._known(file, plan), plan.dataset, plan.hint):
                yield from file_pieces(self._connectors, file, nodes, lambda f: f.name, plan)

    def _file(self, added: Mapping[str, Any]) -> LakeFile:
        path = unquote(added["path"])
        if "://" in path or path.startswith("/"):
            raise not_read("Delta", "files of another table")
        uri = within(self._connectors, self._root, f"{self._root}/{path}")
        values = added.get("partition") or {}
        constants = {
            name: _scalar(values.get(name), self.schema.field(name).type)
            for name in self._partitions
        }
        return LakeFile(uri, constants, self._deleted.get(path))

    def _known(self, file: LakeFile, plan: EnforcedPlan) -> Mapping[str, pa.Scalar]:
        """The constants of a file by the catalog's names."""
        names = {c.source_name: c.name for c in plan.dataset.columns}
        return {names[n]: v for n, v in file.constants.items() if n in names}


def node_of(field: pa.Field) -> Node:
    """A field by its name."""
    kind = field.type
    if pa.types.is_struct(kind):
        inside = tuple(node_of(f) for f in kind)
    elif pa.types.is_map(kind):
        inside = (node_of(kind.key_field), node_of(kind.item_field))
    elif pa.types.is_list(kind):
        inside = (node_of(kind.value_field),)
    else:
        inside = ()
    return Node(field.name, kind, field.name, inside)


def _plain_schema(schema: pa.Schema) -> pa.Schema:
    return pa.schema([(f.name, plain_type(f.type)) for f in schema])


def _scalar(value: Any, kind: pa.DataType) -> pa.Scalar:
    return pa.scalar(value, kind) if value is not None else pa.scalar(None, kind)


def _check_features(table: DeltaTable) -> None:
    """Refuse what would be read wrongly."""
    protocol = table.protocol()
    unknown = set(protocol.reader_features or ()) - _READ
    if unknown:
        raise not_read("Delta", f"the feature `{min(unknown)}`")
    mapping = table.metadata().configuration.get("delta.columnMapping.mode", "none")
    if mapping != "none":
        raise not_read("Delta", "columns under other names than those of its files")


def _deleted(table: DeltaTable, folder: str) -> dict[str, Positions]:
    """The places of deleted rows, by the path of their file."""
    found: dict[str, Positions] = {}
    for row in pa.table(table.deletion_vectors()).to_pylist():
        kept = np.asarray(row["selection_vector"], np.bool_)
        _, mark, path = row["filepath"].partition(f"{folder}/")
        if not mark:
            raise not_read("Delta", "deleted rows of files that are elsewhere")
        found[unquote(path)] = np.flatnonzero(~kept)
    return found


def _copy_log(connectors: Connector, root: str, folder: Path, version: int | None) -> bool:
    """Copy what is needed of a log for a version; tell whether deleted rows are kept beside files.

    Raises:
        SourceInvalid: there is no log, or not of that version.
    """
    commits, checkpoints = _listed(connectors, f"{root}/{LOG}")
    wanted = max(commits, default=-1) if version is None else version
    known = [v for v in checkpoints if v <= wanted]
    start = max(known, default=-1)
    needed = [v for v in sorted(commits) if start <= v <= wanted]
    files = [*checkpoints.get(start, ()), *(commits[v] for v in needed)]
    last = max([start, *needed], default=-1)
    if last < 0 or (version is not None and last != version):
        raise SourceInvalid(
            "the log of a Delta table of this dataset does not have this version",
            hint="versions go when the table is cleaned up",
        )
    if sum(info.size for info in files) > _LARGEST:
        raise not_read("Delta", "a log of more than a gigabyte")
    (folder / LOG).mkdir()
    mentioned = False
    for info in files:
        within(connectors, root, info.uri)
        mentioned |= _copy(connectors, info, folder / LOG / _name(info))
    if mentioned:
        _copy_vectors(connectors, root, folder)
    return mentioned


def _listed(
    connectors: Connector, log: str
) -> tuple[dict[int, ObjectInfo], dict[int, list[ObjectInfo]]]:
    """Commits, and checkpoints of which all parts are there, by their versions."""
    commits: dict[int, ObjectInfo] = {}
    parts: dict[int, list[ObjectInfo]] = {}
    whole: dict[int, int] = {}
    for info in connectors.walk(log):
        if info.uri.count("/") != log.count("/") + 1:
            continue
        if match := _COMMIT.fullmatch(_name(info)):
            commits[int(match[1])] = info
        elif match := _CHECKPOINT.fullmatch(_name(info)):
            parts.setdefault(int(match[1]), []).append(info)
            whole[int(match[1])] = int(match[3] or 1)
    return commits, {v: held for v, held in parts.items() if len(held) == whole[v]}


def _name(info: ObjectInfo) -> str:
    return info.uri.rpartition("/")[2]


def _copy(connectors: Connector, info: ObjectInfo, to: Path) -> bool:
    """Copy a file, and tell whether it may mention deleted rows."""
    mentioned, before = False, b""
    with connectors.open_stream(info.uri) as source, to.open("wb") as target:
        while data := source.read(_STEP):
            target.write(data)
            mentioned |= b"deletionVector" in before + data
            before = data[-16:]
    return mentioned


def _copy_vectors(connectors: Connector, root: str, folder: Path) -> None:
    for info in connectors.walk(root):
        if _VECTOR.fullmatch(_name(info)):
            uri = within(connectors, root, info.uri)
            target = folder / uri.removeprefix(f"{root}/")
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(connectors, info, target)


@contextmanager
def _told() -> Generator[None]:
    """The library's errors as ours, without its words, which name paths and may hold values."""
    try:
        yield
    except (DeltaError, ValueError, KeyError, pa.ArrowException) as error:
        raise SourceInvalid(
            "the log of a Delta table of this dataset cannot be read", hint=RECRAWL
        ) from error
