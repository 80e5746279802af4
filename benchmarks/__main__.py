"""`python -m benchmarks [NAME ...]`: run benchmarks in turn, print tables, judge bounds."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.measure import Figure

_HERE = Path(__file__).parent
_PREFIX = "bench_"
_HEADER = ("", "measured", "bound", "", "")


def names() -> list[str]:
    """Every benchmark here, by name, without the prefix of its file."""
    return sorted(path.stem.removeprefix(_PREFIX) for path in _HERE.glob(f"{_PREFIX}*.py"))


def table(title: str, figures: Sequence[Figure]) -> str:
    """A plain table: name, value and unit, bound, verdict, note."""
    rows = [_HEADER, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([title, *(f"  {line}" for line in lines)])


def _row(figure: Figure) -> tuple[str, str, str, str, str]:
    bound = verdict = ""
    if figure.bound is not None:
        bound = f"{'>=' if figure.at_least else '<='} {figure.bound:g}"
        verdict = "ok" if figure.holds else "MISSED"
    return figure.name, f"{figure.value:.4g} {figure.unit}", bound, verdict, figure.note


def run_here(name: str, *, as_json: bool) -> int:
    """Run one benchmark in this process.

    Returns:
        0 if every bound holds, else 1.
    """
    module = importlib.import_module(f"benchmarks.{_PREFIX}{name}")
    start = time.perf_counter()
    figures = list(module.run())
    seconds = time.perf_counter() - start
    if as_json:
        print(json.dumps({"name": name, "seconds": seconds, "figures": [*map(asdict, figures)]}))
    else:
        title = (module.__doc__ or name).strip().splitlines()[0]
        print(table(f"{name}: {title} ({seconds:.0f} s, {os.cpu_count()} cores)", figures))
    return int(not all(figure.holds for figure in figures))


def run_apart(chosen: Sequence[str], *, as_json: bool) -> int:
    """Run each in a process of its own: memory and warm caches of one do not flatter the next."""
    failed: list[str] = []
    for name in chosen:
        command = [sys.executable, "-m", "benchmarks", name, *(["--json"] if as_json else [])]
        if subprocess.run(command, cwd=_HERE.parent, check=False).returncode:
            failed.append(name)
        if not as_json:
            print(flush=True)
    summary = f"{len(chosen) - len(failed)} of {len(chosen)} benchmarks within their bounds"
    print(summary + (f"; not: {', '.join(failed)}" if failed else ""), file=sys.stderr)
    return int(bool(failed))


def main() -> int:
    """Read the command line and run.

    Returns:
        0 if every bound holds, 1 if one does not or a benchmark broke, 2 for an unknown name.
    """
    known = names()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(known)}")
    parser.add_argument("--json", action="store_true", help="one JSON object a benchmark")
    options = parser.parse_args()
    for name in options.names:
        if name not in known:
            parser.error(f"there is no benchmark `{name}`; there are: {', '.join(known)}")
    chosen = options.names or known
    if len(chosen) == 1:
        return run_here(chosen[0], as_json=options.json)
    return run_apart(chosen, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
