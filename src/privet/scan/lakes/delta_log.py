"""The log of a Delta table as of one version: copied for the library, and what it says of vectors.

The library tells the files of a version, but not which of them have deletion vectors without
reading these itself; that part of the log is read here, and has to name the same files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pyarrow.parquet as pq

from privet.connector import Connector, ObjectInfo
from privet.model.errors import SourceInvalid
from privet.scan.formats.opened import too_large
from privet.scan.lakes.base import not_read, within

LOG = "_delta_log"
_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint(?:\.(\d{10})\.(\d{10}))?\.parquet")
_OTHER_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\..+")
_LARGEST = 1 << 30
_MOST_FILES = 1 << 22
_STEP = 4 << 20

Action = Mapping[str, Any]
Vectors = Mapping[str, Action | None]
"""What the log says of the deletion vector of each data file, by its path as it stands there."""


@dataclass(frozen=True, slots=True)
class CopiedLog:
    """A log as of one version: files of a checkpoint, and of the commits after it in order."""

    checkpoint: Sequence[Path]
    commits: Sequence[Path]

    def vectors(self) -> Vectors:
        """What is said of the files of the version.

        Raises:
            ValueError, KeyError, TypeError, pa.ArrowException: the log is broken.
            SourceInvalid: it names too many files, or one twice.
        """
        held: dict[tuple[str, str], Action | None] = {}
        for path in self.checkpoint:
            for added in _added_of(path):
                _add(held, added)
        for path in self.commits:
            removed: list[Action] = []
            put: list[Action] = []
            for action in _actions_of(path):
                removed += _part(action, "remove")
                put += _part(action, "add")
            for gone in removed:
                held.pop(_key(gone), None)
            for new in put:
                _add(held, new)
        found = {path: vector for (path, _), vector in held.items()}
        if len(found) < len(held):
            raise not_read("Delta", "a file twice, with other rows deleted")
        return found


def _add(held: dict[tuple[str, str], Action | None], added: Action) -> None:
    held[_key(added)] = added.get("deletionVector")
    if len(held) > _MOST_FILES:
        raise too_large("the log")


def _key(action: Action) -> tuple[str, str]:
    """By what actions are about the same: a file, and its vector."""
    vector = action.get("deletionVector")
    path = action["path"]
    if not isinstance(path, str):
        raise TypeError(path)
    if vector is None:
        return path, ""
    told = (vector["storageType"], vector["pathOrInlineDv"], vector.get("offset"))
    return path, json.dumps(told)


def _part(action: Action, name: str) -> list[Action]:
    part = action.get(name)
    return [] if part is None else [part]


def _actions_of(path: Path) -> Iterator[Action]:
    with path.open("rb") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def _added_of(path: Path) -> Iterator[Action]:
    file = pq.ParquetFile(path, pre_buffer=False)
    names = [c.path for c in map(file.schema.column, range(len(file.schema)))]
    wanted = [n for n in names if n == "add.path" or n.startswith("add.deletionVector.")]
    for batch in file.iter_batches(columns=wanted):
        for added in batch.column("add").to_pylist():
            # Checkpoints have one column for each kind of action; in older files a struct that is
            # not there is one of NULLs.
            if added is not None and added["path"] is not None:
                vector = cast("Action | None", added.get("deletionVector"))
                there = vector is not None and vector.get("storageType") is not None
                yield {"path": added["path"], "deletionVector": vector if there else None}


def copy_log(connectors: Connector, root: str, folder: Path, version: int | None) -> CopiedLog:
    """Copy what is needed of a log for a version, below `folder`.

    Raises:
        SourceInvalid: there is no log, or not of that version.
    """
    files, checkpoint = _needed(connectors, root, version)
    if sum(info.size for info in files) > _LARGEST:
        raise not_read("Delta", "a log of more than a gigabyte")
    (folder / LOG).mkdir()
    copied: dict[str, Path] = {}
    for info in files:
        within(connectors, root, info.uri)
        copied[_name(info)] = folder / LOG / _name(info)
        _copy(connectors, info, copied[_name(info)])
    parts = [p for n, p in copied.items() if not _COMMIT.fullmatch(n)]
    after = [p for n, p in copied.items() if _COMMIT.fullmatch(n) and int(n[:20]) > checkpoint]
    return CopiedLog(parts, after)


def _needed(connectors: Connector, root: str, version: int | None) -> tuple[list[ObjectInfo], int]:
    """The files of a version, and the version of the checkpoint it begins with, or -1."""
    commits, checkpoints, newest = _listed(connectors, f"{root}/{LOG}")
    wanted = newest if version is None else version
    start = max((v for v in checkpoints if v <= wanted), default=-1)
    after = [v for v in sorted(commits) if start < v <= wanted]
    if wanted < 0 or after != list(range(start + 1, wanted + 1)):
        raise SourceInvalid(
            "the log of a Delta table of this dataset does not have this version",
            hint="versions go when the table is cleaned up",
        )
    same = [commits[start]] if start in commits else []
    return [*checkpoints.get(start, ()), *same, *(commits[v] for v in after)], start


def _listed(
    connectors: Connector, log: str
) -> tuple[dict[int, ObjectInfo], dict[int, list[ObjectInfo]], int]:
    """Commits, checkpoints of which all parts are there, and the newest version of any."""
    commits: dict[int, ObjectInfo] = {}
    parts: dict[int, list[ObjectInfo]] = {}
    whole: dict[int, int] = {}
    newest = -1
    for info in connectors.walk(log):
        if info.uri.count("/") != log.count("/") + 1:
            continue
        name = _name(info)
        if match := _COMMIT.fullmatch(name):
            commits[int(match[1])] = info
        elif match := _CHECKPOINT.fullmatch(name):
            parts.setdefault(int(match[1]), []).append(info)
            whole[int(match[1])] = int(match[3] or 1)
        else:
            match = _OTHER_CHECKPOINT.fullmatch(name)
        if match:
            newest = max(newest, int(match[1]))
    return commits, {v: held for v, held in parts.items() if len(held) == whole[v]}, newest


def _name(info: ObjectInfo) -> str:
    return info.uri.rpartition("/")[2]


def _copy(connectors: Connector, info: ObjectInfo, to: Path) -> None:
    left = _LARGEST
    with connectors.open_stream(info.uri) as source, to.open("wb") as target:
        while data := source.read(_STEP):
            left -= len(data)
            if left < 0:
                raise not_read("Delta", "a log of more than a gigabyte")
            target.write(data)
