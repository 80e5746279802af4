"""Filters over fields inside columns: how they are written, checked, bound and told."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from enforcement.plans import column, dataset, decision
from privet.model.datasets import Dataset, FieldTag
from privet.model.errors import InvalidRequest, ParseFailed, TypeMismatch, UnknownName
from privet.model.expressions import Compare, CompareOp, FieldRef, Literal
from privet.model.names import TagName
from privet.policy import (
    Grant,
    Vocabulary,
    check,
    compare,
    explain,
    filter_english,
    filter_sql,
    from_json,
    parse,
    parse_filter,
    to_english,
    to_json,
    to_sql,
)

PLACE = pa.struct(
    [
        ("Country", pa.string()),
        ("size", pa.int64()),
        ("select", pa.string()),
        pa.field("twice", pa.string()),
        pa.field("TWICE", pa.string()),
    ]
)
PARTS = pa.list_(
    pa.struct([("code", pa.string()), ("marks", pa.list_(pa.struct([("text", pa.string())])))])
)
ASSETS = dataset(
    column("name", pa.string()),
    column("place", PLACE),
    column("parts", PARTS),
    column("others", pa.list_(pa.struct([("code", pa.string())]))),
)
WORDS = Vocabulary(
    roles=frozenset({"analyst", "other"}),
    databases=frozenset({"db"}),
    datasets=frozenset({ASSETS.name}),
)


def stored(
    where: str, *covered: Dataset, statement: str = "GRANT SELECT", link: str = "TO"
) -> tuple[str, ...]:
    """The warnings with which such a permission is stored."""
    parsed = parse(f"{statement} ON DATABASE db WHERE {where} {link} ROLE analyst")
    assert isinstance(parsed, Grant)
    return check(parsed.permission, WORDS, covered or (ASSETS,))


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("place.Country = 'AT'", "place.country = 'AT'"),
        ("`PLACE`.`Country` = 'AT'", "place.country = 'AT'"),
        ("place . country IN ('AT')", "place.country IN ('AT')"),
        ("parts.marks.text LIKE 'a%'", "parts.marks.text LIKE 'a%'"),
        ("place.`select` IS NULL", "place.`select` IS NULL"),
        ("date.timestamp = cast.x", "date.timestamp = `cast`.x"),
        ("1.5 < place.size", "1.5 < place.size"),
        ("lower(place.country) = user()", "lower(place.country) = user()"),
    ],
)
def test_fields_read_back(written: str, canonical: str) -> None:
    """Folded as columns are, quoted where they have to be."""
    assert filter_sql(parse_filter(written)) == canonical
    assert parse_filter(canonical) == parse_filter(written)
    parsed = parse(f"GRANT SELECT ON DATABASE db WHERE {written} TO ROLE analyst")
    assert isinstance(parsed, Grant)
    assert from_json(to_json(parsed.permission)) == parsed.permission


def test_a_field_is_no_column_with_a_point_in_its_name() -> None:
    """It is a path, part by part."""
    expected = Compare(CompareOp.EQ, FieldRef(("place", "country")), Literal("AT"))
    assert parse_filter("place.country = 'AT'") == expected
    with pytest.raises(ParseFailed):
        parse_filter("`place.country` = 'AT'")
    with pytest.raises(ParseFailed):
        parse_filter("place. = 'AT'")


@pytest.mark.parametrize(
    "where",
    [
        "place.country = 'AT' AND place.size > 3",
        "parts.code = name AND parts.marks.text = place.country",
        "place IS NULL OR parts.marks IS NULL",
        "others.code = 'x'",
    ],
)
def test_what_fits_is_stored_without_a_word(where: str) -> None:
    """Fields of the kinds that they are compared with, in lists that lie in each other."""
    assert stored(where) == ()


@pytest.mark.parametrize(
    ("where", "error", "said"),
    [
        ("gone.x = 1", UnknownName, "column `gone`"),
        ("place.nowhere = 1", UnknownName, "field `place.nowhere`"),
        ("place.twice = 'a'", UnknownName, "field `place.twice`"),
        ("name.first = 'a'", UnknownName, "field `name.first`"),
        ("parts.marks.text.x = 'a'", UnknownName, "field `parts.marks.text.x`"),
        ("place.country = TRUE", TypeMismatch, "text cannot be compared with boolean"),
        ("parts.marks = others", TypeMismatch, "other cannot be compared with other"),
        ("place.country", TypeMismatch, "this is text"),
        ("parts.code = others.code", TypeMismatch, "of `others` and of `parts`"),
        ("parts.marks.text = 'a' OR others.code = 'b'", TypeMismatch, "items of one list"),
    ],
)
def test_what_does_not_fit_is_refused_where_it_is_written(
    where: str, error: type[InvalidRequest], said: str
) -> None:
    """With the position; nothing is stored that could mean two things."""
    with pytest.raises(error, match=said) as caught:
        stored(where)
    assert caught.value.position is not None
    assert caught.value.position.offset >= len("GRANT SELECT ON DATABASE db WHERE ")


def test_where_one_dataset_lacks_the_field_it_grants_nothing() -> None:
    """It is stored with a warning for that one."""
    other = replace(dataset(column("place", pa.struct([("size", pa.int64())]))), id="id-2")
    other = replace(other, name=replace_name(other, "u"))
    (warning,) = stored("place.country = 'AT'", ASSETS, other)
    assert "on `db.u` it grants nothing: no field `place.country`" in warning


def replace_name(data: Dataset, name: str) -> object:
    """The same database, another name."""
    return data.name._replace(name=name)


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        (PLACE, True),
        (pa.struct([("country", pa.large_string())]), True),
        (pa.struct([("land", pa.string())]), False),
        (pa.struct([("Country", pa.bool_())]), False),
        (pa.string(), False),
        (pa.map_(pa.string(), pa.string()), False),
    ],
)
def test_a_grant_over_a_field_that_is_gone_grants_nothing(kind: pa.DataType, seen: bool) -> None:
    """Renamed, of another kind, or no field any more: closed, and never read as NULL."""
    data = dataset(column("name", pa.string()), column("place", kind))
    found = decision(data, "GRANT SELECT ON DATABASE db WHERE place.country = 'AT'")
    assert found.allowed is seen
    nulls = decision(data, "GRANT SELECT ON DATABASE db WHERE place.nowhere IS NULL OR TRUE")
    assert not nulls.allowed


def test_an_unreviewed_column_has_no_fields_yet() -> None:
    """As it is no column to a filter."""
    place = replace(column("place", PLACE), reviewed=False)
    data = dataset(column("name", pa.string()), place)
    assert not decision(data, "GRANT SELECT ON DATABASE db WHERE place.size > 1").allowed


def test_words() -> None:
    """It is said that one item is enough, since a reader of the sentence cannot know."""
    assert filter_english(parse_filter("place.country = 'AT'")) == (
        "only rows where place.country is 'AT' (one item of a list is enough)"
    )


def test_a_reader_is_told_a_filter_only_over_what_is_in_view() -> None:
    """A filter over a field of a hidden column is not in one's own explanation."""
    grant = "GRANT SELECT{} ON DATABASE db WHERE place.country = 'AT'"
    whole = explain(decision(ASSETS, grant.format("")), steward=False)
    assert whole.filter == "place.country = 'AT'"
    less = explain(decision(ASSETS, grant.format("(name)")), steward=False)
    assert less.filter is None
    assert "country" not in str(less)


def test_a_filter_over_a_field_out_of_view_asks_to_be_accepted() -> None:
    """Beside a grant that shows the row, the cells shown would tell about it."""
    texts = (
        "GRANT SELECT(name) ON DATABASE db TO ROLE analyst",
        "GRANT SELECT(others) ON DATABASE db WHERE place.country = 'AT' TO ROLE analyst",
    )
    first, second = (parsed.permission for parsed in map(parse, texts) if isinstance(parsed, Grant))
    with pytest.raises(InvalidRequest, match="about column `place`"):
        check(second, WORDS, (ASSETS,), (replace(first, id="1"),))


# ---- grants on fields


@pytest.mark.parametrize(
    ("written", "columns"),
    [
        ("place.Country, name", ("name", "place.country")),
        ("parts.marks.text, parts.marks.text", ("parts.marks.text",)),
        ("`place`.`select`", ("place.select",)),
    ],
)
def test_fields_that_are_listed_read_back(written: str, columns: tuple[str, ...]) -> None:
    """As SQL and as JSON; a path is no name with a point in it."""
    parsed = parse(f"GRANT SELECT({written}) ON DATABASE db TO ROLE analyst")
    assert isinstance(parsed, Grant)
    permission = parsed.permission
    assert permission.columns == columns
    assert parse(to_sql(permission)) == parsed
    assert from_json(to_json(permission)) == permission
    with pytest.raises(InvalidRequest):
        from_json({**to_json(permission), "columns": ["place..country"]})
    with pytest.raises(ParseFailed):
        parse("GRANT SELECT(`place.country`) ON DATABASE db TO ROLE analyst")


def test_a_field_that_no_dataset_has_is_refused() -> None:
    """When the permission is stored, as a column is."""
    for name in ("place.nowhere", "place.twice", "name.first"):
        parsed = parse(f"GRANT SELECT({name}) ON DATABASE db TO ROLE analyst")
        assert isinstance(parsed, Grant)
        with pytest.raises(UnknownName, match=f"field `{name}`"):
            check(parsed.permission, WORDS, (ASSETS,))


def kind_of(name: str, *grants: str) -> pa.DataType | None:
    """The type in which a column leaves; None if it does not."""
    found = {c.column.name: c.column.type for c in decision(ASSETS, *grants).visible}
    return found.get(name)


def test_a_column_leaves_with_the_fields_that_somebody_shows() -> None:
    """Those of all grants; with all of them where one grant is on the whole column."""
    country = "GRANT SELECT(place.country) ON DATABASE db"
    size = "GRANT SELECT(place.size, place.nowhere) ON DATABASE db WHERE name = 'a'"
    assert kind_of("place", country) == pa.struct([("Country", pa.string())])
    both = pa.struct([("Country", pa.string()), ("size", pa.int64())])
    assert kind_of("place", country, size) == both
    whole = "GRANT SELECT(place) ON DATABASE db WHERE name = 'b'"
    assert kind_of("place", country, whole) == PLACE
    assert kind_of("name", country) is None
    text = "GRANT SELECT(parts.marks.text) ON DATABASE db"
    inner = pa.list_(pa.struct([("text", pa.string())]))
    assert kind_of("parts", text) == pa.list_(pa.struct([("marks", inner)]))
    assert kind_of("parts", "GRANT SELECT(place.size) ON DATABASE db") is None


def test_a_field_that_is_gone_is_not_shown() -> None:
    """Nor is anything else in its place."""
    data = dataset(column("name", pa.string()), column("place", pa.struct([("x", pa.string())])))
    grant = "GRANT SELECT(name, place.country) ON DATABASE db"
    assert [c.column.name for c in decision(data, grant).visible] == ["name"]
    text = dataset(column("place", pa.string()))
    assert not decision(text, "GRANT SELECT(place.country) ON DATABASE db").allowed


def test_what_is_said_of_fields() -> None:
    """Explanations name them, and a reader's own does not name the others."""
    grant = "GRANT SELECT(name, place.country) ON DATABASE db"
    steward = explain(decision(ASSETS, grant), steward=True)
    place = next(c for c in steward.columns if c.name == "place")
    assert (place.verdict, place.shown) == ("partly", "only its fields place.country")
    assert "its fields place.country in clear" in str(place.reasons)
    own = explain(decision(ASSETS, grant), steward=False)
    assert "size" not in str(own)
    assert "twice" not in str(own).lower()
    parsed = parse(f"{grant} TO ROLE analyst")
    assert isinstance(parsed, Grant)
    assert "only the columns name, place.country" in to_english(parsed.permission)


def test_what_a_grant_on_fields_adds_is_told_before() -> None:
    """As what any grant adds: hidden becomes partly, and partly more of it."""
    country, size = (f"GRANT SELECT({n}) ON DATABASE db" for n in ("place.country", "place.size"))
    change = compare(decision(ASSETS, country), decision(ASSETS, country, size))
    assert change is not None
    ((name, before, after),) = [(c.name, c.before.how, c.after.how) for c in change.columns]
    assert (name, before) == ("place", "only its fields place.country")
    assert after == "only its fields place.country; only its fields place.size"


def test_fields_by_rows_tell_about_the_filter() -> None:
    """Where another grant shows other fields of the row, that has to be accepted."""
    texts = (
        "GRANT SELECT(place.country) ON DATABASE db TO ROLE analyst",
        "GRANT SELECT(place.size) ON DATABASE db WHERE name = 'a' TO ROLE analyst",
        "GRANT SELECT(place.country) ON DATABASE db WHERE name = 'a' TO ROLE analyst",
    )
    first, more, same = (p.permission for p in map(parse, texts) if isinstance(p, Grant))
    stored_already = (replace(first, id="1"),)
    with pytest.raises(InvalidRequest, match="about column `name`"):
        check(more, WORDS, (ASSETS,), stored_already)
    check(same, WORDS, (ASSETS,), stored_already)


@pytest.mark.parametrize(
    "clause", ["TRANSFORM phi.mrn WITH null()", "HAVING ATTRIBUTE NOT IN (phi.mrn)"]
)
def test_tags_inside_are_of_the_whole_column(clause: str) -> None:
    """Also of one of which a grant lists fields: what protects some of it hides all of it."""
    tagged = replace(
        column("place", PLACE), field_tags=(FieldTag(("place", "size"), TagName("phi", "mrn")),)
    )
    data = dataset(column("name", pa.string()), tagged)
    grant = f"GRANT SELECT(name, place.country) ON DATABASE db {clause}"
    assert [c.column.name for c in decision(data, grant).visible] == ["name"]
    plain = decision(data, "GRANT SELECT(place.country) ON DATABASE db")
    assert plain.visible[0].column.field_tags == ()
