"""Tokens and digests of single values beside text, as docs/reference/transforms.md says, literally.

Written from that page alone; one value at a time. A value is the integer that its bits make as its
type stores it (unsigned for fractions and for types without sign), or bytes.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from struct import pack, unpack

import token_reference as reference
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from token_reference import bits_for, derive, frame

DAYS = 3_652_059
BEFORE_1970 = 719_162
UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
FRACTIONS = {
    "halffloat": (16, 0x7E00, "e"),
    "float": (32, 0x7FC00000, "f"),
    "double": (64, 0x7FF8000000000000, "d"),
}
KEPT_DIGITS = {16: 11, 32: 24, 64: 53}


@dataclass(frozen=True)
class Keys:
    """Derived for one scope; `family` is `fp` or `nfp`."""

    family: str
    labels: tuple[str, ...]

    @property
    def large(self) -> bytes:
        return derive("token", self.family, *self.labels)

    @property
    def small(self) -> bytes:
        return derive("token", f"{self.family}-small", *self.labels)

    @property
    def overflow(self) -> bytes:
        return derive("token", f"{self.family}-overflow", *self.labels)

    def tweak(self, name: str) -> bytes:
        domain, version = self.labels[:2]
        return frame(domain.encode()) + frame(version.encode()) + frame(name.encode())


@dataclass(frozen=True)
class Space:
    """A row of the table: `number` of a value and back, for those that it has."""

    name: str
    size: int
    first: int
    how: str
    halves: tuple[int, int, int] = (0, 0, 0)
    """`Mu`, `Mv` and `n`."""

    def has(self, value: int) -> bool:
        return 0 <= value - self.first < self.size


def spaces_of(kind: str) -> list[Space]:
    """The rows of a type that is neither a fraction nor a decimal."""
    if found := re.fullmatch(r"(u?)int(8|16)", kind):
        bits = int(found[2])
        return [Space(kind, 2**bits, 0 if found[1] else -(2 ** (bits - 1)), "table")]
    if kind == "uint32":
        return [Space(kind, 2**32, 0, "bits")]
    if kind == "uint64":
        return [Space("uint32", 2**32, 0, "bits"), Space("uint64", 2**64, 0, "bits")]
    if kind.startswith("date"):
        usual = Space("date", DAYS, -BEFORE_1970, "bits")
        return [usual, Space("date32", 2**32, -(2**31), "bits")]
    unit = re.search(r"\[(\w+)", kind)[1]  # type: ignore[index]
    if kind.startswith(("time32", "time64")):
        if unit == "s":
            return [Space("time[s]", 86_400, 0, "table")]
        halves = (86_400, UNITS[unit], 2)
        return [Space(f"time[{unit}]", 86_400 * UNITS[unit], 0, "halves", halves)]
    whole = "duration64" if kind.startswith("duration") else "timestamp64"
    every = Space(whole, 2**64, -(2**63), "bits")
    if whole == "duration64" or unit == "ns":
        return [every]
    day = 86_400 * UNITS[unit]
    halves = (DAYS, day, 3 if unit == "us" else 2)
    usual = Space(f"timestamp[{unit}]", DAYS * day, -BEFORE_1970 * day, "halves", halves)
    return [usual, every]


def permuted(space: Space, keys: Keys, number: int) -> int:
    tweak = keys.tweak(space.name)
    if space.how == "table":
        return table(keys.small, tweak, space.size)[number]
    if space.how == "halves":
        return by_halves(keys.large, tweak, number, *space.halves)
    bits = next(b for b in (22, 32, 64) if 2**b >= space.size)
    radices = {22: [2**11] * 2, 32: [2**16] * 2, 64: [2**16] * 4}[bits]
    digits = reference.ff1(keys.large, radices, tweak, reference.string(number, radices))
    return reference.num(digits, radices)


@lru_cache(maxsize=64)
def table(key: bytes, tweak: bytes, size: int) -> list[int]:
    state = reference.prf(key, tweak + bytes(-len(tweak) % 16))
    blocks = b"".join(reference.xor(state, x.to_bytes(16, "big")) for x in range(size))
    encrypted = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(blocks)
    order = sorted(range(size), key=lambda x: encrypted[16 * x : 16 * x + 16])
    places = [0] * size
    for place, x in enumerate(order):
        places[x] = place
    return places


def by_halves(key: bytes, tweak: bytes, number: int, mu: int, mv: int, n: int) -> int:
    """The ten rounds over two numbers, with radix field 0."""
    a, other = divmod(number, mv)
    u, t = n // 2, len(tweak)
    b = -(-bits_for(max(mu, mv)) // 8)
    d = 4 * -(-b // 4) + 4
    p = bytes([1, 2, 1, 0, 0, 0, 10, u % 256]) + n.to_bytes(4, "big") + t.to_bytes(4, "big")
    for i in range(10):
        q = tweak + bytes((-t - b - 1) % 16) + bytes([i]) + other.to_bytes(b, "big")
        r = reference.prf(key, p + q)
        s = r
        for j in range(1, -(-d // 16)):
            s += reference.aes(key, reference.xor(r, j.to_bytes(16, "big")))
        y = int.from_bytes(s[:d], "big")
        a, other = other, (a + y) % (mu if i % 2 == 0 else mv)
    return a * mv + other


def walked(permute: Callable[[int], int], number: int, stands: Callable[[int], bool]) -> int:
    number = permute(number)
    while not stands(number):
        number = permute(number)
    return number


def token(kind: str, keys: Keys, value: int) -> int | None:
    """The token of a value, or None for NULL."""
    if kind in FRACTIONS:
        return of_fraction(kind, keys, value)
    if found := re.fullmatch(r"decimal\d+\((\d+), (-?\d+)\)", kind):
        return of_decimal(int(found[1]), int(found[2]), keys, value)
    if kind == "date64[ms]":
        day = value // 86_400_000
        made = token("date32[day]", keys, day) if -(2**31) <= day < 2**31 else None
        return None if made is None else made * 86_400_000
    if value == -(2**63) and kind.startswith(("duration", "timestamp[ns")):
        return None
    rows = spaces_of(kind)
    for at, space in enumerate(rows):
        if not space.has(value):
            continue

        def stands(number: int, space: Space = space, at: int = at) -> bool:
            made = number + space.first
            if not space.has(made) or any(earlier.has(made) for earlier in rows[:at]):
                return False
            return not (len(rows) == 1 and space.size == 2**64 and made == -(2**63))

        number = walked(lambda x, s=space: permuted(s, keys, x), value - space.first, stands)
        return number + space.first
    return None


def is_nan(kind: str, bits: int) -> bool:
    size, _, code = FRACTIONS[kind]
    (number,) = unpack(f">{code}", bits.to_bytes(size // 8, "big"))
    return number != number  # noqa: PLR0124 - what makes a NaN


def canonical(kind: str, bits: int) -> int:
    size, nan, _ = FRACTIONS[kind]
    return nan if is_nan(kind, bits) else 0 if bits == 1 << (size - 1) else bits


def of_fraction(kind: str, keys: Keys, bits: int) -> int:
    size, nan, _ = FRACTIONS[kind]
    space = Space(f"float{size}", 2**size, 0, "table" if size == 16 else "bits")

    def stands(number: int) -> bool:
        return number != 1 << (size - 1) and (number == nan or not is_nan(kind, number))

    return walked(lambda x: permuted(space, keys, x), canonical(kind, bits), stands)


def of_decimal(p: int, scale: int, keys: Keys, value: int) -> int | None:
    name = f"decimal({p},{scale})"
    most = 10**p - 1
    if abs(value) > most:
        return None
    if p <= 5:
        space = Space(name, 2 * 10**p - 1, 0, "table")
        return permuted(space, keys, value + most) - most
    w = (p + 1) // 2 - 1
    mu, mv = 2 * 10**w, 10 ** (p - w)
    n = -(-w // 9) + -(-(p - w) // 9)
    sign = 10**p
    number = walked(
        lambda x: by_halves(keys.large, keys.tweak(name), x, mu, mv, n),
        abs(value) + (sign if value < 0 else 0),
        lambda x: x != sign,
    )
    return number if number < sign else -(number - sign)


def of_bytes(keys: Keys, value: bytes, *, fixed: bool, opaque: bool) -> bytes | None:
    if opaque and not fixed:
        return bytes.fromhex(reference.opaque(keys.large, value))
    if 3 <= len(value) <= 256:
        return bytes(reference.ff1(keys.large, [256] * len(value), keys.tweak("bytes"), value))
    return None if fixed else bytes.fromhex(reference.opaque(keys.overflow, value))


# ---- digests


def digest_of_bytes(family: str, labels: Sequence[str], value: bytes) -> bytes:
    digest = hmac.digest(derive("token", family, *labels), value, "sha256")
    return digest[: 32 if family == "sha2" else 16]


def digest_of_value(family: str, labels: Sequence[str], kind: str, value: int) -> int:
    """Of types that are neither text, bytes, int32 nor int64."""
    if kind in FRACTIONS:
        value = canonical(kind, value)
    written = value // 86_400_000 if kind == "date64[ms]" else value
    digest = hmac.digest(derive("token", family, *labels), str(written).encode(), "sha256")
    x = int.from_bytes(digest[-8:], "big")
    if kind in FRACTIONS:
        size, _, code = FRACTIONS[kind]
        kept = KEPT_DIGITS[size]
        drawn = float(Fraction(x >> (64 - kept), 2**kept))
        return int.from_bytes(pack(f">{code}", drawn), "big")
    if found := re.fullmatch(r"decimal\d+\((\d+), -?\d+\)", kind):
        size = int.from_bytes(digest[1:29], "big") % 10 ** int(found[1])
        return -size if digest[0] > 127 else size
    first = spaces_of("date32[day]" if kind == "date64[ms]" else kind)[0]
    made = x % first.size + first.first
    if first.size == 2**64 and made == -(2**63):
        made += 1
    return made * 86_400_000 if kind == "date64[ms]" else made
