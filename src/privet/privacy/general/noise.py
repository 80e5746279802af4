"""`diff_privacy`: noise on each number, which many answers average out again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pat
from numpy.typing import NDArray

from privet.privacy.base import Chance, Kernel
from privet.privacy.columns import place, present_of
from privet.privacy.tokens.chance import Stream

_LARGEST_DECIMAL = 10**15
"""Doubles, in which noise is added, say whole numbers exactly up to here."""


class Noise(Kernel):
    """Laplace noise of a scale is added; what leaves the type becomes its end. No NaN."""

    fresh = True

    def __init__(self, kind: pa.DataType, chance: Chance, scale: float) -> None:
        super().__init__(kind)
        self._stream = Stream(chance)
        self._scale = scale

    def _apply(self, column: pa.Array) -> pa.Array:
        present, column = present_of(column), column.drop_null()
        doubles = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        changed = np.nan_to_num(doubles, nan=0.0) + self._noise(len(column))
        return place(self._typed(changed), present, np.ones(len(column), bool))

    def _noise(self, count: int) -> NDArray[np.float64]:
        words = self._stream.rows(count, 8).view(np.uint64).reshape(-1) >> np.uint64(11)
        # Between -0.5 and 0.5, neither included.
        even = (words.astype(np.float64) + 0.5) * 2.0**-53 - 0.5
        return -self._scale * np.sign(even) * np.log1p(-2 * np.abs(even))

    def _typed(self, values: NDArray[np.float64]) -> pa.Array:
        kind = self.kind
        if pat.is_decimal(kind):
            most = min(10.0**kind.precision, _LARGEST_DECIMAL) / 10.0**kind.scale
            step = 10.0**-kind.scale
            inside = values.clip(-most + step, most - step)
            return pa.array(inside).cast(kind, safe=False)
        stored = np.dtype(kind.to_pandas_dtype())
        if pat.is_integer(kind):
            values = _within(np.rint(values), np.iinfo(stored), stored)
        buffers = [None, pa.py_buffer(np.ascontiguousarray(values.astype(stored)))]
        return pa.Array.from_buffers(kind, len(values), buffers)


def _within(values: NDArray[np.float64], info: Any, stored: np.dtype[Any]) -> NDArray[Any]:
    """Whole numbers as integers of a type; doubles do not say the ends of 64 bits exactly."""
    top, bottom = values >= float(info.max), values <= float(info.min)
    middle = np.where(top | bottom, 0, values).astype(stored)
    return np.where(top, stored.type(info.max), np.where(bottom, stored.type(info.min), middle))
