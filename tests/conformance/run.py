"""`make conformance`: the original client's own tests at a server, and a table of what they say.

A kit has the list of tests that say something about a server, and a program that runs them one
file after another; it is no part of this project.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.reasons import reason_of
from conformance.server import serving, serving_tokens
from okera_door import pyokera

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "conformance.md"
KEPT = ROOT / ".tools" / "conformance"
_TOKENS = "RT"
_OTHERS: dict[str, tuple[str, ...]] = {"RC": ("--unskip",), _TOKENS: ("--auth", "TOKEN")}
"""Tags of tests that the client's authors skip, or that ask for tokens, and how they are run."""
_IMPORTED = (
    "pytest", "pytest-timeout", "prettytable", "sqlparse", "pg8000<1.30", "requests", "boto3",
    "tzlocal",
)  # fmt: skip
_HEAD = """# Conformance

What the tests of the published client (`pyokera` 2.9.0, unmodified) say about the okera door
in compatibility mode. `make conformance KIT=folder` runs them and writes this page; one that was
interrupted goes on with the file it was at. Tests that need the vendor's own services are not in
the list. *RC* marks a class that its authors skip and that is run all the same; *RT* are run at a
server that asks for tokens.
"""


def main() -> int:
    """Run the kit's tests, write the page, and say how many passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=60, help="seconds for one test")
    parser.add_argument("--again", action="store_true", help="forget what an earlier run came to")
    given = parser.parse_args()
    if not (given.kit / "harness" / "run_suite.py").exists():
        told = f"conformance: {given.kit} has no tests; name a kit: make conformance KIT=folder"
        print(told, file=sys.stderr)
        return 2
    client = pyokera.python()
    pip = [client, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *_IMPORTED], check=True)
    if given.again:
        shutil.rmtree(KEPT, ignore_errors=True)
    KEPT.mkdir(parents=True, exist_ok=True)
    listed = given.kit / "runnable_tests.txt"
    _run(Kit(given.kit.resolve(), client, given.limit), _batches(listed))
    results = {
        test: result
        for kept in sorted(KEPT.glob("*.json"))
        for test, result in json.loads(kept.read_text()).items()
    }
    write(results, _tags(listed))
    shutil.rmtree(KEPT)
    passed = Counter(r["outcome"] for r in results.values())["passed"]
    print(f"conformance: {passed} of {len(results)} pass; see docs/conformance.md")
    return 0


@dataclass(frozen=True, slots=True)
class Kit:
    """Where the tests' program is, the client's interpreter, and the seconds for one test."""

    folder: Path
    client: Path
    limit: int

    def run(self, port: int, tests: list[str], kept: Path, *options: str | Path) -> None:
        """Run some tests at a port, and keep what they came to."""
        with tempfile.TemporaryDirectory() as place:
            named = Path(place) / "tests.txt"
            named.write_text("\n".join(tests) + "\n")
            told = Path(place) / "results.json"
            program = [sys.executable, self.folder / "harness" / "run_suite.py"]
            where = ["127.0.0.1", str(port), "--venv", self.client.parents[1]]
            asked = ["--tests", named, "--json", told, "--limit", str(self.limit)]
            subprocess.run([*program, *where, *asked, *options], check=True)
            kept.write_text(told.read_text())


def _batches(listed: Path) -> Mapping[tuple[str, str], list[str]]:
    """The tests by the server that they are for, and by their file."""
    found: dict[tuple[str, str], list[str]] = {}
    for test, tag in _tags(listed).items():
        kind = tag if tag in _OTHERS else ""
        found.setdefault((kind, test.split("::")[0]), []).append(test)
    return found


def _run(kit: Kit, batches: Mapping[tuple[str, str], list[str]]) -> None:
    """Run what has no results yet: what was interrupted goes on from the file it was at."""
    missing = {
        key: kept
        for key in batches
        if not (kept := KEPT / f"{key[1].replace('/', '.')}{key[0]}.json").exists()
    }
    with tempfile.TemporaryDirectory() as place, serving(Path(place)) as port:
        for (kind, file), kept in missing.items():
            if kind != _TOKENS:
                kit.run(port, batches[kind, file], kept, *_OTHERS.get(kind, ()))
    with tempfile.TemporaryDirectory() as place, serving_tokens(Path(place)) as (port, token):
        for (kind, file), kept in missing.items():
            if kind == _TOKENS:
                options = (*_OTHERS[kind], "--token-file", token)
                kit.run(port, batches[kind, file], kept, *options)


def _tags(listed: Path) -> Mapping[str, str]:
    lines = (line.split("#")[0].split() for line in listed.read_text().splitlines())
    return {words[0]: words[1] for words in lines if len(words) > 1}


def write(results: Mapping[str, Any], tags: Mapping[str, str]) -> None:
    """Write the page from results by test."""
    PAGE.write_text("\n".join(_page(results, tags)) + "\n")


def _page(results: Mapping[str, Any], tags: Mapping[str, str]) -> Iterator[str]:
    yield _HEAD
    yield "| file | pass | fail | skipped |"
    yield "| --- | --- | --- | --- |"
    files: dict[str, Counter[str]] = {}
    for test, result in results.items():
        files.setdefault(test.split("::")[0], Counter())[result["outcome"]] += 1
    for name, counts in sorted(files.items()):
        failed = counts["failed"] + counts["error"]
        yield f"| `{name}` | {counts['passed']} | {failed} | {counts['skipped']} |"
    total = Counter(r["outcome"] for r in results.values())
    failed = total["failed"] + total["error"]
    yield f"| all | {total['passed']} | {failed} | {total['skipped']} |"
    yield "\n## Why the others fail\n"
    yield (
        "*Ours* is a decision of ours, *later* is not built yet, *theirs* is inside the vendor's"
        " product.\n"
    )
    yield "| test | kind | why |"
    yield "| --- | --- | --- |"
    for test, result in sorted(results.items()):
        if result["outcome"] in {"failed", "error"}:
            kind, why = reason_of(test, result.get("msg", ""))
            yield f"| `{test.split('/')[-1]}` {tags.get(test, '')} | {kind} | {why} |"


if __name__ == "__main__":
    sys.exit(main())
