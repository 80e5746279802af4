"""The files of a directory of policies: found, read and written without following links."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from privet.cli.policies.policies import Place, PolicyFileWrong

TAGS, RULES, ROLES, DATABASES = "tags.toml", "rules.toml", "roles.toml", "databases.toml"
DATASETS, PERMISSIONS = "datasets", "permissions"
_TOP = frozenset({TAGS, RULES, ROLES, DATABASES})
_SUFFIXES = frozenset({".toml", ".sql"})
_LARGEST_FILE = 1024 * 1024
_MOST_FILES = 2_000


def read_directory(directory: Path) -> dict[str, str]:
    """The text of every file of policies, by its path in the directory.

    Other files, such as a README, and hidden ones are passed over.

    Raises:
        PolicyFileWrong: no such directory, a file where none belongs, a link, one that is too
            large or no text, or two whose names differ in case only.
    """
    if not directory.is_dir():
        raise PolicyFileWrong(
            f"`{directory}` is no directory", hint="make one with `privet policy export`"
        )
    found: dict[str, str] = {}
    for path in _walk(directory):
        name = path.relative_to(directory).as_posix()
        if not _belongs(PurePosixPath(name.lower())):
            raise PolicyFileWrong(
                f"{name}: there is no place for this file",
                hint=f"{', '.join(sorted(_TOP))}, {DATASETS}/DATABASE.toml, {PERMISSIONS}/*.sql",
            )
        if name.lower() in found:
            raise PolicyFileWrong(f"{name}: another file has this name, but for its case")
        found[name.lower()] = _read(path, name)
        if len(found) > _MOST_FILES:
            raise PolicyFileWrong(f"there are more than {_MOST_FILES:,} files")
    return found


def _belongs(path: PurePosixPath) -> bool:
    match path.parts:
        case (name,):
            return name in _TOP
        case (folder, _):
            return (folder, path.suffix) in {(DATASETS, ".toml"), (PERMISSIONS, ".sql")}
        case _:
            return path.parts[0] == PERMISSIONS and path.suffix == ".sql"


def _walk(directory: Path) -> Iterator[Path]:
    for path in sorted(directory.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)
        elif path.suffix.lower() in _SUFFIXES or path.is_dir():
            yield path


def _read(path: Path, name: str) -> str:
    try:
        # Not following links, and not waiting for whoever writes into a pipe.
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(opened, "rb") as file:
            kind = os.fstat(file.fileno())
            if not stat.S_ISREG(kind.st_mode):
                raise PolicyFileWrong(f"{name}: this is no plain file")
            data = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        why = "it is a link" if path.is_symlink() else error.strerror
        raise PolicyFileWrong(
            f"{name}: cannot be read: {why}", hint="policies are plain files"
        ) from error
    if len(data) > _LARGEST_FILE:
        raise PolicyFileWrong(
            f"{name}: larger than {_LARGEST_FILE // 1024:,} KiB", hint="split it into several files"
        )
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Place(name, line).wrong("this is no UTF-8 text") from error


def write_directory(directory: Path, texts: Mapping[str, str], *, replace: bool) -> None:
    """Write files by their paths in the directory; with `replace`, instead of those there.

    Raises:
        PolicyFileWrong: there are some already and they are not to be replaced, or a file cannot
            be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        there = list(_walk(directory))
        if there and not replace:
            raise PolicyFileWrong(
                f"`{directory}` already has policies in it",
                hint="choose an empty directory, or replace them with --replace",
            )
        for path in there:
            path.unlink()
        for name, text in texts.items():
            path = directory / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8", newline="\n")
    except OSError as error:
        raise PolicyFileWrong(
            f"`{error.filename or directory}` cannot be written: {error.strerror}"
        ) from error
