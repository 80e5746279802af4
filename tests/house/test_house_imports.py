"""Which room may use which library. What rooms may use of each other, import-linter checks."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

Modules = Mapping[Path, ast.Module]

# A library that is not listed may be used anywhere.
HOMES: dict[str, set[str]] = {
    "adbc_driver_manager": {"connector"},
    "adbc_driver_postgresql": {"connector"},
    "alembic": {"store"},
    "argon2": {"identity"},
    "botocore": {"connector"},
    "cronsim": {"service"},
    "cryptography": {"enforcement", "keys", "privacy", "sandbox", "server"},
    "deltalake": {"scan"},
    "duckdb": {"sandbox"},
    "fastapi": {"rest", "server"},
    "fastavro": {"scan"},
    "fcntl": {"identity", "keys", "server", "store"},
    "httpx2": {"client", "connector", "identity"},
    "joserfc": {"identity"},
    "lark": {"policy"},
    "matplotlib": {"demo"},
    "mimesis": {"classifier"},
    "pandas": {"client", "demo"},
    "polars": {"client"},
    "psycopg": {"connector"},
    "pyarrow.csv": {"connector", "crawler", "demo", "rest", "scan", "cli"},
    "pyarrow.dataset": {"crawler", "demo", "scan"},
    "pyarrow.flight": {"client", "flight"},
    "pyarrow.fs": {"connector", "crawler", "demo", "scan"},
    "pyarrow.parquet": {"cli", "crawler", "demo", "rest", "scan"},
    "pydantic": {"rest", "server"},
    "pydantic_settings": {"server"},
    "pyiceberg": {"scan"},
    "pyroaring": {"scan"},
    "pyseccomp": {"sandbox"},
    "re2": {"classifier"},
    "rich": {"cli", "client", "demo"},
    "seaborn": {"demo"},
    "sklearn": {"demo"},
    "sqlalchemy": {"audit", "catalog", "identity", "store"},
    "sqlglot": {"enforcement", "model", "okera"},
    "starlette": {"rest", "server"},
    "stdnum": {"classifier"},
    "structlog": {"flight", "okera", "query", "rest", "server", "service"},
    "tenacity": {"connector", "scan", "store"},
    "thriftpy2": {"okera"},
    "typer": {"cli"},
    "uvicorn": {"server"},
}

PURE = {"model", "policy", "privacy", "enforcement", "classifier"}
INPUT_AND_OUTPUT = {
    "asyncio", "fcntl", "glob", "http", "io", "logging", "multiprocessing", "os", "pathlib",
    "random", "secrets", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess",
    "tempfile", "time", "urllib", "uuid",
}  # fmt: skip
ALLOWED = {
    ("src/privet/enforcement/seal.py", "time"): "the default of a clock that can be handed in",
}


def imports(modules: Modules) -> Iterator[tuple[Path, str, str]]:
    """Every import of the product: the file, the room, the module's full name."""
    for path, tree in modules.items():
        match path.parts:
            case ("src", "privet", room, *_):
                pass
            case _:
                continue
        for node in ast.walk(tree):
            match node:
                case ast.Import(names=names):
                    yield from ((path, room, name.name) for name in names)
                case ast.ImportFrom(module=str(module), names=names):
                    yield from ((path, room, f"{module}.{name.name}") for name in names)


def under(module: str, library: str) -> bool:
    """Whether a module is a library or lies in it."""
    return module == library or module.startswith(f"{library}.")


def test_each_library_stays_in_its_rooms(modules: Modules) -> None:
    """A library is used by the rooms that wrap it, and by no other."""
    offenders = [
        f"{path}: `{module}` is for {', '.join(sorted(rooms))}"
        for path, room, module in imports(modules)
        for library, rooms in HOMES.items()
        if under(module, library) and room not in rooms
    ]
    assert not offenders, "\n".join(offenders)


def test_pure_rooms_import_nothing_that_reaches_out(modules: Modules) -> None:
    """The pure centre cannot reach a disk, a network, a clock or chance by itself."""
    offenders = [
        f"{path}: {module}"
        for path, room, module in imports(modules)
        if room in PURE
        and module.split(".")[0] in INPUT_AND_OUTPUT
        and (str(path), module.split(".")[0]) not in ALLOWED
    ]
    assert not offenders, "\n".join(offenders)


def test_exceptions_are_needed(modules: Modules) -> None:
    """An exception for an import that is gone is removed with it."""
    used = {(str(path), module.split(".")[0]) for path, _, module in imports(modules)}
    assert {*ALLOWED} <= used
