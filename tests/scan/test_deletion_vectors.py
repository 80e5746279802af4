"""Deletion vectors, honest and hostile: their places, or an error that says so."""

from __future__ import annotations

import random
import struct
import zlib

import numpy as np
import pytest
from pyroaring import BitMap, BitMap64

from privet.model.errors import SourceInvalid
from privet.scan.lakes.vectors import check_rows, framed, places

MAGIC = b"\xd1\xd3\x39\x64"


def in_file(body: bytes) -> bytes:
    """A vector as files hold it."""
    return struct.pack(">I", len(body)) + body + struct.pack(">I", zlib.crc32(body))


def vector(*found: int) -> bytes:
    """A magic number and a bitmap."""
    return MAGIC + BitMap64(found).serialize()


def keyed(key: int, small: BitMap) -> bytes:
    """One 32-bit bitmap under a key, which is the upper half of its places."""
    return MAGIC + struct.pack("<QI", 1, key) + small.serialize()


@pytest.mark.parametrize(
    "found",
    [[], [0], [0, 6, 7, 65_535, 65_536, 1 << 33], range(70_000), range(0, 130_000, 2)],
    ids=["none", "one", "far", "runs", "bits"],
)
def test_places(found: list[int]) -> None:
    """Come back ascending, whichever container holds them."""
    bitmap = BitMap64(found)
    bitmap.run_optimize()
    body = MAGIC + bitmap.serialize()
    assert places(body, len(found)).tolist() == list(found)
    assert framed(in_file(body), len(body), len(found)).tolist() == list(found)


def everything() -> BitMap:
    """All places there are below a key, in runs."""
    whole = BitMap()
    whole.add_range(0, 2**32 - 1)
    whole.run_optimize()
    return whole


def wrong_count() -> bytes:
    """Bits of a container that are more than it claims."""
    body = bytearray(vector(*range(0, 12_000, 2)))
    at = body.index(struct.pack("<HH", 0, 5_999))
    body[at + 2 : at + 4] = struct.pack("<H", 4_999)
    return bytes(body)


@pytest.mark.parametrize(
    ("body", "cardinality"),
    [
        (b"", 0),
        (MAGIC, 0),
        (b"\0\0\0\0" + vector(1)[4:], 1),
        (vector(1, 2), 1),
        (vector(1, 2) + b"\0", 2),
        (vector(1, 2)[:-1], 2),
        (MAGIC + struct.pack("<Q", 2**63) + vector(1)[12:], 1),
        (keyed(1_000_000, BitMap([1])), 1),
        (keyed(2**32 - 1, BitMap([1])), 1),
        (keyed(0, everything()), 2**32 - 1),
        (keyed(0, everything()), 1),
        (MAGIC + struct.pack("<Q", 2) + vector(1)[12:] * 2, 2),
        (wrong_count(), 5_000),
        (wrong_count(), 6_000),
    ],
)
def test_broken_and_hostile_vectors(body: bytes, cardinality: int) -> None:
    """Are errors of their own, whatever they claim."""
    with pytest.raises(SourceInvalid):
        places(body, cardinality)
    with pytest.raises(SourceInvalid):
        framed(in_file(body), len(body), cardinality)


def test_a_frame_that_does_not_fit() -> None:
    """Is an error: cut, longer, with another length, or with another checksum."""
    body = vector(1, 2)
    whole = in_file(body)
    for bad in (whole[:-1], whole + b"\0", b"\0" + whole[1:-1] + b"\0", b"\1" + whole[1:]):
        with pytest.raises(SourceInvalid):
            framed(bad, len(body), 2)
    for size in (-1, 0, len(body) - 1, len(body) + 1, 1 << 40):
        with pytest.raises(SourceInvalid):
            framed(whole, size, 2)


def test_random_damage() -> None:
    """Gives places that ascend, or the error; nothing else."""
    dice = random.Random(7)
    bitmap = BitMap64(dice.sample(range(1 << 34), 300))
    bitmap.add_range(70_000, 140_000)
    bitmap.run_optimize()
    whole = MAGIC + bitmap.serialize()
    refused = 0
    for _ in range(2_000):
        body = bytearray(whole)
        body[dice.randrange(12, len(body))] = dice.randrange(256)
        try:
            found = places(bytes(body), len(bitmap))
        except SourceInvalid:
            refused += 1
        else:
            assert (np.diff(found) > 0).all()
    assert refused > 0


def test_places_beyond_the_rows() -> None:
    """Are an error: they are not of this file."""
    check_rows(places(vector(1, 9), 2), 10)
    check_rows(places(vector(), 0), 0)
    with pytest.raises(SourceInvalid):
        check_rows(places(vector(1, 9), 2), 9)
