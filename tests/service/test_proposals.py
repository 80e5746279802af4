"""Proposed tags wait for people: accepted, rejected for good, worked out again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privet.model.crawling.crawls import CrawlStatus
from privet.model.datasets import Dataset, Rule, RuleTarget
from privet.model.errors import InvalidRequest, NotFound, PrivetError
from privet.model.names import DatasetName, TagName
from privet.service.proposals import Evaluated
from privet.service.proposals.forms import rejection_json
from query.platforms import Place, open_place

EMAIL = TagName("pii", "email")
MAILS = [f"someone{n}@example.org" for n in range(40)]
PEOPLE = pa.table(
    {"reach": MAILS, "who": [{"mail": m, "n": 1} for m in MAILS], "n": list(range(40))}
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with open_place(tmp_path_factory.mktemp("proposals") / "p") as place:
        yield place


def evaluated(place: Place, dataset: Dataset) -> Evaluated:
    return place.services.proposals.evaluate(place.admin.caller, dataset.name)


def waiting(place: Place, name: DatasetName) -> set[tuple[tuple[str, ...], str]]:
    listed = place.services.proposals.list(place.admin.caller)
    return {(p.tag.path, str(p.tag.tag)) for p, _ in listed if p.dataset == name}


def test_what_rules_propose_waits_and_changes_nothing(place: Place) -> None:
    """Evaluating puts no tag on anything; each proposal has its evidence."""
    dataset = place.dataset(PEOPLE)
    found = evaluated(place, dataset).waiting
    assert {p.tag.path for p in found} == {("reach",), ("who", "mail")}
    assert place.platform.catalog.datasets.get(dataset.name) == dataset
    for each in found:
        seen = each.tag.evidence
        assert seen is not None
        assert (seen.sampled, seen.matched) == (40, 40)
        assert seen.interval is not None
        assert seen.interval[0] > 0.9
        assert not any(mail in repr(each) for mail in MAILS)


def test_accepting_puts_the_tag_on_with_its_evidence(place: Place) -> None:
    """Of a field inside a column too; then nothing waits, and the same again is not found."""
    dataset = place.dataset(PEOPLE)
    evaluated(place, dataset)
    caller, name = place.admin.caller, dataset.name
    for path in (("reach",), ("who", "mail")):
        place.services.proposals.accept(caller, name, path, EMAIL)
        with pytest.raises(NotFound, match="not proposed"):
            place.services.proposals.accept(caller, name, path, EMAIL)
    after = place.platform.catalog.datasets.get(name)
    tags = [t for c in after.columns for t in c.field_tags]
    assert {t.path for t in tags} == {("reach",), ("who", "mail")}
    assert all(t.evidence and t.evidence.matched == 40 for t in tags)
    assert waiting(place, name) == set()
    assert evaluated(place, after).waiting == ()


def test_what_was_rejected_is_proposed_no_more(place: Place) -> None:
    """Not by evaluating, not by EXECUTE AUTOTAG, not once the files are registered anew."""
    dataset = place.dataset(PEOPLE)
    evaluated(place, dataset)
    caller, name = place.admin.caller, dataset.name
    place.services.proposals.reject(caller, name, ("reach",), EMAIL)
    assert {p.tag.path for p in evaluated(place, dataset).waiting} == {("who", "mail")}
    assert [t.path for t in place.services.tables.autotag(caller, name)] == [("who", "mail")]
    assert waiting(place, name) == set()
    place.services.tables.drop(caller, name)
    columns = tuple(replace(c, field_tags=()) for c in dataset.columns)
    again = place.register(_folder(dataset), PEOPLE.schema, name, {})
    assert again.columns == columns
    assert {p.tag.path for p in evaluated(place, again).waiting} == {("who", "mail")}


def test_execute_autotag_looks_at_every_table(place: Place) -> None:
    """That may be altered: one whose files are broken is named, and the others are tagged."""
    good, broken = place.dataset(PEOPLE), place.dataset(PEOPLE)
    (_folder(broken) / "part.parquet").write_bytes(b"no Parquet")
    reader = place.person(f"GRANT ALTER ON DATABASE {good.name.database}")
    place.grant(f"GRANT ALTER ON DATABASE {broken.name.database}", place.role(reader))
    done = place.services.statements.execute(reader.caller, "EXECUTE AUTOTAG")
    assert {row[0] for row in done.rows} == {str(good.name)}
    assert {row[1] for row in done.rows} == {"reach", "who.mail"}
    assert str(broken.name) in "".join(done.warnings)
    assert (
        place.services.statements.execute(reader.caller, f"EXECUTE AUTOTAG {good.name}").rows == ()
    )


def _folder(dataset: Dataset) -> Path:
    return Path(dataset.source.uri.removeprefix("file://"))


def test_rejecting_takes_off_what_a_rule_put_on(place: Place) -> None:
    """And leaves what a person put on: that was no proposal."""
    dataset = place.dataset(PEOPLE, tags={"n": ["pii.email"]})
    caller, name = place.admin.caller, dataset.name
    place.services.tables.autotag(caller, name)
    place.services.proposals.reject(caller, name, ("reach",), EMAIL)
    after = place.platform.catalog.datasets.get(name)
    assert {t.path for c in after.columns for t in c.field_tags} == {("who", "mail"), ("n",)}
    with pytest.raises(NotFound):
        place.services.proposals.reject(caller, name, ("n",), EMAIL)


def test_statements_that_look_at_files_again_propose_no_more(place: Place) -> None:
    """REPLACE COLUMNS, and CREATE TABLE once the table was dropped."""
    dataset = place.dataset(PEOPLE)
    evaluated(place, dataset)
    caller, name = place.admin.caller, dataset.name
    place.services.proposals.reject(caller, name, ("reach",), EMAIL)

    def tagged() -> set[tuple[str, ...]]:
        after = place.platform.catalog.datasets.get(name)
        return {t.path for c in after.columns for t in c.field_tags}

    place.services.statements.execute(caller, f"ALTER TABLE {name} REPLACE COLUMNS (n INT)")
    replaced = f"ALTER TABLE {name} REPLACE COLUMNS (n BIGINT, reach STRING)"
    place.services.statements.execute(caller, replaced)
    assert tagged() == set()
    place.services.tables.drop(caller, name)
    created = f"CREATE EXTERNAL TABLE {name} LOCATION '{dataset.source.uri}'"
    place.services.statements.execute(caller, created)
    assert tagged() == {("who", "mail")}


def test_a_rejection_can_be_taken_back(place: Place) -> None:
    """Then the tag is proposed again; what was not rejected cannot be reconsidered."""
    dataset = place.dataset(PEOPLE)
    evaluated(place, dataset)
    caller, name = place.admin.caller, dataset.name
    place.services.proposals.reject(caller, name, ("reach",), EMAIL)
    place.services.proposals.reconsider(caller, name, ("reach",), EMAIL)
    assert ("reach",) in {p.tag.path for p in evaluated(place, dataset).waiting}
    with pytest.raises(NotFound, match="not rejected"):
        place.services.proposals.reconsider(caller, name, ("reach",), EMAIL)


def test_rejections_are_cases_that_new_rules_are_tried_on(place: Place) -> None:
    """A case has the column's name, type and formats, and no cell; a rule that finds it is told."""
    dataset = place.dataset(PEOPLE.rename_columns(["mail_box", "who", "n"]))
    evaluated(place, dataset)
    caller = place.admin.caller
    path = (dataset.columns[0].name,)
    with pytest.raises(PrivetError):
        place.services.proposals.reject(caller, dataset.name, ("nowhere",), EMAIL)
    place.services.proposals.reject(caller, dataset.name, path, EMAIL)
    (case,) = (r for r in place.services.proposals.rejections(caller) if r.path == path)
    told = rejection_json(case)
    assert told["column"] == "mail_box"
    assert told["verdict"] == "rejected"
    assert told["evidence"]["examples"] == ["aaaaaaa99@aaaaaaa.aaa", "aaaaaaa9@aaaaaaa.aaa"]
    assert not any(mail in repr(told) for mail in MAILS)
    names = frozenset({RuleTarget.COLUMN_NAME})
    found = place.services.proposals.contradicted(caller, Rule("r", EMAIL, "mail.?box", names))
    assert [r.path for r in found] == [path]
    other = Rule("r", EMAIL, "inbox", names)
    assert place.services.proposals.contradicted(caller, other) == ()


def test_proposals_tell_when_rules_changed_since(place: Place) -> None:
    """A new rule makes what waits outdated, until it is worked out again."""
    dataset = place.dataset(PEOPLE)
    evaluated(place, dataset)
    caller = place.admin.caller

    def outdated() -> set[bool]:
        listed = place.services.proposals.list(caller)
        return {old for p, old in listed if p.dataset == dataset.name}

    assert outdated() == {False}
    rule = Rule("counts", TagName("pii", "zip"), "^n$", frozenset({RuleTarget.COLUMN_NAME}))
    place.services.tags.create_rule(caller, rule)
    assert outdated() == {True}
    found = evaluated(place, dataset).waiting
    assert (("n",), "pii.zip") in {(p.tag.path, str(p.tag.tag)) for p in found}
    assert outdated() == {False}
    place.services.proposals.accept(caller, dataset.name, ("n",), rule.tag)
    place.services.tags.drop_rule(caller, "counts")
    unsupported = evaluated(place, dataset).unsupported
    assert [(t.path, t.tag) for t in unsupported] == [(("n",), rule.tag)]


def test_a_crawl_proposes_again_when_the_data_changed(place: Place) -> None:
    """What is found at the path of a registered dataset waits, but for what was rejected there."""
    folder = place.lake / place.unique("crawled") / "t"
    folder.mkdir(parents=True)
    plain = pa.table({"a": ["x1", "x2"] * 20, "b": ["y"] * 40})
    pq.write_table(plain, folder / "part.parquet")
    name = DatasetName(place.unique("db"), "t")
    place.register(folder, plain.schema, name, {})
    pq.write_table(pa.table({"a": MAILS, "b": MAILS}), folder / "part.parquet")
    crawled(place, folder)
    assert waiting(place, name) == {(("a",), "pii.email"), (("b",), "pii.email")}
    place.services.proposals.reject(place.admin.caller, name, ("b",), EMAIL)
    pq.write_table(pa.table({"a": MAILS[1:], "b": MAILS[1:]}), folder / "part.parquet")
    crawled(place, folder)
    assert waiting(place, name) == {(("a",), "pii.email")}


def crawled(place: Place, folder: Path) -> None:
    found = place.crawl(place.admin, place.unique("crawl"), f"file://{folder}")
    assert found.status is CrawlStatus.COMPLETED, found


def test_views_have_no_proposals_and_others_see_none(place: Place) -> None:
    """Readers list nothing, and cannot answer: a dataset that they cannot see reads as absent."""
    dataset = place.dataset(PEOPLE)
    evaluated(place, dataset)
    reader = place.person()
    assert place.services.proposals.list(reader.caller) == ()
    assert place.services.proposals.rejections(reader.caller) == ()
    for answer in (
        lambda: place.services.proposals.evaluate(reader.caller, dataset.name),
        lambda: place.services.proposals.accept(reader.caller, dataset.name, ("reach",), EMAIL),
        lambda: place.services.proposals.reject(reader.caller, dataset.name, ("reach",), EMAIL),
        lambda: place.services.proposals.reconsider(reader.caller, dataset.name, ("x",), EMAIL),
    ):
        with pytest.raises(PrivetError) as refused:
            answer()
        assert refused.value.code in {"forbidden", "not_found"}
    view = DatasetName(dataset.name.database, "v")
    place.grant(f"GRANT SELECT ON DATABASE {view.database}", place.role(place.admin))
    place.services.statements.execute(
        place.admin.caller, f"CREATE VIEW {view} AS SELECT reach FROM {dataset.name}"
    )
    with pytest.raises(InvalidRequest, match="is a view"):
        place.services.proposals.evaluate(place.admin.caller, view)
