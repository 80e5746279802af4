"""Opaque tokens: 128 bits of a keyed pseudo-random function, in hexadecimal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from privet.privacy.base import Derive, Kernel, KeyScope, frame
from privet.privacy.columns import Cells, fixed_cells, present_of, read_text, write_text
from privet.privacy.tokens.aes import BLOCK, BlockCipher, Bytes, scratch

_ROWS = 4096
"""What a part of that many rows needs stays in the second-level cache, also beside other work."""
_LENGTH_BYTES = 4
_BLOCK_BITS = 4
_LONG_VALUE = 65536
_MOST_BLOCKS = (_LONG_VALUE + _LENGTH_BYTES + BLOCK - 1) // BLOCK + 1
"""One more than a value has that is not long."""
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
        """Tokens part by part, and where each part begins; the next one may overwrite it."""
        length = cells.uniform_length
        if 0 <= length <= BLOCK - _LENGTH_BYTES:
            yield from self._one_block(cells, length)
            return
        for at in range(0, len(cells), _ROWS):
            bounds = cells.offsets[at : at + _ROWS + 1]
            part = Cells(cells.data[bounds[0] : bounds[-1]], bounds - bounds[0])
            yield at, self._many_blocks(part)

    def _one_block(self, cells: Cells, length: int) -> Iterator[tuple[int, Bytes]]:
        rows = min(len(cells), _ROWS)
        values = cells.data.reshape(len(cells), length)
        blocks, out = np.zeros((rows, BLOCK), np.uint8), scratch(rows)
        blocks[:, _LENGTH_BYTES - 1] = length
        for at in range(0, len(cells), _ROWS):
            part = values[at : at + _ROWS]
            blocks[: len(part), _LENGTH_BYTES : _LENGTH_BYTES + length] = part
            yield at, self._cipher.encrypt(blocks[: len(part)], out)

    def _many_blocks(self, cells: Cells) -> Bytes:
        """Values of any lengths, block by block, the longest first.

        The rows that still have a block are then always the first ones.
        """
        data, starts, lengths = cells.data, cells.starts, cells.lengths
        state = np.zeros((len(starts), BLOCK), np.uint8)
        needed = (lengths + (_LENGTH_BYTES + BLOCK - 1)) >> _BLOCK_BITS
        if needed.max() == 1:
            self._fold_short(data, starts, lengths, state)
            return state
        # Sixteen bits are sorted by counting. Long values come first, in whatever order.
        key = _MOST_BLOCKS - np.minimum(needed, _MOST_BLOCKS)
        order = np.argsort(key.astype(np.uint16), kind="stable")
        long = int(np.count_nonzero(lengths > _LONG_VALUE))
        for row, which in enumerate(order[:long].tolist()):
            value = data[starts[which] : starts[which] + lengths[which]].tobytes()
            message = frame(value)
            message += bytes(-len(message) % BLOCK)
            state[row] = np.frombuffer(self._cipher.fold_one(message), np.uint8)
        short = order[long:]
        self._fold_short(data, starts[short], lengths[short], state[long:])
        result = np.empty_like(state)
        result.view(_WHOLE)[order] = state.view(_WHOLE)
        return result

    def _fold_short(
        self, data: Bytes, starts: NDArray[np.int64], lengths: NDArray[np.int64], state: Bytes
    ) -> None:
        """Fold values, given with the longest first, into `state`."""
        framed = lengths + _LENGTH_BYTES
        windows = _windows(data)
        for at in range(0, int(framed[0]) if len(framed) else 0, BLOCK):
            active = int(np.count_nonzero(framed > at))
            blocks = windows[starts[:active] + at].view(np.uint8).reshape(-1, BLOCK)
            kept = _KEPT[np.minimum(framed[:active] - at, BLOCK)]
            blocks &= kept.view(np.uint8).reshape(-1, BLOCK)
            if at == 0:
                prefix = lengths.astype(">u4").view(np.uint8).reshape(-1, _LENGTH_BYTES)
                blocks[:, :_LENGTH_BYTES] = prefix
            blocks ^= state[:active]
            state[:active] = self._cipher.encrypt(blocks)


_WHOLE = np.dtype(f"V{BLOCK}")
"""A block as one item, which numpy moves at once."""
_KEPT = np.tril(np.full((BLOCK + 1, BLOCK), 255, np.uint8), -1).view(_WHOLE).reshape(-1)
"""By how many bytes are left: which bytes of a block are kept."""


def _windows(data: Bytes) -> NDArray[np.void]:
    """Every run of 16 bytes, beginning four bytes before the data, zeros around it."""
    padded = np.zeros(len(data) + _LENGTH_BYTES + BLOCK, np.uint8)
    padded[_LENGTH_BYTES : _LENGTH_BYTES + len(data)] = data
    return np.ndarray((len(padded) - BLOCK + 1,), _WHOLE, padded, strides=(1,))


def hexadecimal(values: Bytes, out: Bytes) -> None:
    """Write `(k, m)` bytes as `(k, 2 * m)` lower-case hexadecimal characters."""
    for at in range(0, len(values), _ROWS):
        _hexadecimal(values[at : at + _ROWS], out[at : at + _ROWS])


def _hexadecimal(values: Bytes, out: Bytes) -> None:
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
