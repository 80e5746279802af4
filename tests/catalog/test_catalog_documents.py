"""Stored forms of types, paths and found datasets lose nothing."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privet.catalog.documents import (
    dump_found,
    dump_path,
    dump_types,
    load_found,
    load_path,
    load_types,
)
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Column, Evidence, FieldTag, Format, Source, TagOrigin
from privet.model.names import TagName

FLAT = [
    pa.null(), pa.bool_(), pa.int8(), pa.uint64(), pa.float16(), pa.float64(), pa.string(),
    pa.large_string(), pa.string_view(), pa.binary(), pa.binary(7), pa.binary_view(),
    pa.date32(), pa.date64(), pa.time32("s"), pa.time64("ns"), pa.timestamp("s"),
    pa.timestamp("ns", tz="Europe/Zurich"), pa.timestamp("us", tz="+05:30"), pa.duration("ms"),
    pa.month_day_nano_interval(), pa.decimal32(7, 2), pa.decimal128(38, -4),
    pa.decimal256(76, 10), pa.dictionary(pa.uint16(), pa.string(), ordered=True),
    pa.dictionary(pa.int32(), pa.decimal128(9, 2)), pa.run_end_encoded(pa.int32(), pa.string()),
]  # fmt: skip


def _nested(inside: st.SearchStrategy[pa.DataType]) -> st.SearchStrategy[pa.DataType]:
    return st.one_of(
        inside.map(pa.list_),
        inside.map(pa.large_list),
        inside.map(lambda kind: pa.list_(kind, 3)),
        inside.map(lambda kind: pa.map_(pa.string(), kind, keys_sorted=True)),
        st.lists(inside, min_size=1, max_size=3).map(
            lambda kinds: pa.struct(
                [
                    pa.field(
                        f"F {n}\u00e9",
                        kind,
                        nullable=n != 1 or kind == pa.null(),
                        metadata={"a": "b"},
                    )
                    for n, kind in enumerate(kinds)
                ]
            )
        ),
    )


@given(st.lists(st.recursive(st.sampled_from(FLAT), _nested, max_leaves=4), max_size=6))
def test_types_come_back_exactly(types: list[pa.DataType]) -> None:
    """Every type, nested ones with their fields' names, order and nullability."""
    loaded = load_types(dump_types(types))
    assert len(loaded) == len(types)
    assert all(a.equals(b, check_metadata=True) for a, b in zip(loaded, types, strict=True))


@given(st.lists(st.text(), max_size=3).map(tuple), st.lists(st.text(), max_size=3).map(tuple))
def test_paths_are_equal_iff_their_texts_are(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    """A dot, quote or bracket in a name makes no other path."""
    assert load_path(dump_path(one)) == one
    assert (dump_path(one) == dump_path(other)) == (one == other)


@pytest.mark.parametrize("kind", [pa.string(), pa.list_(pa.struct({"x": pa.decimal128(9, 2)}))])
def test_a_found_dataset_comes_back_through_json(kind: pa.DataType) -> None:
    """With its types, tags, evidence and odd names."""
    evidence = Evidence("rule", "cell_content", 10, 9, "whole cells")
    tag = FieldTag(("a",), TagName("phi", "mrn"), TagOrigin.RULE, evidence)
    columns = (
        Column("a", kind, "\x00A\ud800", "comment", field_tags=(tag,)),
        Column("b", pa.int32(), "b", reviewed=False, partition=True),
    )
    found = FoundDataset(
        "name", Source("s3://b/a", Format.CSV, {"delimiter": "\t"}, ("b",)), columns,
        files=2, bytes=3, problem="odd", notes=("one", "two"),
    )  # fmt: skip
    assert load_found(json.loads(json.dumps(dump_found(found)))) == found
