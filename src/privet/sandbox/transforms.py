"""The transforms of policies as functions of user SQL, under keys that no policy has."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Any, NoReturn

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from duckdb.func import PythonUDFType
from duckdb.sqltypes import (
    BIGINT,
    BLOB,
    BOOLEAN,
    DATE,
    DOUBLE,
    FLOAT,
    INTEGER,
    SMALLINT,
    TIME,
    TIMESTAMP,
    TIMESTAMP_MS,
    TIMESTAMP_NS,
    TIMESTAMP_S,
    TIMESTAMP_TZ,
    TINYINT,
    UBIGINT,
    UINTEGER,
    USMALLINT,
    UTINYINT,
    VARCHAR,
    DuckDBPyType,
)

from privet.model.datasets import CanonicalType
from privet.model.expressions import Call, ColumnSlot, Literal
from privet.model.transforms import SPECS, TransformSpec, is_text
from privet.privacy import Circumstances, Kernel, KeyScope, bind, frame
from privet.sandbox.wire import Own

_TYPES: tuple[tuple[DuckDBPyType, pa.DataType], ...] = (
    (VARCHAR, pa.string()),
    (BLOB, pa.binary()),
    (TINYINT, pa.int8()),
    (SMALLINT, pa.int16()),
    (INTEGER, pa.int32()),
    (BIGINT, pa.int64()),
    (UTINYINT, pa.uint8()),
    (USMALLINT, pa.uint16()),
    (UINTEGER, pa.uint32()),
    (UBIGINT, pa.uint64()),
    (FLOAT, pa.float32()),
    # Decimals come as these: a function has one type, and decimals have hundreds.
    (DOUBLE, pa.float64()),
    (BOOLEAN, pa.bool_()),
    (DATE, pa.date32()),
    (TIME, pa.time64("us")),
    (TIMESTAMP, pa.timestamp("us")),
    (TIMESTAMP_S, pa.timestamp("s")),
    (TIMESTAMP_MS, pa.timestamp("ms")),
    (TIMESTAMP_NS, pa.timestamp("ns")),
    (TIMESTAMP_TZ, pa.timestamp("us", tz="UTC")),
)
_DOMAIN = "own"
_SIGNED = ("own", "own")
"""Stands for the reader where a kernel wants one: the secret is theirs already."""
_OF_THE_ENGINE = frozenset({"null", "round", "lower", "upper", "hash"})
"""Words of SQL itself."""
_IN_SQL = tuple(spec for spec in SPECS if spec.name not in _OF_THE_ENGINE)
_MOST_KERNELS = 64
_ALL_OF_IT = 2**31 - 1
_EMPTY = Own(b"", b"")


class OwnKeys:
    """What the functions of one statement are keyed with; comes with the statement."""

    def __init__(self) -> None:
        self.own = _EMPTY
        self._drawn = 0

    def __reduce__(self) -> NoReturn:
        raise TypeError("keys cannot be copied or pickled")

    def take(self, own: Own) -> None:
        """Hear them."""
        self.own = own

    def derive(self, *labels: str) -> bytes:
        """A key that whoever wrote the statement shares with all its readers."""
        return _derived(self.own.shared, b"".join(frame(label.encode()) for label in labels))

    def derive_signed(self, *labels: str) -> bytes:
        """A key of the reader's own."""
        return _derived(self.own.secret, b"".join(frame(label.encode()) for label in labels))

    def chance(self, size: int) -> bytes:
        """Random bytes, from a seed that this statement alone was given."""
        self._drawn += 1
        return _derived(self.own.seed, frame(b"chance") + frame(str(self._drawn).encode()), size)


def _derived(secret: bytes, info: bytes, size: int = 32) -> bytes:
    assert secret, "no keys were given"
    return HKDF(SHA256(), size, salt=None, info=info).derive(secret)


def add_transforms(connection: duckdb.DuckDBPyConnection, keys: OwnKeys) -> None:
    """Add the transforms as macros; the type of the first argument chooses among them.

    Equal values have equal tokens in one user's answers, and never the token that a policy makes:
    `mrn = tokenize('raw')` finds nothing.
    """
    connection.execute("CREATE MACRO signed_user(x) AS CAST(x AS BOOLEAN)").fetchall()
    for spec in _IN_SQL:
        bodies = list(chain.from_iterable(_bodies(connection, spec, keys, t) for t in _TYPES))
        for name in (spec.name, *spec.aliases):
            connection.execute(f"CREATE MACRO {name} {', '.join(bodies)}").fetchall()


@dataclass(frozen=True, slots=True)
class _Form:
    """A way to write a call: parameters besides the column, and what the function is given."""

    parameters: str
    given: str


def _bodies(
    connection: duckdb.DuckDBPyConnection,
    spec: TransformSpec,
    keys: OwnKeys,
    types: tuple[DuckDBPyType, pa.DataType],
) -> Iterator[str]:
    engine_type, kind = types
    if not spec.fits(kind):
        if spec.keyed and pat.is_boolean(kind):
            # Two values are none to hide among: no token of one, as of what has no format.
            yield "(x BOOLEAN) AS CAST(NULL AS BOOLEAN)"
            yield "(x BOOLEAN, signed BOOLEAN) AS CAST(NULL AS BOOLEAN)"
        return
    name = f"__privet_{spec.name}_{str(engine_type).lower().replace(' ', '_')}"
    extra, forms = _forms(spec, kind)
    connection.create_function(
        name,
        _taking(len(extra), _ColumnFunction(spec, keys)),
        [engine_type, *extra],
        engine_type,
        type=PythonUDFType.ARROW,
        # Not computed once for rows that are equal.
        side_effects=spec.random,
    )
    for form in forms:
        yield f"(x {engine_type}{form.parameters}) AS {name}(x{form.given})"


def _taking(count: int, function: _ColumnFunction) -> Callable[..., pa.Array]:
    """The engine counts parameters, and takes no function of any number."""
    match count:
        case 0:
            return lambda x: function(x)  # noqa: PLW0108
        case 1:
            return lambda x, a: function(x, a)  # noqa: PLW0108
        case _:
            return lambda x, a, b: function(x, a, b)  # noqa: PLW0108


def _forms(spec: TransformSpec, kind: pa.DataType) -> tuple[list[DuckDBPyType], list[_Form]]:
    """The types of a function's further arguments, and the ways to write it."""
    if spec.keyed or spec.name in {"fp_random", "nfp_random"}:
        signed = _Form(", signed BOOLEAN", ", signed")
        return [BOOLEAN], [_Form("", ", FALSE"), signed]
    match spec.name:
        case "mask":
            start = _Form(", first BIGINT", f", first, {_ALL_OF_IT}")
            both = _Form(", first BIGINT, length BIGINT", ", first, length")
            return [BIGINT, BIGINT], [_Form("", f", 0, {_ALL_OF_IT}"), start, both]
        case "truncate":
            size = VARCHAR if pat.is_timestamp(kind) or pat.is_date(kind) else BIGINT
            return [size], [_Form(f", size {size}", ", size")]
        case "bucket":
            return [DOUBLE], [_Form(", width DOUBLE", ", width")]
        case "diff_privacy":
            return [DOUBLE], [_Form("", ", 1"), _Form(", noise DOUBLE", ", noise")]
        case _:
            return [], [_Form("", "")]


class _ColumnFunction:
    """A transform as a function of the engine; kernels are bound as calls come."""

    def __init__(self, spec: TransformSpec, keys: OwnKeys) -> None:
        self._spec = spec
        self._keys = keys
        self._kernels: dict[tuple[pa.DataType, tuple[Any, ...]], Kernel] = {}
        self._lock = threading.Lock()

    def __call__(self, column: pa.ChunkedArray, *given: pa.ChunkedArray) -> pa.Array:
        cells = column.combine_chunks()
        if not given or not len(cells):
            return self._kernel(cells.type, ())(cells)
        rows = pa.table(list(given), names=[str(i) for i in range(len(given))])
        ways = rows.group_by(rows.column_names, use_threads=False).aggregate([]).to_pylist()
        if len(ways) == 1:
            return self._kernel(cells.type, tuple(ways[0].values()))(cells)
        return self._by_row(cells, rows, ways)

    def _by_row(self, cells: pa.Array, rows: pa.Table, ways: list[dict[str, Any]]) -> pa.Array:
        if len(ways) > _MOST_KERNELS:
            raise ValueError("arguments that change from row to row")
        parts: list[pa.Array] = []
        places: list[Any] = []
        for way in ways:
            alike = [pc.equal(rows[name], value).combine_chunks() for name, value in way.items()]
            chosen = np.logical_and.reduce([a.to_numpy(zero_copy_only=False) for a in alike])
            parts.append(self._kernel(cells.type, tuple(way.values()))(cells.filter(chosen)))
            places.append(np.flatnonzero(chosen))
        order = np.argsort(np.concatenate(places))
        return pa.concat_arrays(parts).take(pa.array(order))

    def _kernel(self, kind: pa.DataType, given: tuple[Any, ...]) -> Kernel:
        with self._lock:
            kernel = self._kernels.get((kind, given))
            if kernel is None:
                kernel = self._kernels[kind, given] = self._bound(kind, given)
                if len(self._kernels) > _MOST_KERNELS:
                    self._kernels = {(kind, given): kernel}
            return kernel

    def _bound(self, kind: pa.DataType, given: tuple[Any, ...]) -> Kernel:
        spec, keys = self._spec, self._keys
        today = keys.own.today or date(1970, 1, 1)
        circumstances = Circumstances(keys.chance, today)
        if not spec.keyed:
            constants = () if spec.name in {"fp_random", "nfp_random"} else _constants(spec, given)
            call = Call(spec.name, (ColumnSlot(), *map(Literal, constants)))
            return bind(call, kind, None, keys.derive, circumstances)
        (signed,) = given
        canonical = CanonicalType.TEXT if is_text(kind) else CanonicalType.INT64
        place = keys.own.place if spec.per_table else ""
        call = Call(spec.name, (ColumnSlot(),))
        if signed:
            scope = KeyScope(_DOMAIN, 1, canonical, dataset_id=place, principal=_SIGNED)
            return bind(call, kind, scope, keys.derive_signed, circumstances)
        scope = KeyScope(_DOMAIN, 1, canonical, dataset_id=place)
        return bind(call, kind, scope, keys.derive, circumstances)


def _constants(spec: TransformSpec, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """Arguments as a policy would have them."""
    if spec.name == "mask":
        start, length = given
        return (start,) if length == _ALL_OF_IT else (start, length)
    return tuple(_exact(value) if isinstance(value, float) else value for value in given)


def _exact(value: float) -> int | Decimal:
    return int(value) if value.is_integer() else Decimal(repr(value))


def preload() -> None:
    """Use every function once, so that nothing is left to be imported when no file opens."""
    keys = OwnKeys()
    keys.take(Own(b"only to load code", b"only to load code", b"only to load code"))
    texts = pa.array(["Ab-12345678", "12345678", "longer text, 0123456789", "é", None] * 300)
    for spec in _IN_SQL:
        for _, kind in _TYPES:
            if spec.fits(kind):
                _run_once(spec, keys, _sample(texts, kind))


def _run_once(spec: TransformSpec, keys: OwnKeys, sample: pa.Array) -> None:
    examples = {"mask": (1, 2), "bucket": (2.0,), "diff_privacy": (1.0,)}
    given: tuple[Any, ...] = examples.get(spec.name, ())
    if spec.keyed or spec.name in {"fp_random", "nfp_random"}:
        given = (False,)
    elif spec.name == "truncate":
        given = ("month",) if pat.is_timestamp(sample.type) or pat.is_date(sample.type) else (1,)
    columns = [pa.chunked_array([pa.array([value] * len(sample))]) for value in given]
    _ColumnFunction(spec, keys)(pa.chunked_array([sample]), *columns)


def _sample(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    if is_text(kind):
        return texts
    if pat.is_integer(kind):
        return pa.array([n % 100 for n in range(1000)], kind)
    return pa.nulls(1000, kind)
