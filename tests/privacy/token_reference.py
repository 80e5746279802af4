"""The tokens as their specification says, one value at a time, with Python's own integers.

Written from docs/reference/transforms.md and SP 800-38G without a look at the kernels: slow,
literal, and used by nothing but tests.
"""

import hashlib
import hmac
from collections.abc import Sequence
from math import prod

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

DIGITS = "0123456789"
LOWER = "abcdefghijklmnopqrstuvwxyz"
UPPER = LOWER.upper()
SEPARATORS = " -./@+(),'"
MASTER = bytes(range(32))


def derive(*labels: str, length: int = 32) -> bytes:
    """HKDF-SHA256 of `MASTER` without salt (RFC 5869), for one or two blocks of output."""
    info = b"".join(frame(label.encode()) for label in labels)
    secret = hmac.digest(bytes(32), MASTER, hashlib.sha256)
    output, block = b"", b""
    while len(output) < length:
        block = hmac.digest(secret, block + info + bytes([len(output) // 32 + 1]), hashlib.sha256)
        output += block
    return output[:length]


def frame(text: bytes) -> bytes:
    return len(text).to_bytes(4, "big") + text


def aes(key: bytes, block: bytes) -> bytes:
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)


def xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def prf(key: bytes, message: bytes) -> bytes:
    """Algorithm 6 of SP 800-38G."""
    y = bytes(16)
    for at in range(0, len(message), 16):
        y = aes(key, xor(y, message[at : at + 16]))
    return y


def num(digits: Sequence[int], radices: Sequence[int]) -> int:
    x = 0
    for digit, radix in zip(digits, radices, strict=True):
        x = x * radix + digit
    return x


def string(x: int, radices: Sequence[int]) -> list[int]:
    digits: list[int] = []
    for radix in reversed(radices):
        digits.append(x % radix)
        x //= radix
    return digits[::-1]


def bits_for(count: int) -> int:
    """The ceiling of the binary logarithm."""
    bits = 0
    while 2**bits < count:
        bits += 1
    return bits


def ff1(
    key: bytes,
    radices: Sequence[int],
    tweak: bytes,
    x: Sequence[int],
    *,
    inverse: bool = False,
) -> list[int]:
    """Algorithms 7 and 8 of SP 800-38G; where radices differ, the FF1-style of the project."""
    n, t = len(x), len(tweak)
    u = n // 2
    left, right = radices[:u], radices[u:]
    a, b_ = num(x[:u], left), num(x[u:], right)
    b = -(-bits_for(max(prod(left), prod(right))) // 8)
    d = 4 * -(-b // 4) + 4
    radix = radices[0] if len(set(radices)) == 1 else 0
    p = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256])
    p += n.to_bytes(4, "big") + t.to_bytes(4, "big")
    for i in range(9, -1, -1) if inverse else range(10):
        source = a if inverse else b_
        q = tweak + bytes((-t - b - 1) % 16) + bytes([i]) + source.to_bytes(b, "big")
        r = prf(key, p + q)
        s = r
        for j in range(1, -(-d // 16)):
            s += aes(key, xor(r, j.to_bytes(16, "big")))
        y = int.from_bytes(s[:d], "big")
        modulus = prod(left if i % 2 == 0 else right)
        if inverse:
            a, b_ = (b_ - y) % modulus, a
        else:
            a, b_ = b_, (a + y) % modulus
    return string(a, left) + string(b_, right)


def opaque(key: bytes, value: bytes) -> str:
    message = frame(value)
    return prf(key, message + bytes(-len(message) % 16)).hex()


def mask_of(text: str) -> str | None:
    """The format of a text, or None where it has none or one too small or long."""
    mask, radices = "", []
    for character in text:
        if character in DIGITS:
            mask, radices = mask + "d", [*radices, 10]
        elif character in LOWER:
            mask, radices = mask + "l", [*radices, 26]
        elif character in UPPER:
            mask, radices = mask + "u", [*radices, 26]
        elif character in SEPARATORS:
            mask += character
        else:
            return None
    return mask if len(radices) <= 256 and prod(radices) >= 1_000_000 else None


def tokenize_text(key: bytes, overflow: bytes, tweak: bytes, value: bytes) -> str:
    text = value.decode("utf-8", "replace")
    mask = mask_of(text)
    if mask is None:
        return opaque(overflow, value)
    alphabets = {"d": DIGITS, "l": LOWER, "u": UPPER}
    places = [i for i, m in enumerate(mask) if m in alphabets]
    used = [alphabets[mask[i]] for i in places]
    digits = [alphabet.index(text[i]) for i, alphabet in zip(places, used, strict=True)]
    token = list(text)
    permuted = ff1(key, [len(a) for a in used], tweak + frame(mask.encode()), digits)
    for i, alphabet, digit in zip(places, used, permuted, strict=True):
        token[i] = alphabet[digit]
    return "".join(token)


def tokenize_integer(key: bytes, tweak: bytes, value: int) -> int:
    def small(x: int) -> bool:
        return -(2**31) <= x < 2**31

    bits = 32 if small(value) else 64
    radices = [65536] * (bits // 16)
    full = tweak + frame(f"int{bits}".encode())
    while True:
        digits = string(value + 2 ** (bits - 1), radices)
        value = num(ff1(key, radices, full, digits), radices) - 2 ** (bits - 1)
        if bits == 32 or not small(value):
            return value


def tokenize_decimal(key: bytes, overflow: bytes, tweak: bytes, value: bytes) -> str:
    text = value.decode("utf-8", "replace")
    try:
        number = int(text)
    except ValueError:
        return opaque(overflow, value)
    if str(number) != text or not -(2**63) <= number < 2**63:
        return opaque(overflow, value)
    return str(tokenize_integer(key, tweak, number))
