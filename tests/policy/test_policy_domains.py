"""Token domains in the language and in what may be stored; values with few to hide among."""

from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from privet.model.datasets import Column, Dataset, FieldTag, Format, Source
from privet.model.errors import InvalidRequest, ParseFailed, UnknownName
from privet.model.names import PUBLIC_ROLE, DatasetName, TagName
from privet.model.permissions import AccessLevel, Permission, Rights, on_token_domain
from privet.model.principals import Principal
from privet.model.tokens import Profile
from privet.policy import (
    Community,
    Grant,
    Passing,
    Risk,
    Vocabulary,
    admission_risks,
    check,
    from_json,
    may_pass,
    parse,
    to_english,
    to_json,
    to_sql,
)

MRN = TagName("phi", "mrn")
NAME = DatasetName("d", "t")
NOW = datetime(2030, 1, 1, tzinfo=UTC)
VOCABULARY = Vocabulary(
    frozenset({MRN}), frozenset({"r"}), frozenset({"d"}), frozenset({NAME}), frozenset({"patients"})
)


def grant(text: str) -> Permission:
    """The permission of a statement."""
    statement = parse(text)
    assert isinstance(statement, Grant)
    return statement.permission


def table(name: str = "t", uri: str = "file:///lake/t") -> Dataset:
    """A dataset with a tagged column."""
    column = Column("mrn", pa.string(), "mrn", field_tags=(FieldTag(("mrn",), MRN),))
    return Dataset(name, DatasetName("d", name), Source(uri, Format.CSV), (column,))


@pytest.mark.parametrize("domain", ["phi.mrn", "patients", "`select`.mrn", "token", "domain.token"])
@pytest.mark.parametrize("level", ["DETOKENIZE", "ALTER", "SHOW", "MANAGE_GRANTS", "ALL"])
def test_grants_on_token_domains_in_every_form(level: str, domain: str) -> None:
    """They read back from SQL and JSON as they were, and English names the domain."""
    written = grant(f"GRANT {level} ON TOKEN DOMAIN {domain} TO ROLE r WITH GRANT OPTION")
    assert written.scope == on_token_domain(domain.replace("`", ""))
    assert grant(to_sql(written)) == written
    assert from_json(to_json(written)) == written
    assert domain.replace("`", "") in to_english(written)


def test_detokenizing_reads_plainly() -> None:
    """A protection officer is told what it comes to."""
    assert to_english(grant("GRANT DETOKENIZE ON TOKEN DOMAIN phi.mrn TO ROLE r")) == (
        "People with r can turn tokens of domain phi.mrn back into values."
    )


@pytest.mark.parametrize(
    "text",
    [
        "GRANT SELECT ON TOKEN DOMAIN TO ROLE r",
        "GRANT DETOKENIZE ON TOKEN DOMAIN a.b.c TO ROLE r",
        "GRANT DETOKENIZE ON TOKEN DOMAIN `a b` TO ROLE r",
        "GRANT DETOKENIZE ON TOKEN DOMAIN 'phi.mrn' TO ROLE r",
    ],
)
def test_what_names_no_domain(text: str) -> None:
    """It is refused with a position."""
    with pytest.raises(ParseFailed) as caught:
        parse(text)
    assert caught.value.position is not None


def test_domains_that_may_be_named() -> None:
    """Declared ones and the default ones of tags; others are unknown, and near ones are told."""
    for known in ("patients", "phi.mrn"):
        check(grant(f"GRANT DETOKENIZE ON TOKEN DOMAIN {known} TO ROLE r"), VOCABULARY, [])
    with pytest.raises(UnknownName, match=r"unknown token domain `phi\.mrm`") as caught:
        check(grant("GRANT DETOKENIZE ON TOKEN DOMAIN phi.mrm TO ROLE r"), VOCABULARY, [])
    assert "phi.mrn" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "GRANT DETOKENIZE ON DATABASE d TO ROLE r",
        "GRANT DETOKENIZE ON TABLE d.t TO ROLE r",
        "GRANT DETOKENIZE ON ATTRIBUTE NAMESPACE phi TO ROLE r",
        "GRANT SELECT ON TOKEN DOMAIN phi.mrn TO ROLE r",
        "GRANT CREATE ON TOKEN DOMAIN phi.mrn TO ROLE r",
    ],
)
def test_levels_that_mean_nothing_there(text: str) -> None:
    """They are not stored: somebody would believe in them."""
    with pytest.raises(InvalidRequest):
        check(grant(text), VOCABULARY, [])


def test_who_hands_on_detokenizing() -> None:
    """Who manages grants on the domain, or has it with the option; ALL alone is not."""
    wanted = grant("GRANT DETOKENIZE ON TOKEN DOMAIN phi.mrn TO ROLE r")

    def passes(held: str) -> bool:
        rights = Rights(Principal("ann"), 1, frozenset(), (replace(grant(held), id="p"),))
        return bool(may_pass(rights, Passing(wanted), NOW))

    assert passes("GRANT MANAGE_GRANTS ON TOKEN DOMAIN phi.mrn TO ROLE r")
    assert not passes("GRANT ALL ON CATALOG TO ROLE r")
    assert not passes("GRANT DETOKENIZE ON TOKEN DOMAIN phi.mrn TO ROLE r")
    assert passes("GRANT DETOKENIZE ON TOKEN DOMAIN phi.mrn TO ROLE r WITH GRANT OPTION")
    assert not passes("GRANT DETOKENIZE ON TOKEN DOMAIN phi.zip TO ROLE r WITH GRANT OPTION")


TOKENIZES = "GRANT SELECT ON DATABASE d TRANSFORM phi.mrn WITH tokenize() TO ROLE r"


@pytest.mark.parametrize("text", [TOKENIZES, TOKENIZES.replace("tokenize", "tokenize_no_ref")])
def test_few_to_hide_among(text: str) -> None:
    """Where most sampled values have fewer than a million others, format-preserving is refused."""
    small = {(NAME, "mrn"): Profile(100, 51)}
    with pytest.raises(InvalidRequest, match=r"column `d\.t\.mrn`") as caught:
        check(grant(text), VOCABULARY, [table()], profiles=small)
    assert "small_domain" in caught.value.hint
    assert caught.value.position is not None


@pytest.mark.parametrize(
    ("text", "profile"),
    [
        (TOKENIZES + " POLICYPROPERTIES('small_domain'='allow')", Profile(100, 100)),
        (TOKENIZES, Profile(100, 50)),
        (TOKENIZES, Profile(9, 9)),
        (TOKENIZES.replace("tokenize", "nfp_ref_tokenize"), Profile(100, 100)),
        (TOKENIZES.replace("tokenize", "mask"), Profile(100, 100)),
    ],
    ids=["allowed", "half", "too few cells", "opaque", "no token"],
)
def test_enough_to_hide_among(text: str, profile: Profile) -> None:
    """Accepted, not mostly small, hardly sampled, or not format-preserving: it is stored."""
    check(grant(text), VOCABULARY, [table()], profiles={(NAME, "mrn"): profile})


def risks(
    *statements: str,
    groups: dict[str, set[str]] | None = None,
    people: tuple[frozenset[str], ...] = (),
) -> set[Risk]:
    """Who could try values, with `d.t` about to join `d.u`."""
    given = {
        role: frozenset(("privet", g) for g in names) for role, names in (groups or {}).items()
    }
    permissions = [grant(s) for s in statements]
    members = [table("u", "file:///lake/u")]
    found = admission_risks(table(), members, {"phi.mrn"}, permissions, Community(given, people))
    return set(found)


READS = "GRANT SELECT ON TABLE d.u TRANSFORM phi.mrn WITH tokenize() TO ROLE reader"


@pytest.mark.parametrize(
    "writes",
    [
        "GRANT INSERT ON TABLE d.t TO ROLE writer",
        "GRANT ALTER ON DATABASE d TO ROLE writer",
        "GRANT CREATE ON DATABASE d TO ROLE writer",
        "GRANT ALL ON CATALOG TO ROLE writer",
        "GRANT INSERT ON DATABASE `${user}` TO ROLE writer",
    ],
)
def test_writers_who_read_tokens(writes: str) -> None:
    """One group with both roles, or one person seen with them, or everybody, is a risk."""
    assert not risks(writes, READS)
    both = {Risk("writer", "reader")}
    assert risks(writes, READS, groups={"writer": {"g"}, "reader": {"g", "h"}}) == both
    assert risks(writes, READS, people=(frozenset({"writer", "reader"}),)) == both
    everybody = READS.replace("reader", PUBLIC_ROLE)
    assert risks(writes, everybody) == {Risk("writer", PUBLIC_ROLE)}


def test_tokens_in_views_and_copies_are_read_there() -> None:
    """Whoever may read what is made of the domain's tables reads its tokens, whatever the grant."""
    permissions = [
        grant("GRANT INSERT ON TABLE d.t TO ROLE w"),
        grant("GRANT SELECT ON TABLE d.v TO ROLE w"),
    ]
    made = [table("v", "file:///lake/v")]
    for made_of_them, risk in (([], ()), (made, (Risk("w", "w"),))):
        found = admission_risks(table(), [], {"phi.mrn"}, permissions, Community({}), made_of_them)
        assert found == risk


def test_who_has_files_read_writes_them() -> None:
    """SELECT on the path with CREATE somewhere counts as writing, and one without the other not."""
    path, place = (
        "GRANT SELECT ON URI 'file:///lake' TO ROLE w",
        "GRANT CREATE ON DATABASE e TO ROLE w",
    )
    groups = {"w": {"g"}, "reader": {"g"}}
    assert risks(path, place, READS, groups=groups) == {Risk("w", "reader")}
    assert not risks(path, READS, groups=groups)
    assert not risks(place, READS, groups=groups)
    elsewhere = path.replace("lake", "elsewhere")
    assert not risks(elsewhere, place, READS, groups=groups)


def test_reading_without_tokens_is_no_risk() -> None:
    """Clear cells tell their values anyway; a safeguard makes tokens of them."""
    writes = "GRANT INSERT ON TABLE d.t TO ROLE w"
    clear = "GRANT SELECT ON TABLE d.u TO ROLE w"
    assert not risks(writes, clear)
    assert not risks(writes, clear.replace(" TO ", " TRANSFORM phi.mrn WITH mask() TO "))
    restrict = parse("RESTRICT SELECT ON DATABASE d TRANSFORM phi.mrn WITH tokenize() FROM ROLE r")
    assert isinstance(restrict, Grant)
    found = admission_risks(
        table(), [], {"phi.mrn"},
        [grant(writes), grant("GRANT SELECT ON TABLE d.t TO ROLE w"), restrict.permission],
        Community({}),
    )  # fmt: skip
    assert found == (Risk("w", "w"),)
    assert AccessLevel.SELECT.reads
