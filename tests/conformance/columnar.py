"""Files of Parquet: made of values that the tests name, or of any where they only count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import write_deltalake

_PAIR = pa.struct([("f1", pa.string()), ("f2", pa.string())])
_TRIPLE = pa.struct([("f1", pa.string()), ("f2", pa.string()), ("a2", pa.list_(pa.string()))])
ALLTYPES = pa.schema(
    [
        ("bool_col", pa.bool_()),
        ("tinyint_col", pa.int8()),
        ("smallint_col", pa.int16()),
        ("int_col", pa.int32()),
        ("bigint_col", pa.int64()),
        ("float_col", pa.float32()),
        ("double_col", pa.float64()),
        ("string_col", pa.string()),
        ("varchar_col", pa.string()),
        ("char_col", pa.string()),
        ("timestamp_col", pa.timestamp("us")),
        ("decimal_col", pa.decimal128(24, 10)),
    ]
)
_FIRST, _SECOND = ({"f1": "ab", "f2": "c", "a2": ["jk"]}, {"f1": "def", "f2": "", "a2": ["l"]})
_THIRD = {"f1": "g", "f2": "ij", "a2": [""]}
_ROWS = (_FIRST, _SECOND, _THIRD)
_NESTED: dict[str, dict[str, tuple[pa.DataType, list[Any]]]] = {
    "struct_t": {
        "id": (pa.int64(), [123]),
        "s1": (pa.struct([("f1", pa.string()), ("f2", pa.int64())]), [{"f1": "field1", "f2": 1}]),
    },
    "array_struct_t": {
        "a1": (
            pa.list_(_PAIR),
            [[{"f1": x["f1"], "f2": x["f2"]}] for x in _ROWS],
        )
    },
    "array_struct_array": {"a1": (pa.list_(_TRIPLE), [[_FIRST], [_SECOND], [_THIRD]])},
    "struct_array_struct": {
        "id": (pa.int64(), [100, 101]),
        "s1": (
            pa.struct([("a1", pa.list_(_TRIPLE))]),
            [{"a1": [_FIRST, _SECOND]}, {"a1": [_THIRD]}],
        ),
    },
    "strarray_t": {
        "id": (pa.int64(), [456, 457, 458]),
        "str_arr": (pa.list_(pa.string()), [["a", "b"], ["cde", ""], ["fg", "ijlk"]]),
    },
    "array_t": {
        "id": (pa.int64(), [456, 457]),
        "int_arr": (pa.list_(pa.int64()), [[1, 2], [3]]),
    },
    "map_t": {
        "id": (pa.int64(), [1]),
        "str_map": (pa.map_(pa.string(), pa.string()), [[("k", "v")]]),
    },
}
_WITHIN = pa.struct([("f1", pa.string()), ("f2", pa.int64())])
_NESTED_TWICE = pa.struct([("s1", _WITHIN), ("s2", _WITHIN)])
_IN = {"f1": "inner", "f2": 2}
_MORE: dict[str, dict[str, tuple[pa.DataType, list[Any]]]] = {
    "struct_t2": {"s1": (_WITHIN, [_IN])},
    "struct_t3": {"id": (pa.int64(), [123]), "s1": (_WITHIN, [_IN]), "s2": (_WITHIN, [_IN])},
    "struct_nested": {"id": (pa.int64(), [123]), "s1": (_NESTED_TWICE, [{"s1": _IN, "s2": _IN}])},
    "multiple_structs_nested": {
        "id": (pa.int64(), [1]),
        "s1": (_NESTED_TWICE, [{"s1": _IN, "s2": _IN}]),
        "s2": (_WITHIN, [_IN]),
    },
    "avrotbl": {"name": (pa.string(), ["one"]), "numbers": (pa.list_(pa.int64()), [[1, 2]])},
    "users": {"uid": (pa.int64(), [1]), "who": (_PAIR, [{"f1": "a", "f2": "b"}])},
    "user_phone_numbers": {
        "uid": (pa.int64(), [1]),
        "phone_numbers": (pa.list_(_PAIR), [[{"f1": "home", "f2": "555-0100"}]]),
    },
    "user_phone_numbers_map": {
        "uid": (pa.int64(), [1]),
        "phone_numbers": (pa.map_(pa.string(), pa.string()), [[("home", "555-0100")]]),
    },
}
MORE = tuple(_MORE)
"""Of rs_complex alone."""
_FLIGHTS = 1326
NESTED = tuple(_NESTED)
_TRIP_NAMES = (
    "trip_id vendor_id pickup_datetime dropoff_datetime store_and_fwd_flag rate_code_id"
    " pickup_longitude pickup_latitude dropoff_longitude dropoff_latitude passenger_count"
    " trip_distance fare_amount extra mta_tax tip_amount tolls_amount ehail_fee"
    " improvement_surcharge total_amount payment_type trip_type pickup dropoff cab_type"
    " pickup_nyct2010_gid pickup_ctlabel pickup_borocode pickup_boroname pickup_ct2010"
    " pickup_boroct2010 pickup_cdeligibil pickup_ntacode pickup_ntaname pickup_puma"
    " dropoff_nyct2010_gid dropoff_ctlabel dropoff_borocode dropoff_boroname dropoff_ct2010"
    " dropoff_boroct2010 dropoff_cdeligibil dropoff_ntacode dropoff_ntaname dropoff_puma"
)
_TRIP: dict[str, pa.DataType] = (
    {"trip_id": pa.int32()}
    | dict.fromkeys(("pickup_datetime", "dropoff_datetime"), pa.timestamp("us"))
    | dict.fromkeys(
        (
            "rate_code_id passenger_count trip_type pickup_nyct2010_gid pickup_borocode"
            " dropoff_nyct2010_gid dropoff_borocode"
        ).split(),
        pa.int16(),
    )
    | dict.fromkeys(
        (
            "pickup_longitude pickup_latitude dropoff_longitude dropoff_latitude trip_distance"
            " fare_amount extra mta_tax tip_amount tolls_amount ehail_fee improvement_surcharge"
            " total_amount"
        ).split(),
        pa.float64(),
    )
)


def write(lake: Path) -> None:
    """Write them below the folder that holds a folder for each bucket."""
    own, test = lake / "sample-data", lake / "cerebrodata-test"
    nulls = pa.Table.from_pylist([dict.fromkeys(ALLTYPES.names)], ALLTYPES)
    _put(own / "alltypes_null", nulls)
    _put(
        test / "alltypes_parquet",
        pa.Table.from_pylist([{"int_col": n} for n in range(8)], ALLTYPES),
    )
    for name, columns in _NESTED.items():
        arrays = {c: pa.array(values, kind) for c, (kind, values) in columns.items()}
        for folder in ("rs_complex", "authdb"):
            _put(own / folder / name, pa.table(arrays))
    for name, columns in _MORE.items():
        arrays = {c: pa.array(values, kind) for c, (kind, values) in columns.items()}
        _put(own / "rs_complex" / name, pa.table(arrays))
    flights = {"id": range(_FLIGHTS), "origin": [f"airport {n % 40}" for n in range(_FLIGHTS)]}
    write_deltalake(test / "delta/airlines/airline_events", pa.table(flights))
    _put(
        lake / "cerebro-customers/chase/zd1238_parquet/product",
        pa.table({"id": pa.array([1]), "s": pa.array([{"a": [{"b": "x"}]}])}),
    )
    _put(test / "dataset-rename-test", _nations())
    day = test / "hudi_parquet/year=2015/month=03/day=16"
    name = "5f541af5-ca07-4329-ad8c-40fa9b353f35-0_2-103-391_20200210090618.parquet"
    _put(day, pa.table({"n": list(range(38))}), name)
    _put(test / "airlines/parquet_sampled", _airlines())
    wide = {"hit_time_gmt": [1]} | {f"c{n}": [n] for n in range(892)}
    _put(own / "web_rawhits", pa.table(wide))
    maps = pa.array(
        [[("k", [{"a": "x"}])]], pa.map_(pa.string(), pa.list_(pa.struct([("a", pa.string())])))
    )
    _put(own / "map_struct_array", pa.table({"id": [1], "str_arr": [["a"]], "struct_map": maps}))
    _put(own / "bytes", pa.table({"id": [1], "message": pa.array([b"bytes"])}))
    _put(own / "sparsedata", _sparse())
    trips = pa.schema([(name, _TRIP.get(name, pa.string())) for name in _TRIP_NAMES.split()])
    rows = [{"trip_id": n} for n in (1, 77, 580_389)]
    _put(test / "nytaxi-data/parquet", pa.Table.from_pylist(rows, trips))
    by = pa.array([None, [("k", ["x", None])]], pa.map_(pa.string(), pa.list_(pa.string())))
    _put(own / "map_array", pa.table({"id": [1, 2], "by": by}))
    _put(own / "encoding", pa.table({"uid": ["ABC123"], "message": pa.array([b"\xe8 bene"])}))


def _put(folder: Path, table: pa.Table, name: str = "part-0.parquet") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / name)


def _sparse() -> pa.Table:
    ages = [10.0, 96.0, *(20.5 + n for n in range(66))]
    return pa.table(
        {
            "age": [*ages, *[None] * 28],
            "defaultcity": [("sjc", "oak", "chi")[n % 3] for n in range(96)],
            "description": [f"text {n}" if n < 86 else None for n in range(96)],
        }
    )


def _nations() -> pa.Table:
    return pa.table(
        {
            "n_nationkey": pa.array([0, 1], pa.int16()),
            "n_name": ["ALGERIA", "ARGENTINA"],
            "n_regionkey": pa.array([0, 1], pa.int16()),
            "n_comment": ["", ""],
        }
    )


def _airlines() -> pa.Table:
    others = [
        f"{chr(65 + n // 26 // 26)}{chr(65 + n // 26 % 26)}{chr(65 + n % 26)}" for n in range(338)
    ]
    origins = ["SEA"] * 6516 + others * 2
    count = len(origins)
    return pa.table(
        {
            "year": pa.array([2005 + n % 4 for n in range(count)], pa.int32()),
            "month": pa.array([n % 12 + 1 for n in range(count)], pa.int32()),
            "uniquecarrier": ["XY"] * count,
            "flightnum": pa.array(range(count), pa.int32()),
            "origin": origins,
            "dest": ["ABC"] * count,
            "depdelay": pa.array([n % 60 for n in range(count)], pa.int32()),
        }
    )
