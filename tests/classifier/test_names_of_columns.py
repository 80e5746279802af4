"""What words columns' names are read as, and what cells say against a name."""

import pyarrow as pa
import pytest

from privet.classifier import BUILTIN_RULES, ColumnSample, classify
from privet.classifier.names import meaning_of
from privet.model.datasets import Rule, RuleTarget
from privet.model.names import TagName


def tags(name: str, cells: list[object] | None = None, *rules: Rule) -> set[str]:
    values = None if cells is None else pa.array(cells)
    kind = pa.string() if values is None else values.type
    sample = ColumnSample("c", "", kind, values, name)
    return {str(found.tag) for found in classify([sample], (*BUILTIN_RULES, *rules))}


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("ph_no", "_phone_num_"),
        ("mrnNumber", "_mrn_num_"),
        ("geb_datum", "_birth_date_"),
        ("PATIENTNAME", "_patient_name_"),
        ("patientLastName", "_patient_last_name_"),
        ("fecha de nacimiento", "_date_birth_"),
        ("Straße", "_street_"),
        ("kundenname", "_person_name_"),
        ("電話番号", "_phone_"),
        ("numéro-de-téléphone", "_num_phone_"),
        ("address_line_1", "_address_"),
        ("carpet", "_carpet_"),
        ("description", "_description_"),
        ("", "_"),
        ("___", "_"),
        ("🙂", "_"),
        ("x" * 100_000, f"_{'x' * 256}_"),
    ],
)
def test_names_are_read_word_by_word(name: str, meaning: str) -> None:
    """Capitals, accents, abbreviations, languages and words written in one; never an error."""
    assert meaning_of(name) == meaning


@pytest.mark.parametrize(
    "name",
    [
        "email_type", "email_count", "num_emails", "phone_verified_at", "phone_model", "is_mobile",
        "password_changed_at", "ip_count", "card_type", "address_book_size", "first_name_length",
        "avg_phone", "ssn_status", "passport_expired", "photo_count", "filename", "company_name",
        "zipper", "cellar", "telemetry", "nameplate", "addressee_count", "maiden_voyage",
    ],
)  # fmt: skip
def test_a_name_means_what_it_ends_with(name: str) -> None:
    """What is said about a phone is no phone."""
    assert tags(name) == set()


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("email", ["yes", "no"] * 20),
        ("email", list(range(40))),
        ("phone", [19.99, 5.25] * 20),
        ("phone", ["Samsung", "Apple"] * 20),
        ("ssn", ["pending", "received", "sent"] * 10),
        ("card_number", [f"41111111111111{n:02d}" for n in range(40)]),
        ("first_name", list(range(40))),
        ("ip", ["Smith v. Jones", "Doe v. Roe"] * 20),
        ("zip", ["metal", "plastic and wood", "leather"] * 10),
        ("date_of_birth", ["January", "unknown city"] * 20),
        ("iban", ["2024-01-31", "2024-02-28"] * 20),
        ("photo", ["Y", "N"] * 20),
        ("latitude", ["low", "high"] * 20),
    ],
)
def test_cells_can_deny_a_name(name: str, cells: list[object]) -> None:
    """Negative evidence: what a column holds counts more than what it is called."""
    assert tags(name, cells) == set()


@pytest.mark.parametrize(
    ("name", "cells", "tag"),
    [
        ("email", ["a@b.org", None, "N/A", "n.n@c.example"] * 10, "pii.email"),
        ("email", ["j***@b.org", "k***@c.org"] * 10, "pii.email"),
        ("phone", [5551234567.0, None, 5559876543.0] * 10, "phi.phone_number"),
        ("ssn", ["***-**-1234", "***-**-9876"] * 10, "pii.ssn"),
        ("dob", ["3. Mai 1980", "14 Mar 1976", "1980-05-03"] * 10, "pii.date_of_birth"),
        ("mrn", list(range(10_000_000, 10_000_050)), "phi.medical_record_number"),
    ],
)
def test_masked_missing_and_odd_cells_do_not_deny_a_name(
    name: str, cells: list[object], tag: str
) -> None:
    """Data that was masked, or came through floats, is still what its name says."""
    assert tags(name, cells) == {tag}


def test_the_tag_of_a_steward_stands_for_the_built_in_one() -> None:
    """Who has a tag of their own for medical record numbers gets no second one beside it."""
    mrn = TagName("phi", "mrn")
    rule = Rule("mrn", mrn, "mrn", frozenset({RuleTarget.COLUMN_NAME}))
    assert tags("patient_mrn", None, rule) == {"phi.mrn"}


def test_versions_are_no_addresses_and_products_no_people() -> None:
    """Negative evidence from all cells together, and from the name."""
    versions: list[object] = [f"{n}.{n + 1}.0.{n}" for n in range(20)]
    people: list[object] = [f"{given} Smith" for given in "Mary John Linda Peter Anna".split()] * 4
    assert tags("fw", versions) == set()
    assert tags("c7", people) == {"pii.person_name"}
    assert tags("product_title", people) == set()


def test_odd_cells_and_types_are_classified_without_an_error() -> None:
    """Nothing but NULL, binary, emoji, right-to-left text, huge cells, mixed and nested types."""
    huge = "9" * (1 << 20)
    for values in (
        pa.nulls(20),
        pa.array([None] * 20, pa.string()),
        pa.array([b"\xff\x00", b"a@b.org"] * 10),
        pa.array(["🙂" * 50, "שלום", "\u202ea@b.org", "\x00"] * 5),
        pa.array([huge, huge, "a@b.org"]),
        pa.array([[{"a": [1.5, None]}], None, []]),
        pa.array([{"First Name": "x", "a.b": {"Ü": "a@b.org"}}] * 5),
        pa.DictionaryArray.from_arrays(pa.array([0, 1, 0]), pa.array(["a@b.org", "c@d.org"])),
    ):
        for name in ("x", "email", "photo"):
            for found in classify(
                [ColumnSample("c", "", values.type, values, name)], BUILTIN_RULES
            ):
                assert found.path[0] == "c"


def test_a_field_that_statements_cannot_name_tags_what_is_around_it() -> None:
    """A tag stands where a policy can say it: never on a path that nobody can write."""
    inner = [{"Home E-Mail": f"p{n}@example.org", "mail": f"q{n}@example.org"} for n in range(5)]
    values = pa.array([{"contact": each} for each in inner])
    found = classify([ColumnSample("c", "", values.type, values)], BUILTIN_RULES)
    assert {t.path for t in found} == {("c", "contact"), ("c", "contact", "mail")}
