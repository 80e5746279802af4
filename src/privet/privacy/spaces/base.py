"""What a space is: the values that the columns of one type hold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from privet.privacy.base import Flags
from privet.privacy.tokens.aes import BlockCipher, Bytes

DRAWN = 32
"""Bytes from which a value is drawn: enough that all are nearly as likely, up to 76 digits."""

Permuting = Callable[..., tuple[pa.Array, Flags]]
"""Takes a column without NULLs (and `inverse`); gives it permuted, and which rows became NULL."""


class Ciphers:
    """The ciphers of a permutation: for large spaces, and for those of at most a million values."""

    def __init__(self, large: bytes, small: bytes, tweak: bytes) -> None:
        """Take two keys, and the common part of the tweaks (see `KeyScope.tweak`)."""
        self.large = BlockCipher(large)
        self.small = BlockCipher(small)
        self.tweak = tweak


class Space(ABC):
    """The values of one type. Columns given and made have no NULLs where it is not said."""

    @abstractmethod
    def under(self, ciphers: Ciphers) -> Permuting:
        """The permutation of the values under keys; what lies outside becomes NULL."""

    @abstractmethod
    def drawn(self, drawn: Bytes) -> pa.Array:
        """Values from `(k, DRAWN)` bytes, as likely as each other where the bytes are."""

    @abstractmethod
    def written(self, column: pa.Array) -> pa.Array:
        """What a digest is made of: the integer that stands for each value, in decimal."""


def nowhere(rows: int) -> Flags:
    """That no row is outside."""
    return np.zeros(rows, bool)
