"""Opaque tokens: 128 bits of a keyed pseudo-random function, in hexadecimal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from privet.privacy.base import Derive, Kernel, KeyScope, frame
from privet.privacy.columns import Cells, fixed_cells, present_of, read_text, write_text
from privet.privacy.tokens.aes import BLOCK, BlockCipher, Bytes, scratch

_ROWS = 16384
_LENGTH_BYTES = 4
_LONG_VALUE = 65536
_NINE = np.uint8(9)


class OpaqueTokens:
    """AES-CBC-MAC of a value behind its length (four bytes, big-endian), padded with zeros.

    The length makes the messages prefix-free, on which CBC-MAC is a pseudo-random function.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = BlockCipher(key)

    def tokens(self, cells: Cells) -> Cells:
        """The token of every cell: 32 lower-case hexadecimal characters."""
        result = np.empty((len(cells), 2 * BLOCK), np.uint8)
        for at, mac in self._macs(cells):
            hexadecimal(mac, result[at : at + len(mac)])
        return fixed_cells(result)

    def bare(self, cells: Cells) -> Bytes:
        """The token of every cell as bytes: `(k, 16)`."""
        result = np.empty((len(cells), BLOCK), np.uint8)
        for at, mac in self._macs(cells):
            result[at : at + len(mac)] = mac
        return result

    def _macs(self, cells: Cells) -> Iterator[tuple[int, Bytes]]:
        length = cells.uniform_length
        one_block = 0 <= length <= BLOCK - _LENGTH_BYTES
        for at in range(0, len(cells), _ROWS):
            bounds = cells.offsets[at : at + _ROWS + 1]
            part = Cells(cells.data[bounds[0] : bounds[-1]], bounds - bounds[0])
            yield at, self._one_block(part, length) if one_block else self._many_blocks(part)

    def _one_block(self, cells: Cells, length: int) -> Bytes:
        blocks = np.zeros((len(cells), BLOCK), np.uint8)
        blocks[:, _LENGTH_BYTES - 1] = length
        blocks[:, _LENGTH_BYTES : _LENGTH_BYTES + length] = cells.data.reshape(len(cells), length)
        return self._cipher.encrypt(blocks, scratch(len(cells)))

    def _many_blocks(self, cells: Cells) -> Bytes:
        """Values of any lengths, block by block, the longest first.

        The rows that still have a block are then always the first ones.
        """
        data, starts, lengths = cells.data, cells.starts, cells.lengths
        needed = (lengths + _LENGTH_BYTES + BLOCK - 1) // BLOCK
        order = np.argsort(-needed, kind="stable")
        long = int(np.count_nonzero(lengths > _LONG_VALUE))
        state = np.zeros((len(starts), BLOCK), np.uint8)
        for row, which in enumerate(order[:long].tolist()):
            value = data[starts[which] : starts[which] + lengths[which]].tobytes()
            message = frame(value)
            message += bytes(-len(message) % BLOCK)
            state[row] = np.frombuffer(self._cipher.fold_one(message), np.uint8)
        short = order[long:]
        self._fold_short(data, starts[short], lengths[short], state[long:])
        result = np.empty_like(state)
        result[order] = state
        return result

    def _fold_short(
        self, data: Bytes, starts: NDArray[np.int64], lengths: NDArray[np.int64], state: Bytes
    ) -> None:
        """Fold values, given with the longest first, into `state`."""
        framed = lengths + _LENGTH_BYTES
        windows = _windows(data)
        for at in range(0, int(framed[0]) if len(framed) else 0, BLOCK):
            active = int(np.count_nonzero(framed > at))
            blocks = windows[starts[:active] + at]
            blocks &= _KEPT[np.minimum(framed[:active] - at, BLOCK)]
            if at == 0:
                prefix = lengths.astype(">u4").view(np.uint8).reshape(-1, _LENGTH_BYTES)
                blocks[:, :_LENGTH_BYTES] = prefix
            blocks ^= state[:active]
            state[:active] = self._cipher.encrypt(blocks)


_KEPT = np.tril(np.full((BLOCK + 1, BLOCK), 255, np.uint8), -1)
"""By how many bytes are left: which bytes of a block are kept."""


def _windows(data: Bytes) -> Bytes:
    """Every run of 16 bytes, beginning four bytes before the data, zeros around it."""
    padded = np.zeros(len(data) + _LENGTH_BYTES + BLOCK, np.uint8)
    padded[_LENGTH_BYTES : _LENGTH_BYTES + len(data)] = data
    return np.lib.stride_tricks.sliding_window_view(padded, BLOCK)


def hexadecimal(values: Bytes, out: Bytes) -> None:
    """Write `(k, m)` bytes as `(k, 2 * m)` lower-case hexadecimal characters."""
    pairs = values.astype("<u2")
    low = pairs & 15
    low <<= 8
    pairs >>= 4
    pairs |= low
    digits = pairs.view(np.uint8)
    # From `9` to `a` there are 39 other characters.
    gap = (digits > _NINE).view(np.uint8) * np.uint8(39)
    gap += np.uint8(ord("0"))
    np.add(digits, gap, out=out)


class OpaqueText(Kernel):
    """`nfp_ref_tokenize` and `nfp_noref_tokenize` on text in a domain of text."""

    def __init__(self, kind: pa.DataType, scope: KeyScope, derive: Derive) -> None:
        super().__init__(kind)
        self._tokens = OpaqueTokens(scope.key(derive, "nfp"))

    def _apply(self, column: pa.Array) -> pa.Array:
        tokens = self._tokens.tokens(read_text(column))
        return write_text(self.kind, tokens, present_of(column))
