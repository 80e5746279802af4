"""One master key, many derived ones."""

from __future__ import annotations

from functools import lru_cache
from typing import NoReturn

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from privet.keys.base import MASTER_BYTES, KeyProvider
from privet.model.errors import InvalidRequest, KeyUnavailable

_CACHED_KEYS = 4096
_LABEL_LENGTH_BYTES = 4
_LONGEST_KEY = 255 * 32
"""What HKDF with SHA-256 can give, in bytes."""


class KeyRing:
    """Derives keys by labels. Cannot be printed, copied or pickled; holds derived keys only."""

    __slots__ = ("_cached", "_provider")

    def __init__(self, provider: KeyProvider) -> None:
        self._provider = provider
        self._cached = lru_cache(_CACHED_KEYS)(self._derive)

    def derive(self, *labels: str, length: int = 32) -> bytes:
        """The key of these labels, in order: HKDF-SHA256 of the master key, without salt.

        Each label enters as four bytes of length, big-endian, and its UTF-8, so that no two lists
        of labels run into the same bytes.

        Raises:
            KeyUnavailable: the provider has no master key.
            InvalidRequest: no labels, or a length that HKDF cannot give.
        """
        if not labels or not 1 <= length <= _LONGEST_KEY:
            raise InvalidRequest(f"no key of {length} bytes under {len(labels)} labels")
        return self._cached(labels, length)

    def _derive(self, labels: tuple[str, ...], length: int) -> bytes:
        master = self._provider.master()
        if len(master) != MASTER_BYTES:
            raise KeyUnavailable(f"the master key has {len(master)} bytes, not {MASTER_BYTES}")
        return HKDF(SHA256(), length, salt=None, info=_frame(labels)).derive(master)

    def __repr__(self) -> str:
        return "KeyRing(...)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key ring cannot be copied or pickled")


def _frame(labels: tuple[str, ...]) -> bytes:
    parts: list[bytes] = []
    for label in labels:
        text = label.encode()
        parts += [len(text).to_bytes(_LABEL_LENGTH_BYTES, "big"), text]
    return b"".join(parts)
