"""The project's own files, as the contracts of the house see them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TREES = ("src", "clients", "benchmarks", "tests", "docs", "changelog.d", ".ci")
PRODUCT = ("src", "clients", "benchmarks")
BINARY = {".png", ".parquet", ".gz", ".zst", ".ico", ".woff2", ".pyc"}


def _files(*trees: str) -> Iterator[Path]:
    for tree in trees:
        for path in sorted((ROOT / tree).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(ROOT)


@pytest.fixture(scope="session")
def root() -> Path:
    """Where the project lies."""
    return ROOT


@pytest.fixture(scope="session")
def modules() -> Mapping[Path, ast.Module]:
    """Every module of the product, parsed, by its path from the root."""
    return {
        path: ast.parse((ROOT / path).read_bytes())
        for path in _files(*PRODUCT)
        if path.suffix == ".py"
    }


@pytest.fixture(scope="session")
def test_modules() -> Mapping[Path, ast.Module]:
    """Every module of the tests, parsed, by its path from the root."""
    return {
        path: ast.parse((ROOT / path).read_bytes())
        for path in _files("tests")
        if path.suffix == ".py"
    }


@pytest.fixture(scope="session")
def texts() -> Mapping[Path, str]:
    """Every text file of the project but the lock file, by its path from the root."""
    top = (path.relative_to(ROOT) for path in sorted(ROOT.iterdir()) if path.is_file())
    listed = [path for path in (*top, *_files(*TREES)) if path.suffix not in BINARY | {".lock"}]
    return {path: (ROOT / path).read_text(encoding="utf-8") for path in listed}


@pytest.fixture(scope="session")
def pages(texts: Mapping[Path, str]) -> Mapping[Path, str]:
    """Every page of the documentation, by its path from the root."""
    return {path: text for path, text in texts.items() if path.suffix == ".md"}
