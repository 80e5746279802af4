"""FF1 of NIST SP 800-38G over Arrow columns of numeral strings."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from privet.model.transforms import is_text
from privet.privacy.columns import Cells, present_of, read_text, scatter, translate, write_text
from privet.privacy.tokens.aes import BlockCipher, Bytes
from privet.privacy.tokens.numerals import Layout, one_layout

_ALPHABET = b"0123456789abcdefghijklmnopqrstuvwxyz"
_OUTSIDE = 255
SMALLEST_DOMAIN = 1_000_000
"""Fewer strings than this can be tried out one by one (SP 800-38G Rev. 1)."""


class FF1:
    """Format-preserving encryption of strings over `0-9a-z`, cut to the radix.

    Usable from several threads at once; strings of any lengths may stand in one column.
    """

    def __init__(self, key: bytes, radix: int, tweak: bytes) -> None:
        """Take a key of 16, 24 or 32 bytes, a radix of 2 to 36 and a tweak, which may be empty.

        Raises:
            ValueError: the key has another length, or the radix is out of range.
        """
        if not 2 <= radix <= len(_ALPHABET):  # noqa: PLR2004 - there is no numeral system of one
            raise ValueError(f"radix {radix} is not between 2 and {len(_ALPHABET)}")
        self._cipher = BlockCipher(key)
        self._radix = radix
        self._tweak = tweak
        self._letters = np.frombuffer(_ALPHABET, np.uint8)
        self._digits = np.full(256, _OUTSIDE, np.uint8)
        self._digits[self._letters[:radix]] = np.arange(radix, dtype=np.uint8)

    def encrypt(self, column: pa.StringArray) -> pa.StringArray:
        """Encrypt every string; NULL stays NULL.

        Raises:
            ValueError: a character outside the alphabet, a string of fewer than 1,000,000
                possibilities, or a column that is not text.
        """
        return self._run(column, inverse=False)

    def decrypt(self, column: pa.StringArray) -> pa.StringArray:
        """Undo `encrypt`.

        Raises:
            ValueError: as for `encrypt`.
        """
        return self._run(column, inverse=True)

    def _run(
        self, column: pa.StringArray, *, inverse: bool, smallest: int = SMALLEST_DOMAIN
    ) -> pa.StringArray:
        if not is_text(column.type):
            raise ValueError(f"a column of text is needed, not of `{column.type}`")
        cells = read_text(column)
        digits = Cells(translate(self._digits, cells.data), cells.offsets)
        if (digits.data == _OUTSIDE).any():
            raise ValueError(
                f"a string has a character outside the alphabet of radix {self._radix}"
            )
        lengths = cells.lengths
        result = np.empty_like(digits.data)
        for length in np.unique(lengths).tolist():
            if self._radix**length < smallest:
                raise ValueError(
                    f"a string of length {length} has fewer than {smallest} possibilities"
                )
            rows = np.flatnonzero(lengths == length)
            layout = self._layout(length)
            for at in range(0, len(rows), layout.rows):
                self._permute(layout, digits, rows[at : at + layout.rows], result, inverse=inverse)
        return write_text(column.type, Cells(result, cells.offsets), present_of(column))

    def _layout(self, length: int) -> Layout:
        return one_layout(self._cipher, range(length), [self._radix] * length, self._tweak)

    def _permute(
        self,
        layout: Layout,
        digits: Cells,
        rows: np.typing.NDArray[np.int64],
        result: Bytes,
        *,
        inverse: bool,
    ) -> None:
        length = int(digits.lengths[rows[0]])
        permuted = layout.permute(digits.rows(length, rows), inverse=inverse)
        scatter(result, digits.starts[rows], self._letters.take(permuted))
