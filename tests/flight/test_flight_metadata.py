"""What Flight SQL tells about the catalog: exact schemas, and nothing that a caller may not see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from google.protobuf.message import Message

from doors.servers import TrialServer
from doors.steward import Steward, unique
from flight.raw import Speaker, refused, speaker
from privet.flight import flight_sql_pb2 as pb
from privet.flight.messages import METADATA, pack

pytestmark = pytest.mark.service

TEXT, NUMBER, NEVER_NULL = pa.string(), pa.int32(), False
"""What `nullable` is then."""
FOREIGN_KEYS = pa.schema(
    [
        pa.field("pk_catalog_name", TEXT),
        pa.field("pk_db_schema_name", TEXT),
        pa.field("pk_table_name", TEXT, NEVER_NULL),
        pa.field("pk_column_name", TEXT, NEVER_NULL),
        pa.field("fk_catalog_name", TEXT),
        pa.field("fk_db_schema_name", TEXT),
        pa.field("fk_table_name", TEXT, NEVER_NULL),
        pa.field("fk_column_name", TEXT, NEVER_NULL),
        pa.field("key_sequence", NUMBER, NEVER_NULL),
        pa.field("fk_key_name", TEXT),
        pa.field("pk_key_name", TEXT),
        pa.field("update_rule", pa.uint8(), NEVER_NULL),
        pa.field("delete_rule", pa.uint8(), NEVER_NULL),
    ]
)
TABLES = [
    pa.field("catalog_name", TEXT),
    pa.field("db_schema_name", TEXT),
    pa.field("table_name", TEXT, NEVER_NULL),
    pa.field("table_type", TEXT, NEVER_NULL),
]
SCHEMAS: list[tuple[Message, pa.Schema]] = [
    (pb.CommandGetCatalogs(), pa.schema([pa.field("catalog_name", TEXT, NEVER_NULL)])),
    (
        pb.CommandGetDbSchemas(),
        pa.schema([pa.field("catalog_name", TEXT), pa.field("db_schema_name", TEXT, NEVER_NULL)]),
    ),
    (pb.CommandGetTables(), pa.schema(TABLES)),
    (
        pb.CommandGetTables(include_schema=True),
        pa.schema([*TABLES, pa.field("table_schema", pa.binary(), NEVER_NULL)]),
    ),
    (pb.CommandGetTableTypes(), pa.schema([pa.field("table_type", TEXT, NEVER_NULL)])),
    (
        pb.CommandGetPrimaryKeys(table="t"),
        pa.schema(
            [
                *TABLES[:3],
                pa.field("column_name", TEXT, NEVER_NULL),
                pa.field("key_name", TEXT),
                pa.field("key_sequence", NUMBER, NEVER_NULL),
            ]
        ),
    ),
    (pb.CommandGetImportedKeys(table="t"), FOREIGN_KEYS),
    (pb.CommandGetExportedKeys(table="t"), FOREIGN_KEYS),
    (pb.CommandGetCrossReference(pk_table="t", fk_table="u"), FOREIGN_KEYS),
    (
        pb.CommandGetXdbcTypeInfo(),
        pa.schema(
            [
                pa.field("type_name", TEXT, NEVER_NULL),
                pa.field("data_type", NUMBER, NEVER_NULL),
                pa.field("column_size", NUMBER),
                pa.field("literal_prefix", TEXT),
                pa.field("literal_suffix", TEXT),
                pa.field("create_params", pa.list_(pa.field("item", TEXT, NEVER_NULL))),
                pa.field("nullable", NUMBER, NEVER_NULL),
                pa.field("case_sensitive", pa.bool_(), NEVER_NULL),
                pa.field("searchable", NUMBER, NEVER_NULL),
                pa.field("unsigned_attribute", pa.bool_()),
                pa.field("fixed_prec_scale", pa.bool_(), NEVER_NULL),
                pa.field("auto_increment", pa.bool_()),
                pa.field("local_type_name", TEXT),
                pa.field("minimum_scale", NUMBER),
                pa.field("maximum_scale", NUMBER),
                pa.field("sql_data_type", NUMBER, NEVER_NULL),
                pa.field("datetime_subcode", NUMBER),
                pa.field("num_prec_radix", NUMBER),
                pa.field("interval_precision", NUMBER),
            ]
        ),
    ),
    (
        pb.CommandGetSqlInfo(),
        pa.schema(
            [
                pa.field("info_name", pa.uint32(), NEVER_NULL),
                pa.field(
                    "value",
                    pa.dense_union(
                        [
                            pa.field("string_value", TEXT),
                            pa.field("bool_value", pa.bool_()),
                            pa.field("bigint_value", pa.int64()),
                            pa.field("int32_bitmask", NUMBER),
                            pa.field("string_list", pa.list_(pa.field("string_data", TEXT))),
                            pa.field(
                                "int32_to_int32_list_map",
                                pa.map_(NUMBER, pa.list_(pa.field("$data$", NUMBER))),
                            ),
                        ]
                    ),
                    NEVER_NULL,
                ),
            ]
        ),
    ),
]


@pytest.fixture(scope="module")
def shop(steward: Steward) -> tuple[str, str, str]:
    """A database with two datasets, one of which has a column more; and a hidden one beside it."""
    database = steward.database()
    orders = pa.table({"id": pa.array([1], pa.int64()), "phone": ["SECRET"]})
    seen = steward.dataset(orders, database=database, tags={"phone": ["phi.phone_number"]})
    types = pa.table(
        {
            "name": pa.array(["a"], pa.large_string()),
            "kind": pa.array(["a"]).dictionary_encode(),
            "paid": pa.array([None], pa.decimal128(9, 2)),
            "at": pa.array([0], pa.timestamp("us", tz="UTC")),
            "parts": pa.array([[1]], pa.large_list(pa.int32())),
        }
    )
    typed = steward.dataset(types, database=database, suffix="parquet")
    hidden = steward.dataset(orders, database=database)
    return seen, typed, hidden


@pytest.fixture(scope="module")
def reader_token(steward: Steward, shop: tuple[str, str, str]) -> str:
    """Of somebody who sees the first two, without phone numbers."""
    grant = "GRANT SELECT ON TABLE {} HAVING ATTRIBUTE NOT IN (phi.phone_number)"
    return steward.reader(*(grant.format(dataset) for dataset in shop[:2])).token


@pytest.fixture
def reader(server: TrialServer, reader_token: str) -> Iterator[Speaker]:
    """That somebody."""
    with speaker(server, reader_token) as speaks:
        yield speaks


def rows(table: pa.Table) -> list[tuple[Any, ...]]:
    """Rows without names."""
    return [tuple(row.values()) for row in table.to_pylist()]


@pytest.mark.parametrize(("asked", "schema"), SCHEMAS, ids=lambda value: type(value).__name__)
def test_schemas_are_those_of_the_protocol(
    reader: Speaker, asked: Message, schema: pa.Schema
) -> None:
    """Announced and sent alike, to the nullability; the driver of ADBC compares them."""
    info = reader.info(asked)
    assert info.schema.equals(schema, check_metadata=True)
    table = reader.get(info.endpoints[0].ticket)
    assert table.schema.equals(schema, check_metadata=True)
    table.validate(full=True)


def test_only_what_is_visible_is_told(reader: Speaker, shop: tuple[str, str, str]) -> None:
    """One catalog; databases as schemas; datasets as tables; each as far as it is seen."""
    (database, seen), (_, typed) = (name.split(".") for name in shop[:2])
    assert rows(reader.ask(pb.CommandGetCatalogs())) == [("privet",)]
    assert rows(reader.ask(pb.CommandGetTableTypes())) == [("TABLE",)]
    assert rows(reader.ask(pb.CommandGetDbSchemas())) == [("privet", database)]
    told = [("privet", database, name, "TABLE") for name in sorted([seen, typed])]
    assert rows(reader.ask(pb.CommandGetTables())) == told
    schemas = {
        row["table_name"]: pa.ipc.read_schema(pa.py_buffer(row["table_schema"]))
        for row in reader.ask(pb.CommandGetTables(include_schema=True)).to_pylist()
    }
    assert schemas[seen] == pa.schema([("id", pa.int64())])
    assert schemas[typed] == pa.schema(
        [
            ("name", pa.string()),
            ("kind", pa.string()),
            ("paid", pa.decimal128(9, 2)),
            ("at", pa.timestamp("us", tz="UTC")),
            ("parts", pa.list_(pa.int32())),
        ]
    )
    names = [field.metadata[b"ARROW:FLIGHT:SQL:TYPE_NAME"] for field in schemas[typed]]
    assert names == [
        b"VARCHAR",
        b"VARCHAR",
        b"DECIMAL(9,2)",
        b"TIMESTAMP WITH TIME ZONE",
        b"INTEGER[]",
    ]


def test_what_is_listed_is_what_a_scan_gives(reader: Speaker, shop: tuple[str, str, str]) -> None:
    """Flights, tables and scans name the same columns with the same types."""
    tables = {
        f"{row['db_schema_name']}.{row['table_name']}": pa.ipc.read_schema(
            pa.py_buffer(row["table_schema"])
        )
        for row in reader.ask(pb.CommandGetTables(include_schema=True)).to_pylist()
    }
    flights = {
        ".".join(part.decode() for part in flight.descriptor.path): flight.schema
        for flight in reader.client.list_flights(b"", reader.options)
    }
    assert flights == tables
    for name in shop[:2]:
        command = f'{{"scan": {{"dataset": "{name}"}}}}'.encode()
        assert reader.get(reader.info(command).endpoints[0].ticket).schema == tables[name]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, True),
        ({"catalog": "privet"}, True),
        ({"catalog": ""}, False),
        ({"catalog": "%"}, False),
        ({"db_schema_filter_pattern": "%"}, True),
        ({"db_schema_filter_pattern": "{database}"}, True),
        ({"db_schema_filter_pattern": "{database}%"}, True),
        ({"db_schema_filter_pattern": "absent"}, False),
        ({"db_schema_filter_pattern": ""}, False),
        ({"table_name_filter_pattern": "{table}"}, True),
        ({"table_name_filter_pattern": "_" * 200}, False),
        ({"table_types": ["TABLE"]}, True),
        ({"table_types": ["VIEW", "TABLE"]}, True),
        ({"table_types": ["VIEW"]}, False),
        ({"table_types": ["table"]}, False),
    ],
    ids=range(15),
)
def test_filters(
    reader: Speaker, shop: tuple[str, str, str], filters: dict[str, Any], expected: bool
) -> None:
    """Catalogs by name, databases and tables by pattern, types from a list."""
    database, table = shop[0].split(".")
    filled = {
        key: value if isinstance(value, list) else value.format(database=database, table=table)
        for key, value in filters.items()
    }
    found = rows(reader.ask(pb.CommandGetTables(**filled)))
    assert (("privet", database, table, "TABLE") in found) is expected
    if not {"table_name_filter_pattern", "table_types"} & set(filled):
        schemas = rows(reader.ask(pb.CommandGetDbSchemas(**filled)))
        assert (("privet", database) in schemas) is expected


def answers(speaks: Speaker) -> list[bytes]:
    """The bytes of everything that metadata tells."""
    told: list[bytes] = []
    for kind in METADATA:
        for command in (kind(), pb.CommandGetTables(include_schema=True)):
            info = speaks.info(command)
            table = speaks.get(info.endpoints[0].ticket)
            told += [info.serialize(), table.schema.serialize().to_pybytes()]
            for column in table.columns:
                for chunk in column.chunks:
                    told += [b.to_pybytes() for b in chunk.buffers() if b is not None]
    return told


def test_hidden_datasets_change_no_byte(
    reader: Speaker, steward: Steward, shop: tuple[str, str, str]
) -> None:
    """Whether one is there, beside visible ones or alone in its database, or has other columns."""
    before = answers(reader)
    database = shop[0].partition(".")[0]
    steward.dataset(pa.table({"secret_column": [1]}), database=database)
    steward.dataset(pa.table({"secret_column": [1]}))
    assert answers(reader) == before
    for word in (b"secret_column", b"phone", b"SECRET", shop[2].partition(".")[2].encode()):
        assert all(word not in part for part in before)


def test_nothing_is_told_to_nobody(server: TrialServer) -> None:
    """Without credentials neither what metadata looks like nor what is in it."""
    with speaker(server, None) as nobody:
        for kind in METADATA:
            with refused("unauthenticated"):
                nobody.info(kind())
            with refused("unauthenticated"):
                nobody.get(kind())


def test_administrators_see_all(server: TrialServer, steward: Steward) -> None:
    """Every database, also an empty one."""
    empty = steward.database(unique("empty"))
    with speaker(server, server.admin_token) as admin:
        told = {row[1] for row in rows(admin.ask(pb.CommandGetDbSchemas()))}
    listed = {item["name"] for item in steward.rest.items("/v1/databases")}
    assert empty in told
    assert told == listed


def test_numbers_are_asked_for_one_by_one(reader: Speaker) -> None:
    """SqlInfo by number, XDBC types by code; what is not known is left out."""
    table = reader.ask(pb.CommandGetSqlInfo(info=[0, 3, 8, 4_000_000_000]))
    told = {row["info_name"]: row["value"] for row in table.to_pylist()}
    assert told == {0: "Privet", 3: True, 8: 0}
    types = reader.ask(pb.CommandGetXdbcTypeInfo(data_type=12))
    assert types["type_name"].to_pylist() == ["VARCHAR"]
    assert reader.ask(pb.CommandGetXdbcTypeInfo(data_type=0)).num_rows == 0


def test_a_command_is_its_own_ticket(reader: Speaker) -> None:
    """Metadata has no state; a statement's command is no ticket, and a ticket no command."""
    command = pb.CommandGetTables(table_name_filter_pattern="%")
    assert reader.info(command).endpoints[0].ticket.ticket == pack(command)
    with refused("invalid_request", text="no ticket"):
        reader.get(pb.CommandStatementQuery(query="SELECT 1"))
    with refused("invalid_request", text="no command"):
        reader.info(pb.TicketStatementQuery(statement_handle=b"x"))


def test_long_patterns_are_refused(reader: Speaker) -> None:
    """Names are short."""
    for command in (
        pb.CommandGetTables(table_name_filter_pattern="%" * 5000),
        pb.CommandGetDbSchemas(db_schema_filter_pattern="%" * 5000),
    ):
        with refused("invalid_request", text="too long"):
            reader.ask(command)
