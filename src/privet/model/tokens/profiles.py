"""What a sample says about whether the values of a column can hide behind tokens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """Counts over the cells of a sample that are not NULL.

    Attributes:
        sampled: how many were looked at.
        small: how many of them are of a format with fewer than a million values, or have none: as
            text, they would take the overflow form.
    """

    sampled: int
    small: int

    @property
    def mostly_small(self) -> bool:
        """Whether more than half of the cells are of such formats."""
        return 2 * self.small > self.sampled
