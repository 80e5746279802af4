"""What filters mean, as data: a filter, columns, and per row `T`, `F`, `N`ULL or `!` for failed.

Every line of docs/reference/expressions.md is here, with its boundary values.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa

NAN, INF = float("nan"), float("inf")
MIN, MAX = -(2**63), 2**63 - 1
TICK = "1969-12-31 23:59:59.999999"
D20 = "9" * 20


def i64(*values: int | None) -> pa.Array:
    return pa.array(values, pa.int64())


def u64(*values: int | None) -> pa.Array:
    return pa.array(values, pa.uint64())


def f64(*values: float | None) -> pa.Array:
    return pa.array(values, pa.float64())


def txt(*values: str | None) -> pa.Array:
    return pa.array(values, pa.string())


def bln(*values: bool | None) -> pa.Array:
    return pa.array(values, pa.bool_())


def dec(*values: str | None, kind: pa.DataType | None = None) -> pa.Array:
    numbers = [None if v is None else Decimal(v) for v in values]
    return pa.array(numbers, kind or pa.decimal128(38, 4))


def day(*values: date | None) -> pa.Array:
    return pa.array(values, pa.date32())


def day_numbers(*days: int) -> pa.Array:
    return pa.array(days, pa.int32()).cast(pa.date32())


def ts(*values: int | None, unit: str = "us", tz: str | None = None) -> pa.Array:
    return pa.array(values, pa.int64()).cast(pa.timestamp(unit, tz=tz))


KLEENE = {"a": bln(*[True] * 3, *[False] * 3, *[None] * 3), "b": bln(*[True, False, None] * 3)}

CASES: list[tuple[str, dict[str, pa.Array], str]] = [
    # --- NULL and Kleene logic
    ("b", {"b": bln(True, False, None)}, "TFN"),
    ("NOT b", {"b": bln(True, False, None)}, "FTN"),
    ("a AND b", KLEENE, "TFNFFFNFN"),
    ("a OR b", KLEENE, "TTTTFNTNN"),
    ("NULL", {"x": i64(1)}, "N"),
    ("NOT NULL", {"x": i64(1)}, "N"),
    ("x = NULL", {"x": i64(1, None)}, "NN"),
    ("x IS NULL", {"x": i64(1, None)}, "FT"),
    ("x IS NOT NULL", {"x": i64(1, None)}, "TF"),
    ("NULL IS NULL", {"x": i64(1)}, "T"),
    ("x + 1 = 2", {"x": i64(1, None)}, "TN"),
    ("x IN (1, NULL)", {"x": i64(1, 2, None)}, "TNN"),
    ("x NOT IN (1, NULL)", {"x": i64(1, 2, None)}, "FNN"),
    ("x NOT IN (1, 3)", {"x": i64(1, 2, None)}, "FTN"),
    ("t LIKE 'a%'", {"t": txt("ab", "b", None)}, "TFN"),
    ("x BETWEEN 2 AND 3", {"x": i64(1, 2, 3, 4, None)}, "FTTFN"),
    ("x NOT BETWEEN 2 AND 3", {"x": i64(1, 2, 3, 4, None)}, "TFFTN"),
    ("x BETWEEN 2 AND NULL", {"x": i64(1, 2)}, "FN"),
    # --- failing parts make the row false, below NOT and OR too
    ("1 / n > 0 OR TRUE", {"n": i64(0, 1)}, "!T"),
    ("NOT (1 / n > 0 AND FALSE)", {"n": i64(0, 1)}, "!T"),
    ("(1 / n) IS NULL", {"n": i64(0, 1, None)}, "!FT"),
    ("coalesce(1 / n, 1.0) = 1", {"n": i64(0, 1, None)}, "!TT"),
    ("x IN (1, 1 / x)", {"x": i64(1, 0)}, "T!"),
    # --- CASE counts conditions up to the branch taken, and that branch
    ("CASE WHEN n != 0 THEN 10 / n > 1 ELSE FALSE END", {"n": i64(0, 5, 20, None)}, "FTFF"),
    ("CASE WHEN 1 / n > 0 THEN TRUE ELSE FALSE END", {"n": i64(1, 0, -1)}, "T!F"),
    (
        "CASE WHEN b THEN TRUE WHEN 1 / n > 0 THEN FALSE END",
        {"b": bln(True, False), "n": i64(0, 0)},
        "T!",
    ),
    (
        "CASE WHEN b THEN 1 / n ELSE 2.0 END = 2",
        {"b": bln(True, False, None), "n": i64(0, 0, 0)},
        "!TT",
    ),
    ("CASE WHEN b THEN TRUE END", {"b": bln(True, False, None)}, "TNN"),
    ("CASE WHEN NULL THEN TRUE ELSE FALSE END", {"b": bln(True)}, "F"),
    (
        "CASE WHEN b THEN n ELSE 0.5 END = 9007199254740993",
        {"b": bln(True), "n": i64(2**53 + 1)},
        "!",
    ),
    (
        "CASE WHEN b THEN n ELSE 0 END = 9007199254740993",
        {"b": bln(True), "n": i64(2**53 + 1)},
        "T",
    ),
    ("CASE WHEN b THEN u ELSE 0 END = 0", {"b": bln(True, False), "u": u64(2**63, 2**63)}, "!T"),
    ("CASE WHEN b THEN NULL ELSE NULL END IS NULL", {"b": bln(True, False)}, "TT"),
    # --- comparison: integers and decimals exactly, whatever the width
    ("x = 9223372036854775807", {"x": i64(MAX, MIN, MAX - 1)}, "TFF"),
    ("x = 9223372036854775808.0", {"x": u64(2**63, 2**63 - 1)}, "TF"),
    ("x < 9223372036854775808.0", {"x": i64(MAX, MIN)}, "TT"),
    ("u > i", {"u": u64(2**64 - 1, 0, 0), "i": i64(MAX, -1, 0)}, "TTF"),
    ("x = 127", {"x": pa.array([127, -128], pa.int8())}, "TF"),
    ("x < 300", {"x": pa.array([127, -128], pa.int8())}, "TT"),
    ("x > 1.00005", {"x": dec("1.0001", "1.0000")}, "TF"),
    ("d = i", {"d": dec("2.0000", "2.0001"), "i": i64(2, 2)}, "TF"),
    ("i < 9223372036854775807.5", {"i": i64(MAX)}, "T"),
    ("d = 0." + "0" * 36 + "1", {"d": dec("0." + "0" * 36 + "1", kind=pa.decimal128(38, 37))}, "T"),
    ("x = -1", {"x": pa.array([-1, 1], pa.int16())}, "TF"),
    # float with integer: exact or failed; with decimal: rounded first
    ("f = i", {"f": f64(2.0**53, 2.0**53, 1.0), "i": i64(2**53, 2**53 + 1, 1)}, "T!T"),
    ("f < i", {"f": f64(0.0), "i": i64(MAX)}, "!"),
    ("f < u", {"f": f64(0.0, 0.0), "u": u64(2**64 - 1, 2**63)}, "!T"),
    ("f > -9223372036854775808", {"f": f64(0.0, -1e300)}, "TF"),
    ("f = 0.1", {"f": f64(0.1, 0.1 + 2**-55)}, "TF"),
    ("f = d", {"f": f64(0.5), "d": dec("0.5000")}, "T"),
    ("f = 0.3", {"f": f64(0.3, 0.1 + 0.2)}, "TF"),
    ("f > 0.1", {"f": pa.array([np.float32(0.1)], pa.float32())}, "T"),
    # NaN and signed zero
    ("f = g", {"f": f64(NAN, NAN, 1.0, 0.0), "g": f64(NAN, 1.0, NAN, -0.0)}, "TFFT"),
    ("f != g", {"f": f64(NAN, NAN, 1.0, 0.0), "g": f64(NAN, 1.0, NAN, -0.0)}, "FTTF"),
    ("f > g", {"f": f64(NAN, NAN, 1.0, INF), "g": f64(NAN, INF, NAN, NAN)}, "FTFF"),
    ("f >= g", {"f": f64(NAN, NAN, 1.0, INF), "g": f64(NAN, INF, NAN, NAN)}, "TTFF"),
    ("f < g", {"f": f64(NAN, NAN, 1.0, INF), "g": f64(NAN, INF, NAN, NAN)}, "FFTT"),
    ("f <= g", {"f": f64(NAN, NAN, 1.0, INF), "g": f64(NAN, INF, NAN, NAN)}, "TFTT"),
    ("f >= g", {"f": f64(NAN, None, NAN), "g": f64(None, NAN, 1.0)}, "NNT"),
    ("f > 1", {"f": f64(NAN, None, 2.0, 1.0)}, "TNTF"),
    ("f <= 1", {"f": f64(NAN, None, 2.0, 1.0)}, "FNFT"),
    ("1 < f", {"f": f64(NAN, None, 2.0, 1.0)}, "TNTF"),
    ("f IN (1.5, 2)", {"f": f64(NAN, 1.5, 2.0, 3.0)}, "FTTF"),
    ("f NOT IN (9.0)", {"f": f64(NAN, 9.0, None)}, "TFN"),
    # --- number with text
    ("t = 1", {"t": txt("1", "1.0", "01", "-1", "2", None)}, "TTTFFN"),
    (
        "t = 1",
        {"t": txt("", " 1", "1 ", "+1", "1.", ".5", "1e0", "0x1", "1_0", "\uff11", "1\n", "--1")},
        "!" * 12,
    ),
    ("t < 1", {"t": txt("9" * 20, "9" * 21, "-" + D20 + "." + "9" * 18, "0." + "1" * 19)}, "F!T!"),
    ("t = i", {"t": txt("9223372036854775807"), "i": i64(MAX)}, "T"),
    ("t = u", {"t": txt("18446744073709551615", "-0"), "u": u64(2**64 - 1, 0)}, "TT"),
    ("t = f", {"t": txt("0.1", "x", "1"), "f": f64(0.1, 1.0, NAN)}, "T!F"),
    ("t = d", {"t": txt("1.5", "1.50001"), "d": dec("1.5", "1.5")}, "TF"),
    ("i = '007'", {"i": i64(7, 8)}, "TF"),
    ("i = 'seven'", {"i": i64(7, None)}, "!!"),
    ("i IN ('7', '8.0')", {"i": i64(7, 8, 9)}, "TTF"),
    # --- text by code point, booleans
    ("t < 'b'", {"t": txt("B", "a", "b", "ä", "", None)}, "TTFFTN"),
    ("t > '\uffff'", {"t": txt("\U00010000", "\uffff", "é")}, "TFF"),
    ("t = 'É'", {"t": txt("É", "E\u0301", "é")}, "TFF"),
    ("t = 'it''s'", {"t": txt("it's", "its")}, "TF"),
    ("a < b", KLEENE, "FFNTFNNNN"),
    ("a = TRUE", {"a": bln(True, False, None)}, "TFN"),
    # --- dates and timestamps
    ("d = DATE '2024-02-29'", {"d": day(date(2024, 2, 29), date(2024, 3, 1), None)}, "TFN"),
    ("d < TIMESTAMP '2024-01-31 00:00:01'", {"d": day(date(2024, 1, 31), date(2024, 2, 1))}, "TF"),
    ("s >= DATE '1970-01-01'", {"s": ts(-1, 0, None)}, "FTN"),
    ("s = DATE '1970-01-01'", {"s": ts(0, 1, -1)}, "TFF"),
    (f"s = TIMESTAMP '{TICK}'", {"s": ts(-1, 0)}, "TF"),
    ("s = r", {"s": ts(1, 1, unit="s"), "r": ts(10**9, 10**9 + 1, unit="ns")}, "TF"),
    ("s < r", {"s": ts(1, 1, unit="s"), "r": ts(10**9, 10**9 + 1, unit="ns")}, "FT"),
    ("r > s", {"s": ts(1, 1, unit="s"), "r": ts(10**9, 10**9 + 1, unit="ns")}, "FT"),
    ("r != s", {"s": ts(1, None, unit="s"), "r": ts(1, 1, unit="ms")}, "TN"),
    ("d < s", {"d": day(date(9999, 12, 31)), "s": ts(2**63 - 1, unit="ns")}, "F"),
    ("s = DATE '1970-01-01'", {"s": ts(0, unit="s", tz="America/New_York")}, "T"),
    ("s = DATE '1970-01-02'", {"s": pa.array([86_400_000], pa.int64()).cast(pa.date64())}, "T"),
    # --- LIKE
    ("t LIKE 'a_c'", {"t": txt("abc", "ac", "abbc", "a\nc", "aäc", "a\U0001f600c")}, "TFFTTT"),
    ("t LIKE '%'", {"t": txt("", "x\ny", None)}, "TTN"),
    ("t LIKE ''", {"t": txt("", "x", "\n")}, "TFF"),
    ("t LIKE 'a%b'", {"t": txt("ab", "a\n\nb", "ab\n", "xab")}, "TTFF"),
    (r"t LIKE '50\%'", {"t": txt("50%", "500")}, "TF"),
    (r"t LIKE 'a\_b'", {"t": txt("a_b", "axb")}, "TF"),
    (r"t LIKE '\\'", {"t": txt("\\", "")}, "TF"),
    ("t LIKE '(.*)[a-z]+$'", {"t": txt("(.*)[a-z]+$", "abc")}, "TF"),
    ("t LIKE 'A%'", {"t": txt("ab", "Ab")}, "FT"),
    ("t NOT LIKE 'a%'", {"t": txt("ab", "b", None)}, "FTN"),
    # --- arithmetic of integers stays in 64 bits or fails
    ("x + 1 = 0", {"x": i64(MAX, -1)}, "!T"),
    ("x - 1 = 0", {"x": i64(MIN, 1)}, "!T"),
    ("x * 2 = 0", {"x": i64(2**62, -(2**62), 0)}, "!FT"),
    ("x * y = 0", {"x": i64(-1, MIN, MIN, 1, 0), "y": i64(MIN, -1, 1, MIN, MIN)}, "!!FFT"),
    (
        "x * y < 0",
        {"x": i64(3037000500, 3037000499, MAX), "y": i64(3037000500, 3037000499, -1)},
        "!FT",
    ),
    ("-x < 0", {"x": i64(MIN, MAX, None)}, "!TN"),
    ("x % 3 = -1", {"x": i64(-4, 4, MIN)}, "TFF"),
    ("x % -3 = 1", {"x": i64(4, -4)}, "TF"),
    ("x % y = 0", {"x": i64(MIN, 1, 7), "y": i64(-1, 0, 7)}, "T!T"),
    ("u + 0 > 0", {"u": u64(2**63, 1)}, "!T"),
    ("x + y = 200", {"x": pa.array([100], pa.int8()), "y": pa.array([100], pa.int8())}, "T"),
    # division and everything with floats and decimals is 64-bit float
    ("x / 2 = 0.5", {"x": i64(1, 2)}, "TF"),
    ("x / y = 1", {"x": i64(0, 1, None), "y": i64(0, 1, 0)}, "!TN"),
    ("x / 1 > 0", {"x": i64(2**53 + 1, 2**53)}, "!T"),
    ("x + 0.5 > 0", {"x": i64(2**53 + 1, 1)}, "!T"),
    ("f * f > 0", {"f": f64(1e200, 1e100, INF, NAN)}, "!TTT"),
    ("f + f > 0", {"f": f64(1.7e308, INF)}, "!T"),
    ("f / g > 0", {"f": f64(1.0, NAN, 1e300), "g": f64(-0.0, 1.0, 1e-300)}, "!T!"),
    ("f % g = -1", {"f": f64(-7.0, 7.0, -7.0), "g": f64(3.0, 3.0, 0.0)}, "TF!"),
    ("d + 0.1 = 0.3", {"d": dec("0.2")}, "F"),
    ("d + 1 = 3", {"d": dec("2.0000", None)}, "TN"),
    ("-f = 0", {"f": f64(0.0, 1.0)}, "TF"),
    ("-d = -1.5", {"d": dec("1.5")}, "T"),
    ("f - f = 0", {"f": f64(INF, 1.0)}, "FT"),
    # --- functions
    ("lower(t) = 'ä'", {"t": txt("Ä", "ä", None)}, "TTN"),
    ("upper(t) = 'Ä'", {"t": txt("ä", "a")}, "TF"),
    ("upper(t) = 'ß' OR upper(t) = 'ẞ'", {"t": txt("ß")}, "T"),
    ("trim(t) = 'a b'", {"t": txt("  a b ", "\ta b", "a b\u00a0")}, "TFF"),
    ("length(t) = 1", {"t": txt("ä", "\U0001f600", "e\u0301", "", None)}, "TTFFN"),
    ("substr(t, 2) = 'bc'", {"t": txt("abc", "bc", "", None)}, "TFFN"),
    ("substr(t, 2, 1) = 'ü'", {"t": txt("aüb", "\U0001f600ü", "ü")}, "TTF"),
    ("substr(t, 1, 0) = ''", {"t": txt("abc", "")}, "TT"),
    ("substr(t, 9) = ''", {"t": txt("abc")}, "T"),
    ("substr(t, 0) = 'x'", {"t": txt("abc", None)}, "!N"),
    ("substr(t, 1, -1) = 'x'", {"t": txt("abc", None)}, "!N"),
    ("substr(t, 2, 9223372036854775807) = 'b'", {"t": txt("ab")}, "T"),
    ("substr(t, 9223372036854775807) = ''", {"t": txt("ab")}, "T"),
    ("concat(t, '-', s) = 'a-b'", {"t": txt("a", None, "a"), "s": txt("b", "b", None)}, "TNN"),
    ("abs(x) = 3", {"x": i64(-3, 3, MIN, None)}, "TT!N"),
    ("abs(f) = 3", {"f": f64(-3.0, NAN)}, "TF"),
    ("abs(d) = 1.5", {"d": dec("-1.5")}, "T"),
    ("hour(t) = 23", {"t": ts(86_399_999_999, -1, 86_400_000_000, None)}, "TTFN"),
    ("hour(t) = 23", {"t": ts(86_399, -86_401, 0, unit="s")}, "TTF"),
    ("hour(t) = 1", {"t": ts(3_600 * 10**9, -1, MIN, MAX, unit="ns")}, "TFFF"),
    ("hour(d) = 0", {"d": day(date(2024, 12, 31), date(1, 1, 1), None)}, "TTN"),
    ("dayname(d) = 'Thursday'", {"d": day_numbers(0, 7, -7, 1, -(2**31), 2**31 - 1)}, "TTTFFF"),
    ("dayname(d) = 'Sunday'", {"d": day(date(2024, 2, 25), date(1969, 12, 28), None)}, "TTN"),
    ("dayname(t) LIKE 'W%'", {"t": ts(-1, 0, None)}, "TFN"),
    ("year(d) = 2024", {"d": day(date(2024, 12, 31), date(2025, 1, 1), None)}, "TFN"),
    ("month(d) = 2", {"d": day(date(2024, 2, 29), date(2024, 3, 1))}, "TF"),
    ("day(s) = 31", {"s": ts(-1, 0)}, "TF"),
    ("year(s) = 1969", {"s": ts(-1, 0, tz="Asia/Tokyo")}, "TF"),
    ("coalesce(x, y, 7) = 7", {"x": i64(None, 7, 1), "y": i64(None, 1, 7)}, "TTF"),
    ("coalesce(t, 'x') = 'x'", {"t": txt(None, "x", "y")}, "TTF"),
    ("coalesce(x, 1 / y) = 1", {"x": i64(1, 1), "y": i64(0, 1)}, "!T"),
    ("coalesce(x, 0.5) = 0.5", {"x": i64(None, 2**53 + 1)}, "T!"),
    ("coalesce(NULL, x) = 1", {"x": i64(1, None)}, "TN"),
    # --- casts
    (
        "cast(t as bigint) = 1",
        {"t": txt("1", "001", "-1", "1.0", "", " 1", "+1", None)},
        "TTF!!!!N",
    ),
    (
        "cast(t as bigint) > 0",
        {"t": txt(str(MAX), str(MAX + 1), str(MIN), str(MIN - 1), "0" * 21)},
        "T!F!!",
    ),
    ("cast(f as bigint) = 2", {"f": f64(2.0, 2.5, NAN, INF, None)}, "T!!!N"),
    ("cast(f as bigint) < 0", {"f": f64(-(2.0**63), 2.0**63)}, "T!"),
    ("cast(d as bigint) = 2", {"d": dec("2", "2.5", None)}, "T!N"),
    ("cast(d as bigint) > 0", {"d": dec(str(MAX), str(MAX + 1), kind=pa.decimal128(38, 0))}, "T!"),
    ("cast(u as bigint) > 0", {"u": u64(2**63 - 1, 2**63)}, "T!"),
    ("cast(b as bigint) = 1", {"b": bln(True, False, None)}, "TFN"),
    ("cast(x as double) = 9007199254740992", {"x": i64(2**53, 2**53 + 1)}, "T!"),
    ("cast(t as double) = 0.1", {"t": txt("0.1", "1e-1", None)}, "T!N"),
    ("cast(d as double) = 0.1", {"d": dec("0.1")}, "T"),
    ("cast(x as varchar) = '-5'", {"x": i64(-5, 5, None)}, "TFN"),
    ("cast(b as varchar) = 'true'", {"b": bln(True, False)}, "TF"),
    ("cast(d as varchar) = '2024-01-02'", {"d": day(date(2024, 1, 2), date(1, 1, 1))}, "TF"),
    (
        "cast(d as varchar) > ''",
        {"d": pa.array([2932896, 2932897, -719162, -719163], pa.int32()).cast(pa.date32())},
        "T!T!",
    ),
    ("cast(t as varchar) = 'x'", {"t": txt("x", None)}, "TN"),
    (
        "cast(t as date) = DATE '2024-02-29'",
        {"t": txt("2024-02-29", "2023-02-29", "2024-2-29", "2024-02-29 ", "x", None)},
        "T!!!!N",
    ),
    (
        "cast(t as date) < DATE '9999-12-31'",
        {"t": txt("0001-01-01", "0000-01-01", "2024-00-01", "2024-13-01", "2024-01-00")},
        "T!!!!",
    ),
    ("cast(s as date) = DATE '1969-12-31'", {"s": ts(-1, 0, None)}, "TFN"),
    ("cast(s as date) > DATE '2024-01-01'", {"s": ts(2**63 - 1, 0, unit="s")}, "!F"),
    ("cast(d as date) = d", {"d": day(date(2024, 1, 1))}, "T"),
    ("cast(NULL as bigint) IS NULL", {"x": i64(1)}, "T"),
    # --- encodings do not matter
    ("t = 'a'", {"t": txt("a", "b", None).dictionary_encode()}, "TFN"),
    ("t = 'a'", {"t": txt("a", "b").cast(pa.large_string())}, "TF"),
    ("t LIKE 'a%'", {"t": txt("ab", "b").cast(pa.string_view())}, "TF"),
    ("x > 1", {"x": pa.array([1, 2, None], pa.float16())}, "FTN"),
    # --- columns of other kinds answer only IS NULL
    ("o IS NULL", {"o": pa.array([[1], None, []], pa.list_(pa.int8()))}, "FTF"),
    ("o IS NULL", {"o": pa.array([b"x", None])}, "FT"),
    ("o IS NULL", {"o": pa.array([{"a": 1}, None])}, "FT"),
    ("o IS NULL", {"o": pa.nulls(2)}, "TT"),
]  # fmt: skip
