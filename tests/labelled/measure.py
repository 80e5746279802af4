"""How many of the labelled columns get the tags they deserve, and no others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa

from labelled.people import Labelled
from privet.classifier import BUILTIN_RULES, ColumnSample, classify


@dataclass(slots=True)
class Score:
    """Of a tag, or of a group of columns."""

    found: int = 0
    missed: int = 0
    wrong: int = 0

    @property
    def precision(self) -> float:
        """The share of proposals that are right; 1 where there are none."""
        proposed = self.found + self.wrong
        return self.found / proposed if proposed else 1.0

    @property
    def recall(self) -> float:
        """The share of deserved tags that are proposed; 1 where there are none."""
        deserved = self.found + self.missed
        return self.found / deserved if deserved else 1.0


@dataclass(slots=True)
class Scores:
    """By tag and over all, and what went wrong in words."""

    total: Score = field(default_factory=Score)
    tags: defaultdict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    mistakes: list[str] = field(default_factory=list[str])


def sample_of(column: Labelled) -> ColumnSample:
    """A column as a crawl would hand it to the classifier."""
    kinds = {type(cell) for cell in column.cells if cell is not None}
    cells = (
        column.cells if len(kinds) == 1 else [None if c is None else str(c) for c in column.cells]
    )
    values = pa.array(cells)
    folded = "".join(c if c.isalnum() and c.isascii() else "_" for c in column.name.lower())
    return ColumnSample(folded, "", values.type, values, column.name)


def measure(columns: Iterable[Labelled]) -> Scores:
    """Score the built-in library on columns."""
    scores = Scores()
    for column in columns:
        proposed = {str(t.tag) for t in classify([sample_of(column)], BUILTIN_RULES)}
        for tag in proposed | column.tags:
            right, deserved = tag in proposed, tag in column.tags
            for score in (scores.total, scores.tags[tag]):
                score.found += right and deserved
                score.missed += deserved and not right
                score.wrong += right and not deserved
        if proposed != column.tags:
            example = next((str(c) for c in column.cells if c), "")
            scores.mistakes.append(
                f"{column.group} {column.name}: deserves {sorted(column.tags)}, gets"
                f" {sorted(proposed)}; such as {example[:40]!r}"
            )
    return scores
