"""The keys that sign and check tokens: a JWKS file that only its owner can read."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey, RSAKey
from joserfc.util import base64_to_int

from privet.identity.key_file import KeyFile, Stamp
from privet.identity.tokens import LEEWAY, LONGEST_LIFETIME, TokenKey
from privet.model.errors import KeyUnavailable

_LEAST_RSA_BITS = 2048
_PRIVATE_MEMBERS = {"OKP": ("d",), "RSA": ("d", "p", "q", "dp", "dq", "qi")}
_PUBLIC_MEMBERS = {"OKP": ("crv", "x"), "RSA": ("n", "e")}


def utc_now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _StoredKey:
    """A key of the file. Only one that is not retired keeps its private part."""

    token_key: TokenKey
    retired_at: datetime | None = None

    @property
    def signs(self) -> bool:
        return self.token_key.key.is_private and self.retired_at is None

    def to_jwk(self, *, private: bool) -> dict[str, Any]:
        jwk: dict[str, Any] = dict(self.token_key.key.as_dict(private=private and self.signs))
        jwk |= {"kid": self.token_key.kid, "alg": self.token_key.algorithms[0], "use": "sig"}
        if self.retired_at is not None:
            jwk["retired_at"] = int(self.retired_at.timestamp())
        return jwk


@dataclass(frozen=True, slots=True)
class _KeySet:
    """What the file held at `stamp`."""

    keys: tuple[_StoredKey, ...]
    by_kid: dict[str, TokenKey]
    stamp: Stamp


class SigningKeys:
    """The key set in one file: the last private key signs, all others only verify.

    A rotation, by this process or another, is seen at the next use. Ed25519 is what `create` and
    `rotate` make; RSA keys (2048 bits or more) put into the file verify RS256. Thread-safe.
    """

    def __init__(self, path: Path, *, clock: Callable[[], datetime] = utc_now) -> None:
        """Open an existing file.

        Raises:
            KeyUnavailable: it is missing, readable by others, or not a usable key set.
        """
        self._file = KeyFile(path)
        self._clock = clock
        self._lock = threading.Lock()
        self._loaded = _load(self._file)

    @classmethod
    def create(cls, path: Path, *, clock: Callable[[], datetime] = utc_now) -> Self:
        """Make a file with one new Ed25519 key, complete and on disk before it has its name.

        Raises:
            KeyUnavailable: the file exists already, or cannot be written.
        """
        if not KeyFile(path).write(_dump((_generate(),)), replace=False):
            raise KeyUnavailable(f"signing keys `{path}` exist already", hint="open or rotate them")
        return cls(path, clock=clock)

    @classmethod
    def ensure(cls, path: Path, *, clock: Callable[[], datetime] = utc_now) -> Self:
        """Open the file, making it first if there is none; several processes may do so at once.

        Raises:
            KeyUnavailable: as the constructor and `create`.
        """
        if not Path(path).exists():
            KeyFile(path).write(_dump((_generate(),)), replace=False)
        return cls(path, clock=clock)

    def __repr__(self) -> str:
        return f"SigningKeys({str(self._file.path)!r})"

    def current(self) -> TokenKey:
        """The key to sign with.

        Raises:
            KeyUnavailable: the file cannot be used, or holds no private key.
        """
        for stored in reversed(self._key_set().keys):
            if stored.signs:
                return stored.token_key
        raise KeyUnavailable(
            f"signing keys `{self._file.path}` hold no private key", hint="rotate the signing keys"
        )

    def find(self, kid: str) -> TokenKey | None:
        """The key of that id, whether it still signs or only verifies.

        Raises:
            KeyUnavailable: the file cannot be used.
        """
        return self._key_set().by_kid.get(kid)

    def public_jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The set to publish: public parts only.

        Raises:
            KeyUnavailable: the file cannot be used.
        """
        return {"keys": [stored.to_jwk(private=False) for stored in self._key_set().keys]}

    def rotate(self, *, keep_retired: bool = True) -> str:
        """Sign with a new key from now on.

        Older keys lose their private part and verify until the last token that they can have
        signed has expired. With `keep_retired=False` they go at once, and their tokens with them:
        that is for a stolen key. Keys that were put into the file as public ones stay.

        Returns:
            The id of the new key.

        Raises:
            KeyUnavailable: the file cannot be used or written.
        """
        new = _generate()
        with self._file.exclusive():
            kept = self._retire(_load(self._file).keys, keep_retired=keep_retired)
            self._file.write(_dump((*kept, new)), replace=True)
        return new.token_key.kid

    def _retire(self, keys: tuple[_StoredKey, ...], *, keep_retired: bool) -> Iterator[_StoredKey]:
        now = self._clock()
        for stored in keys:
            if stored.retired_at is None and not stored.signs:
                yield stored
                continue
            retired_at = stored.retired_at or now
            if keep_retired and now - retired_at <= LONGEST_LIFETIME + LEEWAY:
                yield _StoredKey(stored.token_key, retired_at)

    def _key_set(self) -> _KeySet:
        """The set as the file has it now."""
        with self._lock:
            if self._file.stamp() != self._loaded.stamp:
                self._loaded = _load(self._file)
            return self._loaded


def _generate() -> _StoredKey:
    key = OKPKey.generate_key("Ed25519")
    return _StoredKey(TokenKey(key.thumbprint(), key))


def _dump(keys: tuple[_StoredKey, ...]) -> str:
    return json.dumps({"keys": [stored.to_jwk(private=True) for stored in keys]}) + "\n"


def _load(file: KeyFile) -> _KeySet:
    text, stamp = file.read()
    try:
        keys = tuple(_import(entry) for entry in json.loads(text)["keys"])
        by_kid = {stored.token_key.kid: stored.token_key for stored in keys}
    except (JoseError, ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as why:
        raise KeyUnavailable(
            f"signing keys `{file.path}` are not a set of Ed25519 and RSA keys",
            hint="restore the file from a copy, or move it away and make a new one",
        ) from why
    if len(by_kid) != len(keys):
        raise KeyUnavailable(
            f"signing keys `{file.path}` hold one key id twice", hint="remove the wrong one"
        )
    return _KeySet(keys, by_kid, stamp)


def _import(entry: dict[str, Any]) -> _StoredKey:
    """Only the members that make the key: what else a JWK says must not steer the library.

    Raises:
        ValueError, LookupError, TypeError, ArithmeticError, JoseError: not a key that we use.
    """
    kind, retired_at = entry["kty"], entry.get("retired_at")
    names = ("kty", *_PUBLIC_MEMBERS[kind])
    if retired_at is None:
        names += tuple(name for name in _PRIVATE_MEMBERS[kind] if name in entry)
    if entry.get("use", "sig") != "sig":
        raise ValueError("not a key for signatures")
    members = {name: entry[name] for name in names}
    key = _import_members(kind, members)
    # The library would believe a public part that does not belong to the private one.
    public = type(key).import_key(key.as_pem()).as_dict()
    if any(public[name] != members[name] for name in _PUBLIC_MEMBERS[kind]):
        raise ValueError("public and private part do not belong together")
    kid = entry.get("kid") or key.thumbprint()
    if not isinstance(kid, str):
        raise TypeError("not a key id")
    retired = None if retired_at is None else datetime.fromtimestamp(retired_at, UTC)
    return _StoredKey(TokenKey(kid, key), retired)


def _import_members(kind: str, members: dict[str, Any]) -> OKPKey | RSAKey:
    if kind == "RSA":
        if base64_to_int(members["n"]).bit_length() < _LEAST_RSA_BITS:
            raise ValueError("too short to be safe")
        return RSAKey.import_key(members)
    if members["crv"] != "Ed25519":
        raise ValueError("not a curve that we use")
    return OKPKey.import_key(members)
