"""Which space a type has."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.types as pat

from privet.model.errors import TypeMismatch
from privet.privacy.spaces.base import Ciphers, Permuting, Space
from privet.privacy.spaces.decimals import Decimals
from privet.privacy.spaces.numbers import days, floats, integers, moments, times
from privet.privacy.tokens.aes import Bytes


def space_of(kind: pa.DataType) -> Space:
    """The space of a type that is neither text nor bytes.

    Raises:
        TypeMismatch: it has none.
    """
    for fits, make in _SPACES:
        if fits(kind):
            return make(kind)
    raise TypeMismatch(f"there are no tokens of columns of type `{kind}`")


class Booleans(Space):
    """Only drawn by chance: two values are none to hide among."""

    def __init__(self, kind: pa.DataType) -> None:
        self._refusal = TypeMismatch(f"there are no tokens of columns of type `{kind}`")

    def under(self, ciphers: Ciphers) -> Permuting:
        """There is none.

        Raises:
            TypeMismatch: always.
        """
        del ciphers
        raise self._refusal

    def drawn(self, drawn: Bytes) -> pa.Array:
        """True or false."""
        return pa.array(drawn[:, 0] > 127)  # noqa: PLR2004 - half of what a byte holds

    def written(self, column: pa.Array) -> pa.Array:
        """There is none.

        Raises:
            TypeMismatch: always.
        """
        del column
        raise self._refusal


_SPACES = (
    (pat.is_boolean, Booleans),
    (pat.is_integer, integers),
    (pat.is_floating, floats),
    (pat.is_decimal, Decimals),
    (pat.is_date, days),
    (pat.is_time, times),
    (lambda kind: pat.is_timestamp(kind) or pat.is_duration(kind), moments),
)
