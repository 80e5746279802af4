"""Functions in user SQL: which of the engine's are served, and ours under the user's own key."""

from __future__ import annotations

from functools import cached_property
from itertools import chain

import duckdb
import pyarrow as pa
import pyarrow.types as pat
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from duckdb.func import PythonUDFType
from duckdb.sqltypes import BIGINT, BOOLEAN, DATE, DOUBLE, INTEGER, TIMESTAMP, VARCHAR, DuckDBPyType

from privet.model.datasets import CanonicalType
from privet.model.expressions import Call, ColumnSlot
from privet.model.transforms import SPECS, TransformSpec, is_text
from privet.privacy import Derive, Kernel, KeyScope, bind, frame

_SERVED_TABLES = frozenset(
    {"range", "generate_series", "unnest", "repeat", "repeat_row", "json_each", "json_tree"}
    | {"generate_subscripts", "regexp_split_to_table"}
)
_REFUSED = frozenset(
    # They open files, run text as SQL, ask the engine about itself, wait, or write its log.
    (
        "add_parquet_key copy_database create_sort_key current_connection_id "
        "current_query current_query_id current_setting "
        "current_transaction_id currval disable_logging enable_logging "
        "force_checkpoint get_block_size getenv getvariable glob histogram_values "
        "import_database in_search_path index_key json_deserialize_sql "
        "json_execute_serialized_sql json_serialize_plan json_serialize_sql nextval "
        "parse_duckdb_log_message query query_table seq_scan setseed setval "
        "sleep_ms sniff_csv stats summary test_all_types test_vector_types "
        "truncate_duckdb_logs txid_current vector_type which_secret write_log"
    ).split()
    # They take for granted what is inside of bytes and states that anybody can write down.
    + (
        "bitstring_byte_comparable combine combine_aggr finalize json_copy_strftime_if_date "
        "json_copy_strftime_if_timestamp timetz_byte_comparable to_aggregate_state "
        "variant_bytes_to_variant variant_to_parquet_variant"
    ).split()
)
_REFUSED_BEGINNINGS = (
    "__internal",
    "__privet",
    "arrow_scan",
    "collate_",
    "duckdb_",
    "has_",
    "icu_",
    "inet_",
    "pandas_",
    "parquet_",
    "pg_",
    "pragma_",
    "python_",
    "read_",
    "register_",
)
_SERVED_ANYWAY = frozenset({"pg_typeof", "pg_size_pretty"})

_TYPES: tuple[tuple[DuckDBPyType, pa.DataType], ...] = (
    (VARCHAR, pa.string()),
    (INTEGER, pa.int32()),
    (BIGINT, pa.int64()),
    (DOUBLE, pa.float64()),
    (BOOLEAN, pa.bool_()),
    (DATE, pa.date32()),
    (TIMESTAMP, pa.timestamp("us")),
)
_OWN_DOMAIN = "own"
_OF_THE_ENGINE = frozenset({"null", "round", "lower", "upper", "hash"})
"""Words of SQL itself."""
_IN_SQL = tuple(
    spec
    for spec in SPECS
    if spec.name not in _OF_THE_ENGINE
    and not (spec.random or spec.dated or any(p.required for p in spec.parameters))
)


WHO_READS = frozenset({"current_role", "current_user", "session_user", "user"})
"""What SQL calls whoever a statement runs for. The engine would name its own user."""
_READER = "privet_reader"


def served_table_function(name: str) -> bool:
    """Whether a function may stand in FROM."""
    return name in _SERVED_TABLES


def refused_function(name: str) -> bool:
    """Whether a function of the engine, or what its parser makes of some syntax, is not served."""
    if name in _SERVED_ANYWAY:
        return False
    return name in _REFUSED or name.startswith(_REFUSED_BEGINNINGS)


class OwnKeys:
    """The user's own keys, from a secret that comes with the statement."""

    def __init__(self) -> None:
        self._secret: bytes | None = None

    def take(self, secret: bytes) -> None:
        """Hear the secret."""
        self._secret = secret

    def derive(self, *labels: str) -> bytes:
        """The key of some labels, as `privet.privacy.Derive`."""
        assert self._secret is not None
        info = b"".join(frame(label.encode()) for label in labels)
        return HKDF(SHA256(), 32, salt=None, info=info).derive(self._secret)


def add_functions(connection: duckdb.DuckDBPyConnection, keys: OwnKeys) -> None:
    """Add the privacy functions of the policy language, under the user's own keys.

    So equal values have equal tokens in one user's answers, and never the token that a policy
    makes: `mrn = tokenize('raw')` finds nothing. A macro chooses by type.
    """
    for spec in _IN_SQL:
        bodies = list(
            chain.from_iterable(_bodies(connection, spec, keys.derive, t) for t in _TYPES)
        )
        for name in (spec.name, *spec.aliases):
            connection.execute(f"CREATE MACRO {name} {', '.join(bodies)}").fetchall()


def _bodies(
    connection: duckdb.DuckDBPyConnection,
    spec: TransformSpec,
    derive: Derive,
    types: tuple[DuckDBPyType, pa.DataType],
) -> list[str]:
    engine_type, kind = types
    if not spec.fits(kind):
        return []
    name = f"__privet_{spec.name}_{kind.id}"
    function = _ColumnFunction(spec, kind, derive)
    connection.create_function(name, function, [engine_type], engine_type, type=PythonUDFType.ARROW)
    return [f"(x {engine_type}) AS {name}(x)"]


def add_reader(connection: duckdb.DuckDBPyConnection) -> None:
    """Let `user`, `current_user` and the like be whoever the statement runs for.

    A macro of ours is found before the engine's function, also where the word stands without
    parentheses. What it reads is a variable that no SELECT can set.
    """
    for name in sorted(WHO_READS):
        body = f"CAST(getvariable('{_READER}') AS VARCHAR)"
        connection.execute(f'CREATE MACRO "{name}"() AS {body}').fetchall()


def name_reader(connection: duckdb.DuckDBPyConnection, user: str | None) -> None:
    """Say who the statement runs for; NULL if that is nobody."""
    connection.execute(f"SET VARIABLE {_READER} = $1", [user]).fetchall()


def preload() -> None:
    """Use every function once, so that nothing is left to be imported when no file opens."""
    keys = OwnKeys()
    keys.take(b"only to load code")
    texts = pa.array(["Ab-12345678", "12345678", "longer text, 0123456789", "é", None] * 300)
    for spec in _IN_SQL:
        for _, kind in _TYPES:
            if spec.fits(kind):
                sample = texts if is_text(kind) else pa.nulls(len(texts), kind)
                whole = pa.array(range(1000), kind) if pat.is_integer(kind) else sample
                _ColumnFunction(spec, kind, keys.derive)(whole)


class _ColumnFunction:
    """A transform as a function of the engine; its kernel is bound at the first call."""

    def __init__(self, spec: TransformSpec, kind: pa.DataType, derive: Derive) -> None:
        self._spec = spec
        self._kind = kind
        self._derive = derive

    @cached_property
    def _kernel(self) -> Kernel:
        spec = self._spec
        canonical = CanonicalType.TEXT if is_text(self._kind) else CanonicalType.INT64
        own = _OWN_DOMAIN if spec.per_table else ""
        scope = KeyScope(_OWN_DOMAIN, 1, canonical, dataset_id=own)
        call = Call(spec.name, (ColumnSlot(),))
        return bind(call, self._kind, scope if spec.keyed else None, self._derive)

    def __call__(self, column: pa.ChunkedArray | pa.Array) -> pa.Array:
        whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        return self._kernel(whole)
