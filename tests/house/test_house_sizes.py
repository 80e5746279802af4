"""Things stay small enough to be read in one sitting. Each test prints its offenders."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

FILE_LINES, MEDIAN_FILE_LINES = 400, 150
FUNCTION_LINES, MEDIAN_FUNCTION_STATEMENTS = 60, 8
PUBLIC_METHODS = 12
FILES_IN_A_FOLDER = 15

# Larger than the house likes, with the reason: `path`, `path::function` or `path::Class`.
REASONS: dict[str, str] = {
    "src/privet/cli": "a module for each noun of the command line",
    "src/privet/service": "a module for each noun of the use cases",
}

Modules = Mapping[Path, ast.Module]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.Module) -> Iterator[Function]:
    """Every function and method, nested ones included."""
    yield from (node for node in ast.walk(tree) if isinstance(node, Function))


def too_large(sizes: Mapping[str, int], limit: int) -> list[str]:
    """A line for each thing over the limit that has no reason, largest first."""
    over = {what: size for what, size in sizes.items() if size > limit and what not in REASONS}
    return [f"{what}: {over[what]}" for what in sorted(over, key=lambda key: -over[key])]


def test_files(root: Path, modules: Modules) -> None:
    """No file is over 400 lines without a reason, and half of them are at most 150."""
    sizes = {str(path): len((root / path).read_text().splitlines()) for path in modules}
    offenders = too_large(sizes, FILE_LINES)
    assert not offenders, "\n".join(["files over 400 lines:", *offenders])
    assert median(sizes.values()) <= MEDIAN_FILE_LINES


def test_functions(modules: Modules) -> None:
    """No function spans more than 60 lines, its docstring included."""
    sizes = {
        f"{path}::{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path, tree in modules.items()
        for node in functions(tree)
    }
    offenders = too_large(sizes, FUNCTION_LINES)
    assert not offenders, "\n".join(["functions over 60 lines:", *offenders])


def test_half_of_the_functions_are_short(modules: Modules) -> None:
    """Half of the functions have at most 8 statements at their own level."""
    lengths = [len(node.body) for tree in modules.values() for node in functions(tree)]
    assert median(lengths) <= MEDIAN_FUNCTION_STATEMENTS


def test_classes(modules: Modules) -> None:
    """No class has more than 12 public methods."""
    sizes = {
        f"{path}::{node.name}": sum(
            isinstance(child, Function) and not child.name.startswith("_") for child in node.body
        )
        for path, tree in modules.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    offenders = too_large(sizes, PUBLIC_METHODS)
    assert not offenders, "\n".join(["classes with over 12 public methods:", *offenders])


def test_folders(modules: Modules) -> None:
    """No folder has more than 15 modules."""
    sizes = Counter(str(path.parent) for path in modules)
    offenders = too_large(sizes, FILES_IN_A_FOLDER)
    assert not offenders, "\n".join(["folders with over 15 modules:", *offenders])


def test_reasons_are_needed(root: Path) -> None:
    """A reason for something that is gone is removed with it."""
    for what in REASONS:
        path, _, name = what.partition("::")
        assert (root / path).exists(), f"{path} is gone; so is its reason"
        assert not name or name in (root / path).read_text(), f"{what} is gone; so is its reason"
