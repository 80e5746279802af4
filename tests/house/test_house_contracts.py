"""Contracts of the architecture that an import linter cannot express."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

Modules = Mapping[Path, ast.Module]

PURE = ("policy", "privacy", "enforcement", "classifier")
IMPURE_CALLS = {
    "datetime.now", "datetime.today", "datetime.utcnow", "date.today", "open", "print", "input",
}  # fmt: skip
VAGUE = {"util", "utils", "common", "helper", "helpers", "manager", "managers", "misc"}
MOCKS = {"mock", "unittest.mock", "pytest_mock"}


def called(node: ast.Call) -> str:
    """The last part of what is called: `now` in `datetime.now()`."""
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def room(path: Path) -> str:
    """The room that a file of the product lies in, or an empty text."""
    match path.parts:
        case ("src", "privet", name, *_):
            return name.removesuffix(".py")
        case _:
            return ""


def calls(modules: Modules, *rooms: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call in these rooms (none named: everywhere), with where it stands."""
    for path, tree in modules.items():
        if rooms and room(path) not in rooms:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield f"{path}:{node.lineno}", node


def test_only_enforcement_makes_plans(modules: Modules) -> None:
    """Nothing outside `enforcement` constructs an `EnforcedPlan`, so nothing else can be run."""
    offenders = [
        where
        for where, call in calls(modules)
        if called(call) == "EnforcedPlan" and not where.startswith("src/privet/enforcement/")
    ]
    assert not offenders, "\n".join(offenders)


def test_pure_rooms_are_pure(modules: Modules) -> None:
    """No pure room asks for the time or for a file: these come in as arguments."""
    offenders = [
        f"{where}: {ast.unparse(call.func)}()"
        for where, call in calls(modules, *PURE)
        if ast.unparse(call.func).removeprefix("datetime.") in IMPURE_CALLS
        or ast.unparse(call.func) in IMPURE_CALLS
    ]
    assert not offenders, "\n".join(offenders)


def test_names_say_something(modules: Modules, test_modules: Modules) -> None:
    """No module or class is named for being useful: no utils, common, helpers, manager."""
    offenders = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in (modules | test_modules).items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and node.name.lower().endswith(("util", "utils", "helper", "helpers", "manager"))
    ]
    offenders += [
        str(path) for path in (*modules, *test_modules) if VAGUE & {*path.parent.parts, path.stem}
    ]
    assert not offenders, "\n".join(offenders)


def test_rooms_have_a_face(modules: Modules) -> None:
    """Every room says in its `__init__` what it is for and, but for `model`, what is public."""
    offenders: list[str] = []
    for path, tree in modules.items():
        if path.name != "__init__.py" or path.parts[:2] != ("src", "privet"):
            continue
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        if not ast.get_docstring(tree):
            offenders.append(f"{path}: no docstring")
        if len(path.parts) == len(("src", "privet", "room", "__init__.py")) and not (
            room(path) == "model" or "__all__" in names
        ):
            offenders.append(f"{path}: no __all__")
    assert not offenders, "\n".join(offenders)


def test_no_mocks(test_modules: Modules) -> None:
    """Tests use real things, or an implementation that passes the behaviour suite; no mocks."""
    offenders = [
        f"{path}:{node.lineno}"
        for path, tree in test_modules.items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Import) and MOCKS & {name.name for name in node.names})
        or (isinstance(node, ast.ImportFrom) and node.module in MOCKS)
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "unittest"
            and MOCKS & {name.name for name in node.names}
        )
    ]
    assert not offenders, "\n".join(offenders)


def test_every_test_says_what_must_hold(test_modules: Modules) -> None:
    """Every test has a docstring with what must hold."""
    offenders = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in test_modules.items()
        if path.name.startswith("test_")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert not offenders, "\n".join(offenders)
