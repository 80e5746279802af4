"""`make conformance`: the original client's own tests at a server, and a table of what they say.

A kit has the list of tests that say something about a server, and a program that runs them one
file after another; it is no part of this project.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from conformance.reasons import reason_of
from conformance.server import serving
from okera_door import pyokera

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "conformance.md"
_IMPORTED = (
    "pytest", "pytest-timeout", "prettytable", "sqlparse", "pg8000<1.30", "requests", "boto3",
    "tzlocal",
)  # fmt: skip
_HEAD = """# Conformance

What the tests of the published client (`pyokera` 2.9.0, unmodified) say about the okera door
in compatibility mode. `make conformance KIT=folder` runs them and writes this page. Tests that need
the vendor's own services, or that the client's authors skip, are not in the list.
"""


def main() -> int:
    """Run the kit's tests, write the page, and say how many passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=40, help="seconds for one test")
    given = parser.parse_args()
    if not (given.kit / "harness" / "run_suite.py").exists():
        told = f"conformance: {given.kit} has no tests; name a kit: make conformance KIT=folder"
        print(told, file=sys.stderr)
        return 2
    client = pyokera.python()
    pip = [client, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *_IMPORTED], check=True)
    with tempfile.TemporaryDirectory() as place:
        results = _run(given.kit.resolve(), client, Path(place), given.limit)
    write(results, _tags(given.kit / "runnable_tests.txt"))
    passed = Counter(r["outcome"] for r in results.values())["passed"]
    print(f"conformance: {passed} of {len(results)} pass; see docs/conformance.md")
    return 0


def _run(kit: Path, client: Path, place: Path, limit: int) -> Mapping[str, Any]:
    told = place / "results.json"
    with serving(place) as port:
        program = [sys.executable, kit / "harness" / "run_suite.py", "127.0.0.1", str(port)]
        options = ["--venv", client.parents[1], "--json", told, "--limit", str(limit)]
        subprocess.run([*program, *options], check=True)
    return json.loads(told.read_text())


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
