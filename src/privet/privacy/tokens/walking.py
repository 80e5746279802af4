"""Cycle walking: a permutation of some values from one of more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privet.privacy.base import Flags

Values = NDArray[Any]


def walk(
    permute: Callable[[Values], Values], values: Values, excluded: Callable[[Values], Flags]
) -> Values:
    """Restrict a permutation to what is not excluded, by going on until it is left.

    Ends for every value that is not excluded itself: its cycle comes back to it.
    """
    result = permute(values)
    rows = np.flatnonzero(excluded(result))
    while len(rows):
        result[rows] = permute(result[rows])
        rows = rows[excluded(result[rows])]
    return result
