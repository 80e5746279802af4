"""Generated datasets and policies: two tables that join, and somebody who sees a part of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

import pyarrow as pa

UTC = dt.UTC
TEXTS = (
    *("", " ", "abc", "ABC", "abd", "abc ", "a_b%c", "A\\b", "it's", "straße", "Éte", "日本", "😀"),
    *("e\u0301", "\u00e9", "x\ny", "1", "01", "-7", "nan", "NULL", "zz", "\U0010ffff", "\u007f"),
)
MRNS = (
    *("MRN-00012345", "MRN-00012346", "AB12-3456789", "mrn99887766", "12345678", "0012345678"),
    *("short", "é", "", "deadbeefdeadbeefdeadbeefdeadbeef", "MRN-99999999", "AA-1"),
)
WHOLE = {
    pa.int8(): (-128, -1, 0, 1, 7, 127),
    pa.int32(): (-(2**31), -1, 0, 1, 7, 18, 40, 2**31 - 1),
    pa.int64(): (-(2**63), -1, 0, 1, 7, 18, 40, 2**53 + 1, 2**63 - 1, 12345678),
    pa.uint64(): (0, 1, 7, 18, 2**63 - 1, 2**63, 2**64 - 1),
}
FLOATS = (0.0, -0.0, 0.5, -1.5, 7.0, 18.25, 1e10, float("nan"), float("inf"), float("-inf"))
PRICES = tuple(map(Decimal, ("0.00", "1.50", "-2.25", "7.00", "99999999.99")))
DAYS = tuple(dt.date(*d) for d in ((1969, 12, 31), (2024, 2, 29), (2024, 3, 1), (1, 1, 1)))
TIMES = tuple(
    dt.datetime(*t)  # noqa: DTZ001 - a column without a zone
    for t in ((1970, 1, 1), (2024, 2, 29, 12, 30), (2024, 3, 1, 0, 0, 0, 1))
)
POOLS: dict[str, tuple[pa.DataType, tuple[Any, ...]]] = {
    "tiny": (pa.int8(), WHOLE[pa.int8()]),
    "j": (pa.int32(), WHOLE[pa.int32()]),
    "i": (pa.int64(), WHOLE[pa.int64()]),
    "k": (pa.int64(), (1, 2, 3, 4, 5)),
    "huge": (pa.uint64(), WHOLE[pa.uint64()]),
    "f": (pa.float64(), FLOATS),
    "g": (pa.float32(), FLOATS[:6]),
    "price": (pa.decimal128(10, 2), PRICES),
    "mrn": (pa.string(), MRNS),
    "t": (pa.string(), TEXTS),
    "u": (pa.large_string(), TEXTS),
    "v": (pa.string_view(), TEXTS[:8]),
    "word": (pa.dictionary(pa.int32(), pa.string()), TEXTS[2:8]),
    "x": (pa.bool_(), (True, False)),
    "y": (pa.bool_(), (True, False)),
    "day": (pa.date32(), DAYS),
    "moment": (pa.timestamp("us"), TIMES),
    "zoned": (pa.timestamp("ms", tz="UTC"), tuple(t.replace(tzinfo=UTC) for t in TIMES[:2])),
    "raw": (pa.binary(), (b"", b"secret", b"\xff\x00")),
    "many": (pa.list_(pa.int64()), ([], [1, None], [2**53 + 1])),
    "part": (
        pa.struct([("a", pa.int32()), ("b", pa.string())]),
        ({"a": 1, "b": "x"}, {"a": None, "b": "y"}),
    ),
}
TAGS = ("phi.mrn", "phi.zip", "pii.email", "pii.age", "security.hidden")
TRANSFORMS = (
    *("tokenize()",) * 6,
    *("tokenize_no_ref()", "nfp_ref_tokenize()", "sha2()", "mask()", "mask(__COLUMN__, 2, 3)"),
    *("mask()", "zero()", "null()"),
)
FILTERS = (
    *("id % 3 != 0", "id > 4", "id <= 20", "id IN (1, 2, 3, 5, 8, 13)", "id + 0 >= 7", "id = 3"),
    *("k = 1", "k IN (1, 2)", "k != 3", "NOT (k = 2)", "k IS NOT NULL", "k < 4 AND id > 2"),
    *("k = 1 OR id < 5", "id % 2 = 0 OR k IS NULL"),
)


VIEWS = (
    "SELECT * FROM {}.a",
    "SELECT * FROM {}.a WHERE id % 2 = 0",
    "SELECT id, k, count(*) OVER () AS n FROM {}.b",
    "SELECT k, max(id) AS id FROM {}.a GROUP BY k ORDER BY ALL",
)


@dataclass(frozen=True)
class Table:
    """Rows, and the tags of columns."""

    rows: pa.Table
    tags: dict[str, list[str]]


@dataclass(frozen=True)
class TwinWorld:
    """Two tables, `a` and `b`, perhaps a view, and what each role has of grants and safeguards.

    `{}` stands for the database.
    """

    seed: int
    tables: dict[str, Table]
    roles: tuple[tuple[str, ...], ...]
    views: dict[str, str] = field(default_factory=dict[str, str])


def world_of(seed: int) -> TwinWorld:
    """The world of a seed."""
    random = Random(f"twin {seed}")
    some = random.sample(TAGS, random.choice((2, 3, 3, 4)))
    tables = {
        "a": _table(random, some, random.choice((0, 1, 8, 30, 60)), 8),
        "b": _table(random, some, random.choice((0, 1, 5, 12)), 3),
    }
    roles = [
        tuple(_grant(random, some) for _ in range(random.choice((1, 1, 2, 3))))
        for _ in range(random.choice((1, 1, 2)))
    ]
    # So that mostly something of both can be seen.
    roles[0] = (_grant(random, some, wide=True), *roles[0][1:])
    # Drawn apart, so that a seed still gives the world that it gave before there were these.
    later = Random(f"later {seed}")
    if later.random() < 0.4:
        guards = (_safeguard(later, some) for _ in range(later.choice((1, 1, 2))))
        roles[-1] = (*roles[-1], *guards)
    views = {"v": later.choice(VIEWS)} if later.random() < 0.3 else {}
    return TwinWorld(seed, tables, tuple(roles), views)


def _table(random: Random, tags: list[str], rows: int, columns: int) -> Table:
    names = random.sample([n for n in POOLS if n != "k"], columns)
    names = list(dict.fromkeys(("id", "k", *random.sample(("mrn", "t", "i", "x"), 2), *names)))
    cells: dict[str, list[Any]] = {"id": list(range(1, rows + 1))}
    for name in names[1:]:
        _, pool = POOLS[name]
        nulls = random.choice((0.0, 0.1, 0.1, 0.4))
        few = random.sample(pool, min(len(pool), random.choice((2, 4, 20))))
        cells[name] = [None if random.random() < nulls else random.choice(few) for _ in range(rows)]
    keys = [n for n in ("i", "j", "t", "mrn") if n in names]
    if random.random() < 0.4:
        # So that row groups can be left out.
        key = cells[random.choice(keys)]
        order = sorted(
            range(rows), key=lambda row: (key[row] is None, key[row] if key[row] is not None else 0)
        )
        cells = {n: [column[row] for row in order] for n, column in cells.items()}
    kinds = {"id": pa.int64(), **{n: kind for n, (kind, _) in POOLS.items()}}
    held = [n for n in names if n not in {"id", "k"} and random.random() < 0.7]
    return Table(
        pa.table({n: _array(column, kinds[n]) for n, column in cells.items()}),
        {n: [random.choice(tags)] for n in held},
    )


def _array(cells: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return pa.array(cells, pa.string()).dictionary_encode()
    return pa.array(cells, kind)


def _safeguard(random: Random, tags: list[str]) -> str:
    scope = random.choice(("TABLE {}.a", "TABLE {}.b", "DATABASE {}", "CATALOG"))
    tag, transform = random.choice(tags), random.choice(TRANSFORMS)
    what = random.choice(
        (
            f"TRANSFORM {tag} WITH {transform}",
            f"WHERE {random.choice(FILTERS)}",
            f"HAVING ATTRIBUTE {tag} WHERE {random.choice(FILTERS)}",
        )
    )
    if random.random() < 0.2:
        return f"DENY SELECT ON {scope} HAVING ATTRIBUTE {tag}"
    return f"RESTRICT SELECT ON {scope} {what}"


def _grant(random: Random, tags: list[str], *, wide: bool = False) -> str:
    scopes = ("DATABASE {}",) if wide else ("TABLE {}.a", "TABLE {}.b", "DATABASE {}")
    scope = random.choice(scopes)
    having = ""
    if random.random() < 0.5:
        named = ", ".join(random.sample(tags, random.choice((1, 1, 2))))
        word = "NOT IN" if wide or random.random() < 0.6 else "IN"
        having = f" HAVING ATTRIBUTE {word} ({named})"
    clauses = ""
    for tag in random.sample(tags, random.choice((0, 1, 1, 2))):
        excepted = "EXCEPT " if random.random() < 0.15 else ""
        clauses += f" {excepted}TRANSFORM {tag} WITH {random.choice(TRANSFORMS)}"
    where = f" WHERE {random.choice(FILTERS)}" if random.random() < 0.6 else ""
    return f"GRANT SELECT ON {scope}{having}{clauses}{where}"
