"""FF1: the samples of NIST, a literal reference, bijectivity, refusals, threads."""

import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest
from token_reference import ff1

from privet.privacy.tokens.aes import BlockCipher
from privet.privacy.tokens.ff1 import FF1
from privet.privacy.tokens.numerals import one_layout, row_layout, width_of

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
KEY128 = "2B7E151628AED2A6ABF7158809CF4F3C"
KEY192 = KEY128 + "EF4359D8D580AA4F"
KEY256 = KEY192 + "7F036D6F04FC6A94"
DECIMAL, LONG = "0123456789", "0123456789abcdefghi"
TWEAK10, TWEAK36 = "39383736353433323130", "3737373770717273373737"
SAMPLES = [
    (KEY128, 10, "", DECIMAL, "2433477484"),
    (KEY128, 10, TWEAK10, DECIMAL, "6124200773"),
    (KEY128, 36, TWEAK36, LONG, "a9tv40mll9kdu509eum"),
    (KEY192, 10, "", DECIMAL, "2830668132"),
    (KEY192, 10, TWEAK10, DECIMAL, "2496655549"),
    (KEY192, 36, TWEAK36, LONG, "xbj3kv35jrawxv32ysr"),
    (KEY256, 10, "", DECIMAL, "6657667009"),
    (KEY256, 10, TWEAK10, DECIMAL, "1001623463"),
    (KEY256, 36, TWEAK36, LONG, "xs8a0azh2avyalyzuwd"),
]


@pytest.mark.parametrize(("key", "radix", "tweak", "plain", "cipher"), SAMPLES)
def test_nist_samples(key: str, radix: int, tweak: str, plain: str, cipher: str) -> None:
    """All nine published samples of FF1 hold, both ways, NULLs kept in place."""
    permutation = FF1(bytes.fromhex(key), radix, bytes.fromhex(tweak))
    column = pa.array([plain, None, plain])
    encrypted = permutation.encrypt(column)
    assert encrypted.to_pylist() == [cipher, None, cipher]
    assert permutation.decrypt(encrypted).equals(column)


def shortest(radix: int) -> int:
    return next(n for n in range(2, 30) if radix**n >= 1_000_000)


def test_against_the_reference() -> None:
    """Any radix, length up to 120, tweak up to 40 bytes: equal to SP 800-38G read literally."""
    choose = random.Random(38)
    for radix in [*range(2, 37), 2, 10, 36]:
        key = choose.randbytes(choose.choice([16, 24, 32]))
        tweak = choose.randbytes(choose.randrange(41))
        longest = choose.choice([24, 48, 120])
        lengths = [choose.randrange(shortest(radix), longest + 1) for _ in range(6)]
        rows = [[choose.randrange(radix) for _ in range(n)] for n in [shortest(radix), *lengths]]
        column = pa.array(["".join(ALPHABET[d] for d in row) for row in rows])
        permutation = FF1(key, radix, tweak)
        encrypted = permutation.encrypt(column)
        expected = [
            "".join(ALPHABET[d] for d in ff1(key, [radix] * len(row), tweak, row)) for row in rows
        ]
        assert encrypted.to_pylist() == expected, (radix, tweak)
        assert permutation.decrypt(encrypted).equals(column), (radix, tweak)


@pytest.mark.parametrize("radix", [2, 10, 36])
def test_wide_halves(radix: int) -> None:
    """Halves beyond 64 bits, and beyond one AES block, carry and borrow as they must."""
    top, bottom = ALPHABET[radix - 1] * 300, "0" * 300
    column = pa.array([top, bottom, top[:299], bottom[:257] + "1"])
    permutation = FF1(bytes(16), radix, b"t")
    encrypted = permutation.encrypt(column)
    for text, token in zip(column.to_pylist(), encrypted.to_pylist(), strict=True):
        digits = [ALPHABET.index(c) for c in text]
        assert token == "".join(
            ALPHABET[d] for d in ff1(bytes(16), [radix] * len(text), b"t", digits)
        )
    assert permutation.decrypt(encrypted).equals(column)


@pytest.mark.parametrize(("radix", "length"), [(2, 9), (10, 3), (10, 4), (26, 2), (36, 2)])
def test_exhaustive_bijection(radix: int, length: int) -> None:
    """Over a whole small domain, encryption is a permutation, and decryption its inverse."""
    texts = [""]
    for _ in range(length):
        texts = [text + ALPHABET[d] for text in texts for d in range(radix)]
    permutation = FF1(bytes(32), radix, b"")
    column = pa.array(texts)
    encrypted = permutation._run(column, inverse=False, smallest=0)
    assert sorted(encrypted.to_pylist()) == sorted(texts)
    assert not encrypted.equals(column)
    assert permutation._run(encrypted, inverse=True, smallest=0).equals(column)


@pytest.mark.parametrize(
    "radices",
    [
        [10, 26],
        [26, 10],
        [26, 10, 10],
        [10, 26, 26],
        [10, 10, 26, 10],
        [26, 26, 10],
        [10, 26, 10, 10],
    ],
    ids=str,
)
def test_mixed_exhaustive_bijection(radices: list[int]) -> None:
    """The mixed-radix variant is a permutation of every small format, and as its reference says."""
    values = np.indices(radices).reshape(len(radices), -1).T.astype(np.uint8)
    cipher, n = BlockCipher(bytes(32)), len(radices)
    layout = one_layout(cipher, range(n), radices, b"tweak")
    tokens = layout.permute(np.ascontiguousarray(values))
    assert sorted(map(tuple, tokens.tolist())) == sorted(map(tuple, values.tolist()))
    assert (layout.permute(tokens, inverse=True) == values).all()
    for row in range(0, len(values), 37):
        assert ff1(bytes(32), radices, b"tweak", values[row].tolist()) == tokens[row].tolist()


def test_mixed_per_row_against_the_reference() -> None:
    """Rows with radices and tweaks of their own come out as each would alone."""
    choose = random.Random(5)
    for n in (5, 12, 31, 90, 256):
        radices = [[choose.choice([10, 26]) for _ in range(n)] for _ in range(6)]
        radices += [[10] * n, [26] * n]
        widths = [
            max(
                width_of(int(np.prod(r[: n // 2], dtype=object))),
                width_of(int(np.prod(r[n // 2 :], dtype=object))),
            )
            for r in radices
        ]
        for width in set(widths):
            rows = [r for r, w in zip(radices, widths, strict=True) if w == width]
            digits = [[choose.randrange(r) for r in row] for row in rows]
            tweaks = [choose.randbytes(21) for _ in rows]
            layout = row_layout(
                BlockCipher(bytes(32)),
                np.array(rows, np.uint32),
                width,
                np.frombuffer(b"".join(tweaks), np.uint8).reshape(len(rows), -1),
            )
            tokens = layout.permute(np.array(digits, np.uint8))
            expected = [ff1(bytes(32), *row) for row in zip(rows, tweaks, digits, strict=True)]
            assert tokens.tolist() == expected
            assert layout.permute(tokens, inverse=True).tolist() == digits


@pytest.mark.parametrize(
    ("radix", "text"),
    [
        (10, "12345a"),
        (10, "12345"),
        (10, ""),
        (36, "ABCDEF"),
        (2, "012" * 9),
        (10, "१२३४५६"),
        (26, "zzzzzz"),
    ],
)
def test_refuses_strings(radix: int, text: str) -> None:
    """Characters outside the alphabet and domains below a million are refused, both ways."""
    permutation = FF1(bytes(16), radix, b"")
    for run in (permutation.encrypt, permutation.decrypt):
        with pytest.raises(ValueError, match="a string"):
            run(pa.array([None, text]))


def test_refuses_parameters() -> None:
    """A key that is no AES key and a radix out of range are refused."""
    for key, radix in ((bytes(15), 10), (bytes(16), 1), (bytes(16), 37)):
        with pytest.raises(ValueError, match=r"radix|key"):
            FF1(key, radix, b"")
    with pytest.raises(ValueError, match="text"):
        FF1(bytes(16), 10, b"").encrypt(pa.array([1]))


def test_shapes_of_columns() -> None:
    """Slices, empty and all-NULL columns and large strings are as plain ones."""
    permutation = FF1(bytes(16), 10, b"")
    texts = [str(10**9 + i) if i % 3 else None for i in range(40000)]
    column = pa.array(texts)
    encrypted = permutation.encrypt(column)
    assert permutation.encrypt(column.slice(7, 20000)).equals(encrypted.slice(7, 20000))
    large = permutation.encrypt(column.cast(pa.large_string()))
    assert large.type == pa.large_string()
    assert large.cast(pa.string()).equals(encrypted)
    for empty in (pa.array([], pa.string()), pa.array([None, None], pa.string())):
        assert permutation.encrypt(empty).equals(empty)


def test_threads() -> None:
    """One object may be used from several threads at once."""
    permutation = FF1(bytes(16), 10, b"")
    column = pa.array([f"{i:010}" for i in range(50000)])
    expected = permutation.encrypt(column)
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(permutation.encrypt, [column] * 8):
            assert result.equals(expected)
