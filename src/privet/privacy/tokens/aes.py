"""AES over whole arrays of blocks."""

from __future__ import annotations

import threading
from typing import NoReturn

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]

BLOCK = 16
_ZERO_BLOCK = bytes(BLOCK)


class BlockCipher:
    """The AES permutation under one key, and CBC-MAC on top of it.

    Cipher contexts are not re-entrant, so each thread has its own. Cannot be pickled or printed.
    """

    __slots__ = ("_algorithm", "_contexts")

    def __init__(self, key: bytes) -> None:
        self._algorithm = algorithms.AES(key)
        self._contexts = threading.local()

    def __repr__(self) -> str:
        return "BlockCipher(...)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a cipher cannot be copied or pickled")

    def encrypt(self, blocks: Bytes, out: Bytes | None = None) -> Bytes:
        """Encrypt each row of a contiguous `(k, 16)` array on its own.

        `out`, made by `scratch(k)`, is where the answer will lie; without it memory is taken.
        """
        context: CipherContext | None = getattr(self._contexts, "context", None)
        if context is None:
            # ECB is the bare permutation: every mode here is built from it, over columns.
            context = Cipher(self._algorithm, modes.ECB()).encryptor()  # noqa: S305
            self._contexts.context = context
        if out is None:
            out = scratch(len(blocks))
        written = context.update_into(blocks.data.cast("B"), out.data)
        return out[:written].reshape(-1, BLOCK)

    def fold(self, blocks: Bytes) -> Bytes:
        """CBC-MAC of each row of a `(k, 16 * m)` array, without padding: `(k, 16)`."""
        state = np.zeros((len(blocks), BLOCK), np.uint8)
        for at in range(0, blocks.shape[1], BLOCK):
            state = self.encrypt(state ^ blocks[:, at : at + BLOCK])
        return state

    def fold_one(self, message: bytes) -> bytes:
        """CBC-MAC of one long message of whole blocks."""
        context = Cipher(self._algorithm, modes.CBC(_ZERO_BLOCK)).encryptor()
        return context.update(message)[-BLOCK:]


def scratch(blocks: int) -> Bytes:
    """Memory for that many blocks of output; the library asks for one block more, less a byte."""
    return np.empty((blocks + 1) * BLOCK, np.uint8)
