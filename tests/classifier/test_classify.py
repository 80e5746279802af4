"""What rules propose, why, and what they leave alone."""

from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privet.classifier import BUILTIN_RULES, BUILTIN_TAGS, ColumnSample, check_rule, classify
from privet.classifier.checks import is_luhn
from privet.model.datasets import Evidence, Rule, RuleTarget, TagOrigin
from privet.model.errors import InvalidRequest
from privet.model.names import TagName

MRN = TagName("phi", "mrn")
NAMES, COMMENTS, CELLS = RuleTarget.COLUMN_NAME, RuleTarget.COLUMN_COMMENT, RuleTarget.CELL_CONTENT


def column(
    name: str, *cells: object, kind: pa.DataType | None = None, comment: str = ""
) -> ColumnSample:
    values = pa.array(cells, kind) if cells else None
    return ColumnSample(name, comment, kind or (values.type if values else pa.string()), values)


def rule(pattern: str, *targets: RuleTarget, match_rate: float = 0.8, min_rows: int = 10) -> Rule:
    return Rule("mine", MRN, pattern, frozenset(targets), match_rate, min_rows)


def tags(sample: ColumnSample, *rules: Rule) -> set[str]:
    return {str(found.tag) for found in classify([sample], rules or BUILTIN_RULES)}


@pytest.mark.parametrize(
    ("sample", "tag"),
    [
        (column("phone", 5551234567), "phi.phone_number"),
        (column("home_phone"), "phi.phone_number"),
        (column("phonenumber"), "phi.phone_number"),
        (column("fax_no"), "phi.phone_number"),
        (
            column("reach_at", "(555) 123-4567", "555-987-6543", "+1 555 222 3333"),
            "phi.phone_number",
        ),
        (
            column("reach_at", "+49 30 901820", "+442079460958", "+33 1 23 45 67 89"),
            "phi.phone_number",
        ),
        (column("e_mail"), "pii.email"),
        (column("useremail"), "pii.email"),
        (column("x", "a@b.org", "first.last+tag@sub.example.com", "ü@exämple.de"), "pii.email"),
        (
            column("x", "4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"),
            "pii.credit_card",
        ),
        (column("card_number", 4111111111111111), "pii.credit_card"),
        (column("x", "123-45-6789", "001-01-0001", "665-99-9999"), "pii.ssn"),
        (column("ssn", 123456789), "pii.ssn"),
        (column("x", "10.0.0.1", "255.255.255.255", "2001:db8::1"), "pii.ip_address"),
        (column("client_ip"), "pii.ip_address"),
        (column("dob", kind=pa.date32()), "pii.date_of_birth"),
        (column("date_of_birth"), "pii.date_of_birth"),
        (column("first_name"), "pii.person_name"),
        (column("lastname"), "pii.person_name"),
        (column("street_address"), "pii.address"),
        (column("address_line_1"), "pii.address"),
        (
            column("x", "12 Main St", "7b Old Mill Road, Springfield", "1600 Pennsylvania Ave."),
            "pii.address",
        ),
        (column("zip", 12345), "pii.zip"),
        (column("postal_code"), "pii.zip"),
        (column("x", "12345-6789", "00501-0001", "94105-1234"), "pii.zip"),
        (column("password_hash"), "security.password"),
        (column("x", *["$2b$12$" + "a" * 53] * 3), "security.password"),
        (column("api_key"), "security.secret"),
        (column("x", *["AKIA" + "A1" * 8] * 3), "security.secret"),
        (column("x", *["-----BEGIN RSA" + " PRIVATE KEY-----\nabc\n"] * 3), "security.secret"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_the_library_finds(sample: ColumnSample, tag: str) -> None:
    """A built-in rule proposes exactly this tag, by name or by content."""
    assert tags(sample) == {tag}


@pytest.mark.parametrize(
    "sample",
    [
        column("id", *range(10000, 10050)),
        column("age", 19, 33, 64),
        column("year", 1999, 2000, 2001),
        column("sex", "male", "female", "male"),
        column("bmi", 27.9, 33.77, 22.7),
        column("children", 0, 1, 5),
        column("smoker", "yes", "no", "no"),
        column("region", "southwest", "northeast", "northwest"),
        column("charges", 16884.924, 12345.0, 94105.0),
        column("charges", *["12345", "94105", "10001"]),
        column("opted_out", 0, 1, 0),
        column("account", *["5551234567", "5559876543", "5552223333"]),
        column("code", *["123456789", "987654321", "123123123"]),
        column("code", "000-12-3456", "666-12-3456", "900-12-3456"),
        column("x", "4111 1111 1111 1112", "5500-0000-0000-0005", "378282246310006"),
        column("x", "0000000000000000", "0000-0000-0000-0000", "0000000000000000"),
        column("version", "1.2.3", "1.2.4", "2.0.0"),
        column("opened_at", "12:30:01", "12:30:02", "12:30:03"),
        column("day", "2024-01-31", "2024-02-01", "2024-02-02"),
        column("email_sent", True, False, True),
        column("phone_called_at", kind=pa.timestamp("us")),
        column("is_mobile", 0, 1, 1),
        column("ip_count", 1, 2, 3),
        column("memory_address", "0x1f", "0x2f", "0x3f"),
        column("zipper", "metal", "metal", "plastic"),
        column("x", "see a@b.org", "mail me", "a@b"),
        column("x", None, None, None, kind=pa.string()),
        column("x", "a@b.org", "c@d.org"),
        column("payload", b"a@b.org", b"c@d.org", b"e@f.org"),
    ],
    ids=lambda sample: sample.name,
)
def test_the_library_leaves_alone(sample: ColumnSample) -> None:
    """Ordinary columns, of the acceptance data among them, get no tag at all."""
    assert tags(sample) == set()


def test_every_builtin_rule_is_well_formed_and_has_its_tag() -> None:
    """The library passes the checks that people's rules must pass, and every tag has a rule."""
    known = {tag for tag, _ in BUILTIN_TAGS}
    assert {r.tag for r in BUILTIN_RULES} == known
    assert len({r.name for r in BUILTIN_RULES}) == len(BUILTIN_RULES)
    for each in BUILTIN_RULES:
        check_rule(each)
        assert each.builtin


def test_names_are_searched_whatever_their_case() -> None:
    """Find, not full match."""
    for name in ("mrn", "patient_mrn_2", "MRN"):
        assert tags(column(name), rule("mrn", NAMES)) == {"phi.mrn"}
    assert tags(column("m_r_n"), rule("mrn", NAMES)) == set()
    assert tags(column("mrns"), rule("^mrn$", NAMES)) == set()


def test_comments_are_searched() -> None:
    """A comment counts for rules that look at comments, and for no others."""
    sample = column("c1", comment="Medical Record Number, 8 digits")
    (found,) = classify([sample], [rule("medical record", COMMENTS)])
    assert found.evidence == Evidence("mine", "column_comment")
    assert tags(sample, rule("medical record", NAMES)) == set()


def test_cells_match_as_a_whole_without_blanks_around_them() -> None:
    """A pattern that fits a part of a cell does not fit the cell."""
    cells = [f" {n:08d}\t" for n in range(10)]
    assert tags(column("x", *cells), rule(r"\d{8}", CELLS)) == {"phi.mrn"}
    assert tags(column("x", *cells), rule(r"\d{7}", CELLS)) == set()
    assert tags(column("x", *cells), rule(r"a|\d", CELLS)) == set()


def test_a_rule_of_a_person_looks_into_number_columns_too() -> None:
    """An eight-digit mrn without leading zeroes is inferred as an integer."""
    assert tags(column("x", *range(10**7, 10**7 + 10)), rule(r"\d{8}", CELLS)) == {"phi.mrn"}


@pytest.mark.parametrize(
    ("matching", "other", "empty", "found"),
    [(8, 2, 5, True), (7, 3, 0, False), (9, 0, 100, False), (10, 0, 0, True), (80, 21, 0, False)],
)
def test_match_rate_and_minimum_count_cells_that_are_not_empty(
    matching: int, other: int, empty: int, found: bool
) -> None:
    """NULL, empty and blank cells neither help nor hinder."""
    cells = ["1"] * matching + ["x"] * other + [None, "", "  "] * empty
    proposals = classify([column("x", *cells)], [rule(r"\d", CELLS)])
    assert bool(proposals) is found
    if proposals:
        assert proposals[0].evidence == Evidence(
            "mine", "cell_content", matching + other, matching, examples=("9",)
        )


def test_each_tag_is_proposed_once_with_the_rule_of_a_person_first() -> None:
    """A steward sees her own rule as the reason where it holds."""
    mine = Rule("mine", TagName("phi", "phone_number"), "phone", frozenset({NAMES}))
    (found,) = classify([column("phone")], [*BUILTIN_RULES, mine])
    assert found.path == ("phone",)
    assert found.origin is TagOrigin.RULE
    assert found.evidence is not None
    assert found.evidence.rule == "mine"


def test_a_tag_of_a_field_inside_a_column_stands_on_the_field() -> None:
    """Hiding one field need not hide what lies beside it; lists are looked through."""
    people = pa.array(
        [{"contacts": [{"phone": "x", "mail": f"p{n}@example.org"}]} for n in range(3)]
    )
    found = {str(t.tag): t for t in classify([column("person", *[])], BUILTIN_RULES)}
    assert not found
    sample = ColumnSample("person", "", people.type, people)
    found = {str(t.tag): t for t in classify([sample], BUILTIN_RULES)}
    assert set(found) == {"phi.phone_number", "pii.email"}
    assert found["phi.phone_number"].path == ("person", "contacts", "phone")
    assert found["pii.email"].path == ("person", "contacts", "mail")
    evidence = found["pii.email"].evidence
    assert evidence is not None
    assert "person.contacts.mail" in evidence.detail


@pytest.mark.parametrize("values", [None, "empty", "full"])
def test_maps_are_looked_into(values: str | None) -> None:
    """Keys and values of maps are cells, with and without a sample."""
    kind = pa.map_(pa.string(), pa.string())
    rows = {"empty": [], "full": [[("a", f"p{n}@example.org")] for n in range(3)]}
    array = None if values is None else pa.array(rows[values], kind)
    found = classify([ColumnSample("m", "", kind, array)], BUILTIN_RULES)
    assert bool(found) is (values == "full")


def test_evidence_holds_no_cell() -> None:
    """Nothing that stood in a cell stands in a proposal."""
    cells = [f"secret{n}@example.org" for n in range(5)]
    assert "secret" not in repr(classify([column("x", *cells)], BUILTIN_RULES))


def test_huge_cells_cost_nothing_and_match_nothing() -> None:
    """A cell longer than the limit is counted as one that does not match."""
    assert tags(column("x", *["1" * 5000] * 10), rule(r"\d+", CELLS)) == set()


@pytest.mark.parametrize(
    "bad",
    [
        rule("", NAMES),
        rule("a" * 1001, NAMES),
        rule("(", NAMES),
        rule("(?=a)", NAMES),
        rule(r"(a)\1", NAMES),
        rule("((a{100}){100}){100}", NAMES),
        rule("a"),
        rule("a", NAMES, match_rate=0.0),
        rule("a", NAMES, match_rate=1.01),
        rule("a", NAMES, match_rate=float("nan")),
        rule("a", NAMES, min_rows=0),
        replace(rule("a", NAMES), check="unknown"),
        rule("\ud800", NAMES),
    ],
)
def test_rules_that_cannot_work_are_refused(bad: Rule, capfd: pytest.CaptureFixture[str]) -> None:
    """With a sentence, and without a word from the library on the server's standard error."""
    with pytest.raises(InvalidRequest):
        check_rule(bad)
    assert capfd.readouterr() == ("", "")


@given(st.text(max_size=40), st.lists(st.text(max_size=40) | st.none(), max_size=20))
def test_no_text_can_break_a_classification(name: str, cells: list[str | None]) -> None:
    """Any name, comment and cells, and a pattern that makes others backtrack, end in an answer."""
    kind = pa.string()
    sample = ColumnSample(
        name, name, kind, pa.array([c and c.replace("\ud800", "") for c in cells], kind)
    )
    classify([sample], [*BUILTIN_RULES, rule(r"(.*a)*b|\pL+", NAMES, COMMENTS, CELLS)])


@given(st.integers(10**11, 10**18 - 1))
def test_luhn_accepts_exactly_one_check_digit(number: int) -> None:
    """Of ten numbers that differ in the last digit, one is right."""
    assert sum(is_luhn(f"{number}{digit}") for digit in range(10)) == 1
