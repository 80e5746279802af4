"""The ten Feistel rounds of FF1 (NIST SP 800-38G) for a whole column at once.

A half of the numeral string is a list of *words*: runs of positions whose values stay below 2**32,
most significant first. Where each half is one word (up to nine digits), a round is a handful of
passes over 64-bit integers. Otherwise the numbers are long: the byte string NUM(B) is made from
the words limb by limb, and NUM(S) is cut into words by long division. Because the moduli of the
words multiply to the modulus of the half, what is left after the last word is exactly what
reduction by that modulus drops.

Where positions have different radices the same rounds run over mixed-radix numbers, each half with
its own modulus. That is not FF1 and is called FF1-style.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from privet.privacy.tokens.aes import BLOCK, BlockCipher, Bytes, Words, scratch

ROUNDS = 10
WORD_LIMIT = 2**32
_WORD_BITS = np.uint64(32)
_LOW = np.uint64(WORD_LIMIT - 1)
_BIG64 = np.dtype(">u8")
_BIG32 = np.dtype(">u4")

Modulus = np.uint64 | Words
"""The modulus of a word: one for all rows, or one per row."""
Number = list[Words]
"""A half of each row: its words, most significant first, each `(k,)`."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """The rounds for rows of one shape.

    `state` (`(1, 16)` or `(k, 16)`) is the CBC-MAC before the blocks that differ between rounds,
    with the constant bytes of the first of them already added. `width` is the length of NUM(B) in
    bytes, `b` in the standard.
    """

    cipher: BlockCipher
    state: Bytes
    width: int
    left: tuple[Modulus, ...]
    right: tuple[Modulus, ...]

    @property
    def narrow(self) -> bool:
        """Whether each half is one word."""
        return len(self.left) == len(self.right) == 1

    def run(self, left: Number, right: Number, *, inverse: bool = False) -> tuple[Number, Number]:
        """Encrypt, or decrypt, the halves of each row."""
        if not len(left[0]):
            return left, right
        if self.narrow:
            a, b = self._run_narrow(left[0], right[0], inverse=inverse)
            return [a], [b]
        moduli = (self.left, self.right)
        a, b = left, right
        for i in reversed(range(ROUNDS)) if inverse else range(ROUNDS):
            modulus, other = moduli[i % 2], moduli[1 - i % 2]
            source = a if inverse else b
            y = divide(self._round_words(i, source, other), modulus)
            if inverse:
                a, b = _subtract(b, y, modulus), a
            else:
                a, b = b, _add(a, y, modulus)
        return a, b

    def _run_narrow(self, a: Words, b: Words, *, inverse: bool) -> tuple[Words, Words]:
        rows = len(a)
        blocks = np.empty((rows, 2), _BIG64)
        out = scratch(rows)
        state = self.state.view(_BIG64).astype(np.uint64)
        blocks[:, 0] = state[:, 0]
        moduli = (self.left[0], self.right[0])
        for i in reversed(range(ROUNDS)) if inverse else range(ROUNDS):
            modulus = moduli[i % 2]
            # The last 8 bytes of the block hold the end of the constant part, [i] and NUM(B).
            constant = state[:, 1] ^ np.uint64(i << 8 * self.width)
            np.bitwise_xor(a if inverse else b, constant, out=blocks[:, 1])
            cut = self.cipher.encrypt(blocks.view(np.uint8), out).view(_BIG64)
            y = cut[:, 0].astype(np.uint64)
            y -= y // modulus * modulus
            # Unsigned wrap-around makes the wrong one of the two candidates huge.
            if inverse:
                c = b - y
                a, b = np.minimum(c, c + modulus), a
            else:
                c = a + y
                a, b = b, np.minimum(c, c - modulus)
        return a, b

    def _round_words(self, i: int, source: Number, moduli: Sequence[Modulus]) -> list[Words]:
        """S of the standard as 32-bit words, most significant first."""
        rows = len(source[0])
        blocks = np.zeros((rows, -(-(self.width + 1) // BLOCK) * BLOCK), np.uint8)
        words = blocks.view(_BIG32)
        limb_count = -(-self.width // 4)
        for j, limb in enumerate(limbs_of(source, moduli, limb_count), 1):
            words[:, -j] = limb
        blocks[:, -self.width - 1] = i
        blocks[:, :BLOCK] ^= self.state
        mac = self.cipher.fold(blocks)
        wanted = limb_count + 1
        result = list(mac.view(_BIG32).astype(np.uint64).T)
        for j in range(1, -(-wanted * 4 // BLOCK)):
            more = mac.copy()
            more.view(_BIG32)[:, -1] ^= np.uint32(j)
            result += list(self.cipher.encrypt(more).view(_BIG32).astype(np.uint64).T)
        return result[:wanted]


def prepare(cipher: BlockCipher, positions: int, radix: Bytes, width: int, tweak: Bytes) -> Bytes:
    """The state with which the rounds of each row begin: `(s, 16)`.

    Args:
        cipher: under the token key.
        positions: numerals in the string, `n` in the standard.
        radix: `(s, 3)`, big-endian; zero, which no radix is, for mixed radices.
        width: bytes of NUM(B), `b` in the standard.
        tweak: `(s, t)`.
    """
    rows, length = tweak.shape
    head = bytes([1, 2, 1, 0, 0, 0, 10, positions // 2 % 256])
    head += positions.to_bytes(4, "big") + length.to_bytes(4, "big")
    padding = (-length - width - 1) % BLOCK
    text = np.zeros((rows, BLOCK + length + padding + 1 + width), np.uint8)
    text[:, :BLOCK] = np.frombuffer(head, np.uint8)
    text[:, 3:6] = radix
    text[:, BLOCK : BLOCK + length] = tweak
    varying = text.shape[1] - -(-(width + 1) // BLOCK) * BLOCK
    return cipher.fold(text[:, :varying]) ^ text[:, varying : varying + BLOCK]


def limbs_of(number: Number, moduli: Sequence[Modulus], count: int) -> list[Words]:
    """The 32-bit limbs of a number, least significant first."""
    limbs: list[Words] = []
    for word, modulus in zip(number, moduli, strict=True):
        carry = word
        for j, limb in enumerate(limbs):
            total = limb * modulus + carry
            limbs[j] = total & _LOW
            carry = total >> _WORD_BITS
        if len(limbs) < count:
            limbs.append(carry)
    return limbs


def divide(limbs: list[Words], moduli: Sequence[Modulus]) -> Number:
    """A number (limbs most significant first) modulo the product of the moduli."""
    number: Number = []
    for modulus in reversed(moduli):
        rest = np.zeros_like(limbs[0])
        quotient: list[Words] = []
        for limb in limbs:
            total = rest << _WORD_BITS | limb
            share = total // modulus
            rest = total - share * modulus
            quotient.append(share)
        number.append(rest)
        limbs = quotient
    return number[::-1]


def _add(a: Number, b: Number, moduli: Sequence[Modulus]) -> Number:
    number: Number = []
    carry = np.zeros_like(a[0])
    for x, y, modulus in zip(a[::-1], b[::-1], moduli[::-1], strict=True):
        total = x + y + carry
        carry = (total >= modulus).astype(np.uint64)
        number.append(np.minimum(total, total - modulus))
    return number[::-1]


def _subtract(a: Number, b: Number, moduli: Sequence[Modulus]) -> Number:
    number: Number = []
    borrow = np.zeros_like(a[0])
    for x, y, modulus in zip(a[::-1], b[::-1], moduli[::-1], strict=True):
        taken = y + borrow
        borrow = (x < taken).astype(np.uint64)
        total = x - taken
        number.append(np.minimum(total, total + modulus))
    return number[::-1]
