"""Why a tag was proposed."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

_Z = 1.959963984540054
"""Standard deviations around the middle of 95 % of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a tag was proposed. Never holds a cell value.

    Attributes:
        rule: by its name.
        target: what matched: `column_name`, `column_comment` or `cell_content`.
        sampled: how many non-empty cells were looked at; zero for names and comments alone.
        matched: how many of them are what the rule looks for or, for a name, what it promises.
        detail: where, inside a column.
        examples: commonest formats of the matching cells: letters are `a`, digits `9`.
    """

    rule: str
    target: str
    sampled: int = 0
    matched: int = 0
    detail: str = ""
    examples: tuple[str, ...] = ()

    @property
    def interval(self) -> tuple[float, float] | None:
        """Between which shares of all cells match, with a confidence of 95 % (Wilson's interval).

        None where no cells were looked at.
        """
        if not self.sampled:
            return None
        n, share, z2 = self.sampled, self.matched / self.sampled, _Z * _Z
        middle = (share + z2 / (2 * n)) / (1 + z2 / n)
        spread = _Z * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        return max(0.0, middle - spread), min(1.0, middle + spread)
