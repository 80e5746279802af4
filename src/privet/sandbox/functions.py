"""Which functions of the engine are served in user SQL."""

from __future__ import annotations

import duckdb

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
