"""The template of HIPAA Safe Harbor on a fresh catalog: each of the 18 identifiers is gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from privet.classifier import BUILTIN_TAGS
from privet.cli.policies.sql_text import split
from privet.cli.policies.templates import (
    HIPAA,
    IDENTIFIERS,
    ROLE,
    own_tags,
    template_files,
    template_sql,
)
from privet.model.errors import InvalidRequest
from privet.privacy.general.zip3 import RESTRICTED
from query.platforms import Place, open_place

AREAS_OF_2000 = "036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893".split()
ROWS = 60
SECRET = "Q9x-secret"
ZIPS = [f"{AREAS_OF_2000[n]}12" if n < 17 else f"902{n:02d}-1234" for n in range(ROWS)]
BORN = [date(1900 + 2 * n, 7, 9) for n in range(ROWS)]
AGES = [50 + n for n in range(ROWS)]
TRANSFORMED: dict[str, list[Any]] = {
    "pii_zip": ZIPS,
    "phi_date": [date(2019, 1 + n % 12, 1 + n % 28) for n in range(ROWS)],
    "phi_care_date": [date(2019, 1 + n % 12, 1 + n % 28) for n in range(ROWS)],
    "pii_date_of_birth": BORN,
    "phi_age": AGES,
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform without anything, and the template applied to it, statement by statement."""
    with open_place(tmp_path_factory.mktemp("harbor") / "p") as place:
        for statement in split(template_sql(HIPAA, ROLE), "template"):
            place.services.statements.execute(place.admin.caller, statement.text)
        yield place


def every_tag() -> list[str]:
    return [tag for each in IDENTIFIERS for tags, _ in each.clauses for tag in tags]


def people() -> pa.Table:
    """A column for each tag: its values say which column they are of."""
    columns = {}
    for tag in every_tag():
        name = tag.replace(".", "_")
        columns[name] = TRANSFORMED.get(name, [f"{SECRET} {name} {n}" for n in range(ROWS)])
    return pa.table({**columns, "charges": [float(n) for n in range(ROWS)]})


def test_there_are_eighteen() -> None:
    """(A) to (R), none twice, no tag in two of them, and the page says the same."""
    assert [each.letter for each in IDENTIFIERS] == list("ABCDEFGHIJKLMNOPQR")
    assert len(every_tag()) == len(set(every_tag()))
    page = Path(__file__).parents[2] / "docs/how-to/hipaa-safe-harbor.md"
    text = page.read_text("utf-8")
    assert all(f"`{tag}`" in text for tag in every_tag())
    assert all(f"| {each.letter} |" in text for each in IDENTIFIERS)
    assert " ".join(AREAS_OF_2000) in " ".join(text.split())


def test_what_the_classifier_finds_is_taken_away() -> None:
    """The template has every built-in tag that is of an identifier, and makes none of them."""
    found = {str(tag) for tag, _ in BUILTIN_TAGS}
    assert found - {*every_tag()} == {"phi.diagnosis"}
    assert not {*own_tags()} & found


def test_the_areas_of_the_census_of_2000() -> None:
    """The 17 of the guidance of HHS, no more and no less, under the name of their census."""
    (listed,) = (areas for source, areas in RESTRICTED.items() if source.startswith("Census 2000"))
    assert listed.split() == AREAS_OF_2000


def test_what_is_left(place: Place) -> None:
    """Names and numbers are NULL; of dates the year is left, of ages those up to 90.

    Of ZIP codes three digits where enough people live. Another grant of the reader's shows no more.
    """
    table = people()
    tags = {tag.replace(".", "_"): [tag] for tag in every_tag()}
    dataset = place.dataset(table, tags=tags)
    reader = place.person(f"GRANT SELECT ON DATABASE {dataset.name.database}")
    place.platform.catalog.roles.map_group(ROLE, f"user:{reader.user}")
    seen = place.scan(reader, str(dataset.name))
    assert seen.column_names == table.column_names
    assert seen.num_rows == ROWS
    assert SECRET not in repr(seen.to_pylist())
    for name in seen.column_names:
        if name not in TRANSFORMED and name != "charges":
            assert seen[name].null_count == ROWS, name
    zips = [None if z[:3] in AREAS_OF_2000 else z[:3] for z in ZIPS]
    assert seen["pii_zip"].to_pylist() == [z or "000" for z in zips]
    assert set(seen["phi_date"].to_pylist()) == {date(2019, 1, 1)}
    assert seen["phi_age"].to_pylist() == [min(age, 90) for age in AGES]
    oldest = datetime.now(UTC).year - 90
    born = [date(max(d.year, oldest), 1, 1) for d in BORN]
    assert seen["pii_date_of_birth"].to_pylist() == born
    assert seen["charges"].null_count == 0


def test_what_cannot_be_cut_is_hidden(place: Place) -> None:
    """A date that is a text, or an age that is one, is not shown at all."""
    table = pa.table({"d": ["2019-05-04"], "a": ["97"], "rest": [1]})
    tags = {"d": ["phi.date"], "a": ["phi.age"]}
    dataset = place.dataset(table, tags=tags)
    reader = place.person(f"GRANT SELECT ON DATABASE {dataset.name.database}")
    place.platform.catalog.roles.map_group(ROLE, f"user:{reader.user}")
    assert place.scan(reader, str(dataset.name)).column_names == ["rest"]


def test_statements_can_be_applied_again(place: Place) -> None:
    """Tags and role are made unless they are there; a safeguard that is there is a conflict."""
    for statement in split(template_sql(HIPAA, ROLE), "template"):
        if statement.text.startswith("CREATE"):
            place.services.statements.execute(place.admin.caller, statement.text)


def test_other_roles_and_other_templates(place: Place) -> None:
    """The role is a matter of choice; there is one template."""
    text = template_sql(HIPAA, "other_role")
    assert ROLE not in text
    assert set(template_files(HIPAA, "other_role")) == {
        "tags.toml",
        "roles.toml",
        "permissions/other_role.sql",
    }
    with pytest.raises(InvalidRequest, match="no template"):
        template_sql("gdpr", ROLE)
