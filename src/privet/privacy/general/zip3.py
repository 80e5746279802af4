"""`phi_zip3`: the first three digits of a ZIP code, as HIPAA Safe Harbor allows them.

45 CFR 164.514(b)(2)(i)(B): the three digits may stand if the area of all ZIP codes that begin with
them has more than 20,000 people by the current data of the Bureau of the Census; else they are 000.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from privet.model.transforms import is_text
from privet.privacy.base import Flags, Kernel
from privet.privacy.columns import (
    Cells,
    fixed_cells,
    present_of,
    read_text,
    write_integers,
    write_text,
)
from privet.privacy.tokens.aes import Bytes

RESTRICTED = {
    "Census 2000, as listed in the HHS guidance on de-identification of 2012-11-26": (
        "036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893"
    ),
    "Census 2010, by ZIP code tabulation area": (
        "036 059 102 202 203 204 205 369 556 692 753 772 821 823 878 879 884 893"
    ),
}
"""Areas of 20,000 people or fewer, by the data they come from. What one of them says, counts."""
_SHOWN = 3
_SPACE = ord(" ")
_ZERO, _NINE, _DASH = ord("0"), ord("9"), ord("-")
_LENGTHS = (5, 9, 10)
_PLUS_FOUR = 100_000


def _restricted() -> Flags:
    table = np.zeros(1000, bool)
    for areas in RESTRICTED.values():
        table[[int(area) for area in areas.split()]] = True
    table[0] = True
    return table


_IS_RESTRICTED = _restricted()


class Zip3(Kernel):
    """The first three digits of five, nine, or five and four behind a hyphen; all else is 000.

    Spaces around the code do not count. Integers are codes without the zeros in front.
    """

    def _apply(self, column: pa.Array) -> pa.Array:
        present = present_of(column)
        if not is_text(self.kind):
            raw = column.drop_null().cast(pa.int64(), safe=False).to_numpy(zero_copy_only=False)
            return write_integers(self.kind, _areas(raw), present)
        areas = _areas_of(read_text(column))
        result = np.empty((len(areas), _SHOWN), np.uint8)
        for i, unit in enumerate((100, 10, 1)):
            result[:, i] = areas // unit % 10 + _ZERO
        return write_text(self.kind, fixed_cells(result), present)


def _areas(codes: np.typing.NDArray[np.int64]) -> np.typing.NDArray[np.int64]:
    short = np.where(codes >= _PLUS_FOUR, codes // 10_000, codes)
    valid = (codes >= 0) & (codes < _PLUS_FOUR * 10_000)
    areas = np.where(valid, short, 0) // 100
    return np.where(_IS_RESTRICTED[areas], 0, areas)


def _areas_of(cells: Cells) -> np.typing.NDArray[np.int64]:
    """The area of each code; zero for what is none, or may not be said."""
    blank = np.concatenate((np.zeros(1, np.int64), np.cumsum(cells.data != _SPACE)))
    filled = np.flatnonzero(cells.data != _SPACE)
    before, after = blank[cells.starts], blank[cells.offsets[1:]]
    some = np.flatnonzero(after > before)
    first, last = filled[before[some]], filled[after[some] - 1]
    areas = np.zeros(len(cells), np.int64)
    for length in _LENGTHS:
        rows = last - first + 1 == length
        codes = cells.data[first[rows][:, None] + np.arange(length)]
        areas[some[rows]] = np.where(_is_code(codes), _read(codes), 0)
    return np.where(_IS_RESTRICTED[areas], 0, areas)


def _is_code(codes: Bytes) -> Flags:
    digits = (codes >= _ZERO) & (codes <= _NINE)
    if codes.shape[1] == _LENGTHS[-1]:
        digits[:, _LENGTHS[0]] = codes[:, _LENGTHS[0]] == _DASH
    every: Flags = np.logical_and.reduce(digits, axis=1)
    return every


def _read(codes: Bytes) -> np.typing.NDArray[np.int64]:
    """The first three digits; of what is no code, something that is not used."""
    digits = (codes[:, :_SHOWN].astype(np.int64) - _ZERO) % 10
    return digits @ np.array([100, 10, 1])
