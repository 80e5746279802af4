"""What a kernel is, and which key it works under."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from privet.model.datasets import CanonicalType
from privet.model.errors import InvalidRequest, TypeMismatch

Derive = Callable[..., bytes]
"""Gives the 32-byte key of some labels (`str`), always the same for the same labels."""
Chance = Callable[[int], bytes]
"""Gives so many random bytes, never the same again."""
Flags = NDArray[np.bool_]

_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class KeyScope:
    """Within what equal values have equal tokens.

    `dataset_id` is set when the tokens are the dataset's own: it is not admitted to the domain, or
    the transform is per dataset. `principal` (issuer, user) when they are the reader's own.
    """

    domain: str
    version: int
    canonical: CanonicalType
    dataset_id: str = ""
    principal: tuple[str, str] | None = None

    def key(self, derive: Derive, family: str) -> bytes:
        """The key of one family of tokens. Frozen: see docs/decisions/0008-tokens.md."""
        labels = ["token", family, self.domain, str(self.version)]
        if self.dataset_id:
            labels += ["dataset", self.dataset_id]
        if self.principal is not None:
            labels += ["principal", *self.principal]
        return derive(*labels)

    @property
    def tweak(self) -> bytes:
        """The part of a tweak that is the same for all formats: framed domain and version."""
        return frame(self.domain.encode()) + frame(str(self.version).encode())


class Kernel(ABC):
    """A transform bound to a column type and, if keyed, to a key.

    Calling it gives a column of the same length and of type `kind`, in new buffers that hold no
    value of the input; NULL stays NULL; no value makes it fail. Of a dictionary-encoded column each
    different value is transformed once, where there are few, and it leaves as plain values. May be
    called from several threads at once. Cannot be pickled or copied.
    """

    reversible = False
    fresh = False
    """Whether equal cells may differ after it."""

    def __init__(self, kind: pa.DataType) -> None:
        self.kind = kind
        self._lock = threading.Lock()
        self._overflowed = 0
        self._lost = 0

    def __call__(self, column: pa.Array) -> pa.Array:
        """Transform a column of type `kind`.

        Raises:
            TypeMismatch: the column has another type.
        """
        if isinstance(column, pa.DictionaryArray) and self._few(column):
            values, outside = self._transform(self._plain(column.dictionary))
            if outside is not None:
                codes = column.indices.drop_null().to_numpy(zero_copy_only=False)
                self._count(int(np.count_nonzero(outside[codes])))
            return pc.take(values, column.indices)
        result, outside = self._transform(self._plain(column))
        if outside is not None:
            self._count(int(np.count_nonzero(outside)))
        return result

    def invert(self, column: pa.Array) -> pa.Array:
        """Turn tokens back into values; NULL where a token holds no way back (see `lost`).

        Raises:
            InvalidRequest: the transform is not reversible.
            TypeMismatch: the column has another type.
        """
        if not self.reversible:
            raise InvalidRequest("the transform cannot be undone")
        plain = self._plain(column)
        result = self._invert(plain)
        with self._lock:
            self._lost += result.null_count - plain.null_count
        return result

    @property
    def lost(self) -> int:
        """How many tokens `invert` found no way back for so far: NULL was made of them."""
        return self._lost

    @property
    def overflowed(self) -> int:
        """How many cells took the overflow form so far, over all calls."""
        return self._overflowed

    def __reduce__(self) -> NoReturn:
        raise TypeError("a kernel cannot be copied or pickled")

    @abstractmethod
    def _apply(self, column: pa.Array) -> pa.Array: ...

    def _transform(self, column: pa.Array) -> tuple[pa.Array, Flags | None]:
        """The column transformed, and which of its rows took the overflow form, if any can."""
        return self._apply(column), None

    def _invert(self, column: pa.Array) -> pa.Array:
        raise NotImplementedError

    def _count(self, cells: int) -> None:
        if cells:
            with self._lock:
                self._overflowed += cells

    def _few(self, column: pa.DictionaryArray) -> bool:
        if self.fresh or pa.types.is_dictionary(self.kind) or column.dictionary.type != self.kind:
            return False
        return 2 * len(column.dictionary) <= len(column)

    def _plain(self, column: pa.Array) -> pa.Array:
        if isinstance(column, pa.DictionaryArray) and not pa.types.is_dictionary(self.kind):
            column = column.dictionary_decode()
        if column.type != self.kind:
            raise TypeMismatch(f"a column of type `{column.type}` where `{self.kind}` was bound")
        return column


def frame(text: bytes) -> bytes:
    """Bytes behind their length, four bytes big-endian, so that no two lists run together."""
    return len(text).to_bytes(_LENGTH_BYTES, "big") + text
