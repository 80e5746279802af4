"""What a kernel is, and which key it works under."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

import pyarrow as pa

from privet.model.datasets import CanonicalType
from privet.model.errors import InvalidRequest, TypeMismatch

Derive = Callable[..., bytes]
"""Gives the 32-byte key of some labels (`str`), always the same for the same labels."""

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
    value of the input; NULL stays NULL; no value makes it fail. A dictionary-encoded column is
    decoded first. May be called from several threads at once. Cannot be pickled or copied.
    """

    reversible = False

    def __init__(self, kind: pa.DataType) -> None:
        self.kind = kind
        self._lock = threading.Lock()
        self._overflowed = 0

    def __call__(self, column: pa.Array) -> pa.Array:
        """Transform a column of type `kind`.

        Raises:
            TypeMismatch: the column has another type.
        """
        return self._apply(self._plain(column))

    def invert(self, column: pa.Array) -> pa.Array:
        """Turn tokens back into values; NULL where a token holds no way back.

        Raises:
            InvalidRequest: the transform is not reversible.
            TypeMismatch: the column has another type.
        """
        if not self.reversible:
            raise InvalidRequest("the transform cannot be undone")
        return self._invert(self._plain(column))

    @property
    def overflowed(self) -> int:
        """How many cells took the overflow form so far, over all calls."""
        return self._overflowed

    def __reduce__(self) -> NoReturn:
        raise TypeError("a kernel cannot be copied or pickled")

    @abstractmethod
    def _apply(self, column: pa.Array) -> pa.Array: ...

    def _invert(self, column: pa.Array) -> pa.Array:
        raise NotImplementedError

    def _count(self, cells: int) -> None:
        if cells:
            with self._lock:
                self._overflowed += cells

    def _plain(self, column: pa.Array) -> pa.Array:
        if isinstance(column, pa.DictionaryArray) and not pa.types.is_dictionary(self.kind):
            column = column.dictionary_decode()
        if column.type != self.kind:
            raise TypeMismatch(f"a column of type `{column.type}` where `{self.kind}` was bound")
        return column


def frame(text: bytes) -> bytes:
    """Bytes behind their length, four bytes big-endian, so that no two lists run together."""
    return len(text).to_bytes(_LENGTH_BYTES, "big") + text
