"""What this server says about itself and its SQL, by the numbers of Flight SQL's `SqlInfo`.

Complete from 0 to 11 and from 500 to 576: drivers take a number that is missing for a failure.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pyarrow as pa

from privet import __version__
from privet.model.requests import LONGEST_STATEMENT

_KEYWORDS = (
    "ANTI ASOF COLUMNS DESCRIBE EXCLUDE GLOB ILIKE LAMBDA LIMIT MACRO OFFSET PIVOT POSITIONAL"
    " QUALIFY RENAME REPLACE SAMPLE SEMI SIMILAR STRUCT SUMMARIZE UNPIVOT"
)
"""Those that the SQL standard does not have."""
_NUMERIC = (
    "ABS ACOS ASIN ATAN ATAN2 CEILING COS COT DEGREES EXP FLOOR LN LOG LOG10 MOD PI POWER RADIANS"
    " ROUND SIGN SIN SQRT TAN TRUNC"
)
_STRING = (
    "ASCII CHR CONCAT INSTR LCASE LEFT LENGTH LOWER LTRIM POSITION REPEAT REPLACE REVERSE RIGHT"
    " RTRIM SUBSTRING TRIM UCASE UPPER"
)
_DATETIME = (
    "CURRENT_DATE CURRENT_TIME DATE_DIFF DATE_PART DATE_TRUNC DAYNAME DAYOFMONTH DAYOFWEEK"
    " DAYOFYEAR HOUR MINUTE MONTH MONTHNAME NOW QUARTER SECOND STRFTIME WEEK YEAR"
)

_TEXTS: dict[int, str | None] = {
    0: "Privet",
    1: __version__,
    2: pa.__version__,
    6: None,  # the lowest version of Substrait
    7: None,  # the highest
    504: '"',  # the quote of identifiers
    513: "\\",  # the escape in patterns of names
    514: "",  # characters of names beside letters, digits and the underscore
    529: "database",  # what a schema is called here
    530: "procedure",
    531: "catalog",
}
_TRUE = (
    3,  # reads only
    4,  # runs SQL
    9,  # statements can be called off
    506,  # every table that is listed can be selected from
    515,  # column aliases
    516,  # NULL and text are NULL
    518,  # table aliases
    520,  # expressions in ORDER BY
    521,  # ORDER BY what is not selected
    523,  # LIKE ... ESCAPE
    532,  # the catalog stands first
    539,  # correlated subqueries
)
_FALSE = (
    5,  # Substrait
    10,  # bulk ingestion
    11,  # transactions of ingestion
    500,  # CREATE and DROP of catalogs
    501,  # of schemas
    502,  # of tables
    519,  # aliases must differ from the names of tables
    524,  # NOT NULL columns
    527,  # integrity enhancement
    536,  # SELECT FOR UPDATE
    537,  # stored procedures
    556,  # the longest row includes large objects
    563,  # transactions
    565,  # definitions end transactions
    566,  # definitions are ignored in transactions
    572,  # batch updates
    573,  # savepoints
    574,  # named parameters of procedures
    575,  # updates of large objects work on a copy
    576,  # functions by the syntax of procedures
)
_NUMBERS = {
    **dict.fromkeys(range(541, 562), 0),  # limits: none, or not known
    557: LONGEST_STATEMENT,
}
del _NUMBERS[556]
_ORDINALS_AND_MASKS = {
    8: 0,  # no transactions
    100: 12 * 60 * 60 * 1000,  # how long a prepared statement holds, in milliseconds
    101: 0,  # how long a transaction may take
    503: 1,  # names are alike in upper and lower case
    505: 1,  # also in quotes
    507: 3,  # NULL sorts last
    522: 3,  # GROUP BY other columns than those selected
    525: 3,  # minimum and core grammar
    526: 1,  # ANSI 92, entry level
    528: 2,  # all outer joins
    533: 0,
    534: 0,
    535: 0,  # no positioned commands
    538: 15,  # subqueries in comparisons, EXISTS, IN and with quantifiers
    540: 3,  # UNION and UNION ALL
    562: 0,  # no isolation,
    564: 1,  # and no other
    567: 2,  # results are read forward
    568: 0,
    569: 2,  # and not written
    570: 0,
    571: 0,
}
_LISTS = {
    508: _KEYWORDS.split(),
    509: _NUMERIC.split(),
    510: _STRING.split(),
    511: [],  # functions about the system
    512: _DATETIME.split(),
}
_MAPS: dict[int, list[tuple[int, list[int]]]] = {517: []}

_CHILDREN: tuple[tuple[str, pa.DataType, dict[int, Any]], ...] = (
    ("string_value", pa.string(), _TEXTS),
    ("bool_value", pa.bool_(), {n: n in _TRUE for n in (*_TRUE, *_FALSE)}),
    ("bigint_value", pa.int64(), _NUMBERS),
    ("int32_bitmask", pa.int32(), _ORDINALS_AND_MASKS),
    ("string_list", pa.list_(pa.field("string_data", pa.string())), _LISTS),
    (
        "int32_to_int32_list_map",
        pa.map_(pa.int32(), pa.list_(pa.field("$data$", pa.int32()))),
        _MAPS,
    ),
)
SQL_INFO = pa.schema(
    [
        pa.field("info_name", pa.uint32(), nullable=False),
        pa.field(
            "value",
            pa.dense_union([pa.field(name, kind) for name, kind, _ in _CHILDREN]),
            nullable=False,
        ),
    ]
)


def sql_info(wanted: Collection[int]) -> pa.Table:
    """The answers of these numbers, as far as there are; all of them if none is named."""
    asked = set(wanted)
    numbers: list[int] = []
    kinds: list[int] = []
    offsets: list[int] = []
    children: list[pa.Array] = []
    for kind, (_, arrow, known) in enumerate(_CHILDREN):
        chosen = [number for number in sorted(known) if not asked or number in asked]
        numbers += chosen
        kinds += [kind] * len(chosen)
        offsets += range(len(chosen))
        children.append(pa.array([known[number] for number in chosen], arrow))
    value = pa.UnionArray.from_dense(
        pa.array(kinds, pa.int8()),
        pa.array(offsets, pa.int32()),
        children,
        [name for name, _, _ in _CHILDREN],
    )
    return pa.Table.from_arrays([pa.array(numbers, pa.uint32()), value], schema=SQL_INFO)
