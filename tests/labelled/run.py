"""`make bench-classifier`: measures the built-in library and writes its figures into the docs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path

from labelled.measure import Scores, measure, sample_of
from labelled.ordinary import ordinary
from labelled.people import HELD_OUT, LOCALES, Labelled, people
from labelled.written import written
from privet.classifier import BUILTIN_RULES, BUILTIN_TAGS, classify

ROWS = 200
SPEED_COLUMNS, SPEED_ROWS = 1000, 1000
LEAST_PRECISION, LEAST_RECALL = 0.98, 0.95
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "classifier.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def known(rows: int) -> list[Labelled]:
    """The columns that rules were written with in view, and the ordinary ones."""
    found = [c for name in LOCALES for c in people(name, rows, name, everything=name == "en_US")]
    return [*found, *ordinary(rows)]


def held_out(rows: int) -> list[Labelled]:
    """The columns of languages that nobody looked at, without the ordinary ones."""
    return [c for name in HELD_OUT for c in people(name, rows, name, everything=False)]


def main() -> int:
    """Print, write, and say by the exit code whether the figures are what they must be."""
    mine, others = known(ROWS), held_out(ROWS)
    by_hand = list(written(ROWS))
    first, second, third = measure(mine), measure(others), measure(by_hand)
    summary = _summary(
        ("languages in view, and ordinary columns", len(mine), first),
        ("held-out languages", len(others), second),
        ("written by hand afterwards, people's and ordinary", len(by_hand), third),
    )
    lines = [*summary, "", *_tags(first, second)]
    text = "\n".join(lines)
    print(text)
    print(
        "\n".join(
            ("", "what went wrong:", *(m for s in (first, second, third) for m in s.mistakes))
        )
    )
    seconds = speed()
    print(f"\n{SPEED_COLUMNS:,} columns of {SPEED_ROWS:,} cells: {seconds:.1f} s of one core")
    _write(text)
    good = all(
        s.total.precision >= LEAST_PRECISION and s.total.recall >= LEAST_RECALL
        for s in (first, second, third)
    )
    return 0 if good else 1


def speed() -> float:
    """Seconds of one core for a thousand columns of a thousand cells."""
    columns = [sample_of(c) for c in known(SPEED_ROWS)[:SPEED_COLUMNS]]
    classify(columns[:1], BUILTIN_RULES)
    begun = time.process_time()
    classify(columns, BUILTIN_RULES)
    return (time.process_time() - begun) * SPEED_COLUMNS / len(columns)


def _summary(*measured: tuple[str, int, Scores]) -> Iterable[str]:
    yield "| columns | how many | precision | recall |"
    yield "| --- | --: | --: | --: |"
    for what, many, scores in measured:
        total = scores.total
        yield f"| {what} | {many:,} | {total.precision:.4f} | {total.recall:.4f} |"


def _tags(first: Scores, second: Scores) -> Iterable[str]:
    yield "| tag | means | precision | recall | held out: precision | recall |"
    yield "| --- | --- | --: | --: | --: | --: |"
    for tag, meaning in sorted(BUILTIN_TAGS):
        cells = (cell for scores in (first, second) for cell in _cells(scores, str(tag)))
        yield f"| `{tag}` | {meaning} | {' | '.join(cells)} |"


def _cells(scores: Scores, tag: str) -> tuple[str, str]:
    if tag not in scores.tags:
        return "-", "-"
    return f"{scores.tags[tag].precision:.3f}", f"{scores.tags[tag].recall:.3f}"


def _write(text: str) -> None:
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


if __name__ == "__main__":
    sys.exit(main())
