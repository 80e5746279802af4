"""Crawling the same place again: what is unchanged is not opened, and nothing is missed."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.schema import Field as DeltaField
from deltalake.schema import PrimitiveType

from privet.catalog import Catalog, Starter
from privet.connector import Connectors, ObjectInfo
from privet.crawler import Crawled, CrawlProgress, run_crawl
from privet.crawler.groups import LOOKED_AT
from privet.crawler.walking.survey import PROGRESS_EVERY
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Rule, RuleTarget
from privet.model.errors import Cancelled, InvalidRequest, SourceUnavailable
from privet.model.names import TagName
from privet.policy import from_json, to_json
from privet.service.crawling import RunMemory
from privet.store import migrate, open_engine

CSV = "id,name\n1,ada\n2,bob\n"
NAMES = Rule("name", TagName("pii", "person_name"), "name", frozenset({RuleTarget.COLUMN_NAME}))


class Breaking(Connectors):
    """Connectors that break at some addresses, and count what they open."""

    def __init__(self, root: Path) -> None:
        super().__init__([root])
        self.opened: list[str] = []
        self.broken: dict[str, SourceUnavailable] = {}
        self.listed: int | None = None

    def walk(self, uri: str, **more: Any) -> Iterator[ObjectInfo]:
        for number, info in enumerate(super().walk(uri, **more)):
            if number == self.listed:
                raise SourceUnavailable("the source cannot be reached")
            yield info

    def open_file(self, uri: str) -> pa.NativeFile:
        self.opened.append(uri.rpartition("/")[2])
        for name, error in self.broken.items():
            if uri.endswith(name):
                raise error
        return super().open_file(uri)

    def open_stream(self, uri: str) -> pa.NativeFile:
        self.opened.append(uri.rpartition("/")[2])
        return super().open_stream(uri)


class Lake:
    """A folder that one crawl of a catalog walks again and again."""

    def __init__(self, root: Path, store: Path) -> None:
        engine = open_engine(f"sqlite:///{store}")
        migrate(engine)
        self.close = engine.dispose
        self.catalog = Catalog(engine, to_json, from_json)
        self.root = root
        self.connectors = Breaking(root)

    def write(self, path: str, content: str = CSV) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)

    def crawl(self, rules: Sequence[Rule] = (), **more: Any) -> Crawled:
        run = self.catalog.crawls.start("c", str(self.root), by=Starter("ada")).run
        memory = RunMemory(self.catalog.crawl_memory, "c", run)
        self.connectors.opened.clear()
        try:
            crawled = run_crawl(self.connectors, str(self.root), rules, memory=memory, **more)
        finally:
            self.catalog.crawls.finish("c", ())
        assert crawled.report.opened == len(self.connectors.opened)
        return crawled

    def fresh(self, rules: Sequence[Rule] = ()) -> tuple[FoundDataset, ...]:
        """What a crawl without any memory finds."""
        return run_crawl(Connectors([self.root]), str(self.root), rules).found


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    root = tmp_path / "lake"
    root.mkdir()
    made = Lake(root, tmp_path / "store.db")
    yield made
    made.close()


def test_nothing_is_opened_where_nothing_changed(lake: Lake) -> None:
    """The same is found, with its tags, and the report says that all was as it had been."""
    for day in range(3):
        lake.write(f"t/day={day}/a.csv")
        pq.write_table(pa.table({"mrn": ["1"]}), _made(lake.root / f"p/day={day}/a.parquet"))
    lake.write("t/_SUCCESS", "")
    first = lake.crawl([NAMES])
    assert first.report.new == 6
    assert first.report.opened > 0
    again = lake.crawl([NAMES])
    assert again.found == first.found == lake.fresh([NAMES])
    report = again.report
    assert (report.opened, report.kept, report.unchanged, report.hidden) == (0, 2, 6, 1)
    assert (report.new, report.changed, report.gone, report.problems) == (0, 0, 0, ())


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_only_added_files_are_opened(lake: Lake) -> None:
    """Also where more were there already than are looked into at first."""
    for day in range(LOOKED_AT + 5):
        lake.write(f"t/day={day:03}/a.csv")
    lake.crawl([NAMES])
    lake.write("t/day=900/new.csv")
    crawled = lake.crawl([NAMES])
    assert lake.connectors.opened == ["new.csv"]
    assert crawled.found == lake.fresh([NAMES])
    assert (crawled.report.new, crawled.found[0].files) == (1, LOOKED_AT + 6)
    assert lake.crawl([NAMES]).report.opened == 0


def test_what_an_added_file_shows_is_taken_in(lake: Lake) -> None:
    """A wider type, a text among the partitions' numbers, and columns that do not fit its own."""
    lake.write("t/day=1/a.csv")
    lake.crawl()
    lake.write("t/day=x/b.csv", "id,name\n1.5,eve\n")
    (found,) = lake.crawl().found
    assert {c.name: str(c.type) for c in found.columns} == {
        "id": "double",
        "name": "string",
        "day": "string",
    }
    lake.write("t/day=y/c.csv", "id,name,phone\n1,eve,5\n")
    (found,) = lake.crawl().found
    assert "`c.csv`" in found.problem
    assert lake.crawl().report.opened == 0


@pytest.mark.parametrize("change", ["rewritten", "replaced", "gone"])
def test_a_change_makes_a_dataset_looked_into_again(lake: Lake, change: str) -> None:
    """Of the same size within the same second too; other datasets are left alone."""
    for name in ("a", "b"):
        lake.write(f"t/{name}.csv")
        lake.write(f"u/{name}2.csv")
    lake.crawl()
    path = lake.root / "t/a.csv"
    before = path.stat()
    if change == "gone":
        path.unlink()
    else:
        target = path.with_name("other") if change == "replaced" else path
        target.write_text(CSV.replace("1,", "x,"))
        os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))
        target.rename(path)
    crawled = lake.crawl()
    expected = {"gone": (0, 1)}.get(change, (1, 0))
    assert (crawled.report.changed, crawled.report.gone) == expected
    assert crawled.found == lake.fresh()
    assert crawled.report.kept == 1
    assert set(lake.connectors.opened) <= {"a.csv", "b.csv"}
    assert lake.crawl().report.opened == 0


def test_other_rules_look_again(lake: Lake) -> None:
    """A rule that came since proposes its tag, and one that went proposes none."""
    lake.write("t/a.csv")
    assert not lake.crawl().found[0].columns[1].tags
    assert lake.crawl([NAMES]).found[0].columns[1].tags == {NAMES.tag}
    assert lake.crawl([NAMES]).report.opened == 0
    assert not lake.crawl([replace(NAMES, pattern="phone")]).found[0].columns[1].tags


def test_a_file_that_cannot_be_reached_is_reported_and_the_rest_goes_on(lake: Lake) -> None:
    """By name in the report and the notes; it is tried again although nothing changed."""
    for name in ("a", "b", "c"):
        lake.write(f"t/{name}.csv")
    lake.write("u/d.csv")
    lake.connectors.broken["b.csv"] = SourceUnavailable("access was denied to `b.csv`")
    crawled = lake.crawl()
    assert [found.problem for found in crawled.found] == ["", ""]
    assert any("access was denied to `b.csv`" in note for note in crawled.found[0].notes)
    (problem,) = crawled.report.problems
    assert problem.uri.endswith("t/b.csv")
    assert crawled.report.problem_count == 1
    lake.connectors.broken.clear()
    again = lake.crawl()
    assert again.report.kept == 1
    assert again.found == lake.fresh()


def test_a_dataset_out_of_reach_is_given_up_after_a_few_files(lake: Lake) -> None:
    """Nobody waits for each of fifty timeouts."""
    for number in range(LOOKED_AT):
        lake.write(f"t/{number}.csv")
    lake.write("u/d.csv")
    lake.connectors.broken[".csv"] = SourceUnavailable("the source cannot be reached")
    crawled = lake.crawl()
    assert [found.problem for found in crawled.found] == ["the source cannot be reached"] * 2
    assert len(lake.connectors.opened) == 4
    assert crawled.report.problem_count == 4


def test_a_listing_that_breaks_off_hides_nothing(lake: Lake) -> None:
    """What may be incomplete says so, what is whole is found, and nothing counts as gone."""
    for name in ("a/1", "b/1", "b/2", "c/1"):
        lake.write(f"{name}.csv")
    lake.crawl()
    lake.connectors.listed = 2
    crawled = lake.crawl()
    assert crawled.report.broke_off.startswith("the source cannot be reached")
    assert {found.name: found.problem for found in crawled.found} == {
        "a": "",
        "b": "the source cannot be reached",
    }
    assert crawled.report.gone == 0
    lake.connectors.listed = 0
    with pytest.raises(SourceUnavailable):
        lake.crawl()
    lake.connectors.listed = None
    whole = lake.crawl()
    assert whole.found == lake.fresh()
    assert whole.report.gone == 0
    assert whole.report.kept == 2


def test_a_cancelled_crawl_is_gone_on_with(lake: Lake) -> None:
    """What was looked into before is not opened again."""
    for name in "abcd":
        lake.write(f"{name}/{name}.csv")
    asked: list[int] = []

    def cancelled() -> bool:
        return len(asked) == 2

    def progress(now: CrawlProgress) -> None:
        if now.found:
            asked.append(len(now.found))

    with pytest.raises(Cancelled):
        lake.crawl(progress=progress, cancelled=cancelled)
    crawled = lake.crawl()
    assert crawled.report.kept == 2
    assert set(lake.connectors.opened) == {"c.csv", "d.csv"}
    assert crawled.found == lake.fresh()


def test_names_that_no_address_can_hold_are_reported(lake: Lake) -> None:
    """And never remembered: a store could not keep them."""
    lake.write("t/a.csv")
    lake.write("t/new\nline.csv")
    crawled = lake.crawl()
    assert [p.uri.rpartition("/")[2] for p in crawled.report.problems] == ["new\ufffdline.csv"]
    assert "a name that no address can hold" in crawled.found[0].problem
    assert lake.crawl().report.problem_count == 1


def test_a_link_is_a_problem_and_never_followed(lake: Lake, tmp_path: Path) -> None:
    """Also one that leads out of the root, by `..` or not."""
    (tmp_path / "secret.csv").write_text("secret\n1\n")
    lake.write("t/a.csv")
    (lake.root / "t/b.csv").symlink_to("../../secret.csv")
    (lake.root / "u").symlink_to(tmp_path)
    by_name = {found.name: found.problem for found in lake.crawl().found}
    assert "symbolic link" in by_name["t"]
    assert not any("secret" in name for name in by_name)
    with pytest.raises(InvalidRequest):
        run_crawl(lake.connectors, f"{lake.root}/../", ())


class Endless(Connectors):
    """A listing without files behind it."""

    def __init__(self, root: Path, make: Callable[[int], str], count: int) -> None:
        super().__init__([root])
        self._make = make
        self._count = count

    def walk(self, uri: str, **_: Any) -> Iterator[ObjectInfo]:
        at = datetime(2026, 1, 1, tzinfo=UTC)
        for number in range(self._count):
            yield ObjectInfo(f"{uri}/{self._make(number)}", 1, at, str(number))


def test_memory_is_bounded_by_datasets_not_by_objects(lake: Lake) -> None:
    """Of fifty thousand objects no more are held than are looked into and compared at once."""
    most = 0

    def count(_: CrawlProgress) -> None:
        nonlocal most
        most = max(most, sum(isinstance(each, ObjectInfo) for each in gc.get_objects()))

    before = sum(isinstance(each, ObjectInfo) for each in gc.get_objects())
    many = Endless(lake.root, lambda n: f"t/day={n}/a.csv", 50_000)
    (found,) = run_crawl(many, str(lake.root), (), progress=count).found
    assert found.files == 50_000
    assert most - before <= PROGRESS_EVERY + 2 * LOOKED_AT + 2


def test_too_many_datasets_are_refused(lake: Lake) -> None:
    """Rather than held without end."""
    many = Endless(lake.root, lambda n: f"{n}/a.csv", 10_001)
    with pytest.raises(InvalidRequest, match="10,000 folders"):
        run_crawl(many, str(lake.root), ())


def test_a_table_with_a_log_is_always_read_again(lake: Lake) -> None:
    """Its log alone may add a column; the files below it are known all the same."""
    path = str(lake.root / "d")
    write_deltalake(path, pa.table({"id": [1], "day": ["x"]}), partition_by=["day"])
    lake.write("t/a.csv")
    first = lake.crawl()
    assert {found.name: found.problem for found in first.found} == {"d": "", "t": ""}
    field = DeltaField("phone", PrimitiveType("string"), nullable=True)
    DeltaTable(path).alter.add_columns([field])
    again = lake.crawl()
    assert again.found == lake.fresh()
    columns = {c.name for found in again.found for c in found.columns if found.name == "d"}
    assert columns == {"id", "day", "phone"}
    assert (again.report.new, again.report.unchanged, again.report.kept) == (0, 2, 1)
