"""A fictitious medical-costs table: a pure function of a number of rows and a seed.

Nobody in it exists. Phone numbers are of the 555-01xx block, which is set aside for fiction.
Charges grow with age and body mass index, and much faster with the latter for smokers, so that
a linear model explains three quarters of them and one that may multiply columns clearly more.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

ROWS = 1338
SEED = 32
OPTED_OUT_SHARE = 0.1
WINDOW = range(42, 57)
"""The rows that the tutorial looks at; `OPTED_OUT_IN_WINDOW` of them opted out."""
OPTED_OUT_IN_WINDOW = 6

SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("mrn", pa.string()),
        ("phone", pa.string()),
        ("age", pa.int64()),
        ("sex", pa.string()),
        ("bmi", pa.float64()),
        ("children", pa.int64()),
        ("smoker", pa.string()),
        ("region", pa.string()),
        ("charges", pa.float64()),
        ("opted_out", pa.int64()),
    ]
)

_MRN_SPACE = 10**8
_HALF = 10**4
_AREA_CODES = ("206", "212", "303", "312", "404", "503", "512", "617", "702", "808")
_REGIONS = ("northeast", "northwest", "southeast", "southwest")

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def generate(rows: int = ROWS, seed: int = SEED, *, decimals: int = 4) -> pa.Table:
    """Make the table.

    Args:
        rows: how many patients, at most 100,000,000 (each has a record number of 8 digits).
        seed: equal seeds and rows give equal tables.
        decimals: digits that charges keep after the point.

    Returns:
        A table of `SCHEMA`, `id` counting from 1, `opted_out` 1 for a tenth of the rows.

    Raises:
        ValueError: a number of rows that is negative or has no 8-digit numbers left.
    """
    if not 0 <= rows <= _MRN_SPACE:
        raise ValueError(f"rows must be between 0 and {_MRN_SPACE}, not {rows}")
    random = np.random.default_rng(seed)
    age = random.integers(18, 65, rows)
    bmi = np.round(np.clip(random.normal(30.5, 6.1, rows), 16, 53), 2)
    children = np.minimum(random.poisson(1.1, rows), 5)
    smoker = random.random(rows) < 0.2  # noqa: PLR2004 - a fifth smokes
    columns: list[pa.Array] = [
        pa.array(np.arange(1, rows + 1, dtype=np.int64)),
        _record_numbers(random, rows),
        _phone_numbers(random, rows),
        pa.array(age),
        _pick(random.integers(0, 2, rows), ("female", "male")),
        pa.array(bmi),
        pa.array(children),
        _pick(smoker.astype(np.int64), ("no", "yes")),
        _pick(random.integers(0, len(_REGIONS), rows), _REGIONS),
        pa.array(np.round(_charges(random, age, bmi, children, smoker), decimals)),
        pa.array(_opt_outs(random, rows)),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def write_csv(table: pa.Table, path: Path) -> None:
    """Write the table as plain CSV: a header line, commas, no quotes.

    Raises:
        OSError: the file cannot be written.
    """
    options = pacsv.WriteOptions(quoting_style="none", quoting_header="none", batch_size=65_536)
    pacsv.write_csv(table, path, options)


def _charges(
    random: np.random.Generator,
    age: Integers,
    bmi: Floats,
    children: Integers,
    smoker: npt.NDArray[np.bool_],
) -> Floats:
    """Expected costs plus the luck of the year, in units of a currency."""
    expected = 700 + 2.8 * age**2 + 450 * children + 35 * (bmi - 16)
    expected += smoker * (2200 + 1400 * (bmi - 16))
    luck = random.gamma(1.6, 3250, len(age))
    return expected + luck


def _opt_outs(random: np.random.Generator, rows: int) -> Integers:
    """Let a tenth of the rows opt out, with a fixed number of them inside the window."""
    opted_out = np.zeros(rows, dtype=np.int64)
    wanted = round(rows * OPTED_OUT_SHARE)
    window = np.arange(min(WINDOW.start, rows), min(WINDOW.stop, rows))
    inside = random.permutation(window)[: min(OPTED_OUT_IN_WINDOW, wanted)]
    others = random.permutation(rows)[: wanted + len(WINDOW)]
    outside = others[(others < WINDOW.start) | (others >= WINDOW.stop)][: wanted - len(inside)]
    opted_out[inside] = 1
    opted_out[outside] = 1
    return opted_out


def _record_numbers(random: np.random.Generator, rows: int) -> pa.Array:
    """Distinct 8-digit numbers in no visible order, without drawing and comparing them.

    Each step maps the 8-digit numbers onto themselves one to one: multiplying by a number that
    is coprime to 10**8 and adding another, and swapping the upper four digits with the lower.
    """
    numbers = np.arange(rows, dtype=np.int64)
    for _ in range(3):
        factor, shift = random.integers(0, _MRN_SPACE, 2)
        numbers = (numbers * (factor // 10 * 10 + 3) + shift) % _MRN_SPACE
        numbers = numbers % _HALF * _HALF + numbers // _HALF
    digits = pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), width=8, padding="0")
    return pc.binary_join_element_wise("MRN", digits, "")


def _phone_numbers(random: np.random.Generator, rows: int) -> pa.Array:
    """Numbers such as `(206) 555-0142`; two people may share one."""
    every = [f"({area}) 555-01{line:02d}" for area in _AREA_CODES for line in range(100)]
    return _pick(random.integers(0, len(every), rows), every)


def _pick(indices: Integers, words: list[str] | tuple[str, ...]) -> pa.Array:
    return pa.array(words, pa.string()).take(pa.array(indices))
