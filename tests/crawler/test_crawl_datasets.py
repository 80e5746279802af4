"""From files to found datasets: which there are, what they are called, what is wrong with them."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privet.classifier import BUILTIN_RULES
from privet.connector import Connectors
from privet.crawler import CrawlProgress, crawl, run_crawl
from privet.model.crawling.crawls import FoundDataset
from privet.model.datasets import Format, Rule, RuleTarget
from privet.model.errors import Cancelled, InvalidRequest, NotFound, SourceUnavailable
from privet.model.names import TagName

CSV = "id,name\n1,ada\n2,bob\n"


class Lake:
    """A folder of files to crawl."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.connectors = Connectors([root])

    def write(self, path: str, content: str | bytes = CSV) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    def parquet(self, path: str, table: pa.Table) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, self.root / path)

    def crawl(self, path: str = "", rules: tuple[Rule, ...] = ()) -> dict[str, FoundDataset]:
        found = crawl(self.connectors, str(self.root / path), rules)
        named = {each.name: each for each in found}
        assert len(named) == len(found)
        return named

    def one(self, path: str = "") -> FoundDataset:
        (found,) = self.crawl(path).values()
        return found

    def uri(self, path: str = "") -> str:
        return f"file://{self.root}/{path}".rstrip("/")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    root = tmp_path / "Okera-Lake"
    root.mkdir()
    return Lake(root)


def types(found: FoundDataset) -> dict[str, str]:
    return {column.name: str(column.type) for column in found.columns}


def test_a_folder_of_files_is_a_dataset_named_after_it(lake: Lake) -> None:
    """Its files are counted and read as one table."""
    lake.write("medical-costs/part-0.csv")
    lake.write("medical-costs/part-1.csv")
    found = lake.one("medical-costs")
    assert (found.name, found.source.uri) == ("medical_costs", lake.uri("medical-costs"))
    assert (found.files, found.bytes, found.problem) == (2, 2 * len(CSV), "")
    assert found.source.format is Format.CSV
    assert types(found) == {"id": "int64", "name": "string"}


def test_folders_below_are_datasets_of_their_own(lake: Lake) -> None:
    """Also beside files, and two of the same name are told apart in path order."""
    for path in ("a.csv", "x/data/b.csv", "y/Data/c.csv", "2024 sales/d.csv"):
        lake.write(path)
    found = lake.crawl()
    assert {name: each.source.uri for name, each in found.items()} == {
        "okera_lake": lake.uri(),
        "2024_sales": lake.uri("2024 sales"),
        "data": lake.uri("x/data"),
        "data_1": lake.uri("y/Data"),
    }


def test_a_source_that_is_a_file_is_a_dataset_of_that_file(lake: Lake) -> None:
    """It is named after the file, and its neighbours do not matter."""
    lake.write("x/Claims 2024.csv.gz", gzip.compress(CSV.encode()))
    lake.write("x/other.parquet", b"nothing of ours")
    found = lake.one("x/Claims 2024.csv.gz")
    assert (found.name, found.source.uri) == ("claims_2024", lake.uri("x/Claims 2024.csv.gz"))
    assert found.source.options["compression"] == "gzip"
    assert types(found) == {"id": "int64", "name": "string"}


def test_partitions_become_columns_with_inferred_types(lake: Lake) -> None:
    """Integers where all values are, written in the one way; else text."""
    lake.write("t/Year=2024/zip=01234/a.csv")
    lake.write("t/Year=2025/zip=94105/b.csv")
    lake.write("t/Year=__HIVE_DEFAULT_PARTITION__/zip=1/c.csv")
    found = lake.one("t")
    assert found.problem == ""
    assert found.source.partitions == ("Year", "zip")
    assert types(found) == {"id": "int64", "name": "string", "year": "int64", "zip": "string"}
    assert [c.partition for c in found.columns] == [False, False, True, True]
    assert found.columns[2].source_name == "Year"


@pytest.mark.parametrize(
    ("paths", "says"),
    [
        (("k=1/a.csv", "b.csv"), "other partition folders"),
        (("k=1/a.csv", "j=1/b.csv"), "other partition folders"),
        (("id=1/a.csv",), "both a column"),
        (("k=1/k=2/a.csv",), "same name"),
    ],
)
def test_uneven_partitions_are_a_problem(lake: Lake, paths: tuple[str, ...], says: str) -> None:
    """Files at different depths, or a column that is also a folder, cannot be one table."""
    for path in paths:
        lake.write(f"t/{path}")
    assert says in lake.one("t").problem


def test_hidden_and_empty_files_are_skipped_and_counted(lake: Lake) -> None:
    """Markers and work in progress do not hide that they were there."""
    for path in ("t/_SUCCESS", "t/.part.crc", "t/_tmp=/x.csv", "t/a.csv"):
        lake.write(path)
    lake.write("t/empty.csv", "")
    (lake.root / "t" / "nothing").mkdir()
    found = lake.one()
    assert found.files == 1
    assert found.notes == ("2 hidden files skipped", "1 empty file skipped")


@pytest.mark.parametrize(
    ("first", "second"),
    [("a.csv", "b.parquet"), ("a.csv", "b.txt"), ("a.csv", "b.csv.gz"), ("a.csv", "notes")],
)
def test_unlike_files_are_a_problem_that_names_them(lake: Lake, first: str, second: str) -> None:
    """A folder of two kinds of files is found, and cannot be registered."""
    lake.write(f"t/{first}")
    lake.write(f"t/{second}")
    found = lake.one("t")
    assert f"mixes unlike files: `{first}` and `{second}`" in found.problem
    assert (found.files, found.columns) == (2, ())


def test_one_bad_dataset_does_not_stop_the_crawl(lake: Lake) -> None:
    """Each bad file makes a problem of its own dataset, in our words."""
    lake.write("bad/a.parquet", b"PAR1 no footer")
    lake.write("bad2/a.png", b"\x89PNG\r\n\x1a\n\0\0")
    lake.write("bad3/a.xml", "<a/>")
    lake.write("bad4/a.csv.gz", b"\x1f\x8b broken")
    lake.write("bad5/a.csv", b"a,b\n\x00\x01,2\n")
    lake.write("bad6/a.csv", "")
    lake.write("bad7/a.parquet", b"PAREencrypted")
    lake.write("bad8/a.parquet", CSV)
    lake.write("good/a.csv")
    found = lake.crawl()
    problems = {name: each.problem for name, each in found.items()}
    assert problems.pop("good") == ""
    assert problems.pop("bad6") == "is empty"
    assert problems.pop("bad2").startswith("`.png` files cannot be registered")
    assert problems.pop("bad3").startswith("`.xml` files cannot be registered")
    assert "not readable as Parquet" in problems["bad"]
    assert "not readable as gzip" in problems["bad4"]
    assert "neither text nor of a format that is known" in problems["bad5"]
    assert "encrypted" in problems["bad7"]
    assert "is not a Parquet file" in problems["bad8"]


def test_names_that_no_address_may_hold_are_a_problem(lake: Lake) -> None:
    """What the catalog would store can be stored."""
    lake.write("a#b/x.csv")
    lake.write("c\nd/x.csv")
    lake.write("e/new\x7f.csv")
    (lake.root / "f").mkdir()
    (lake.root / "f" / "link.csv").symlink_to("/etc/passwd")
    surrogate = Path(f"{lake.root}/g\udcff")
    surrogate.mkdir()
    (surrogate / "x.csv").write_text(CSV)
    found = lake.crawl()
    assert len(found) == 5
    for each in found.values():
        assert each.problem
        repr(each).encode()
    assert "symbolic link" in found["f"].problem


def test_progress_is_told_and_cancelling_is_heeded(lake: Lake) -> None:
    """At least every 500 objects, and after every dataset."""
    for n in range(1200):
        lake.write(f"t/{n}.csv", "a\n1\n")
    told: list[CrawlProgress] = []
    crawl(lake.connectors, str(lake.root), (), progress=told.append)
    seen = [each.objects_seen for each in told]
    assert max(b - a for a, b in zip([0, *seen], seen, strict=False)) <= 500
    assert (told[-1].objects_seen, len(told[-1].found)) == (1200, 1)
    with pytest.raises(Cancelled):
        crawl(lake.connectors, str(lake.root), (), cancelled=lambda: True)


def test_roots_that_hold_nothing_are_typed_errors(lake: Lake) -> None:
    """An address of nothing is an error of the crawl, each kind with its own class."""
    (lake.root / "empty" / "sub").mkdir(parents=True)
    lake.write("hidden/_x.csv")
    for path in ("empty", "hidden"):
        with pytest.raises(InvalidRequest, match="nothing was found"):
            lake.crawl(path)
    with pytest.raises(NotFound):
        lake.crawl("none")
    with pytest.raises(InvalidRequest, match="outside"):
        crawl(lake.connectors, "/etc", ())
    with pytest.raises(SourceUnavailable):
        lake.crawl("x" * 300)


def test_a_folder_that_cannot_be_listed_is_a_problem_of_its_dataset(lake: Lake) -> None:
    """A dataset of which a partition is missing must not look complete."""
    lake.write("good/a.csv")
    lake.write("t/k=1/a.csv")

    class Breaking(Connectors):
        def walk(self, uri, *, on_error=None, **more):  # noqa: ANN001, ANN003, ANN202
            yield from super().walk(uri, **more)
            if on_error is not None:
                on_error(lake.uri("t/k=2"), SourceUnavailable("access was denied"))
                on_error(lake.uri("u"), SourceUnavailable("access was denied"))

    found = crawl(Breaking([lake.root]), str(lake.root), ())
    assert {each.name: each.problem for each in found} == {
        "good": "",
        "t": "access was denied",
        "u": "access was denied",
    }


def test_columns_are_tagged_with_evidence(lake: Lake) -> None:
    """Rules see names and sampled cells; the counts are those of the sample."""
    rows = "".join(f"{n},{n:08d},555-01{n:02d},p{n}@example.org\n" for n in range(20))
    lake.write("t/a.csv", "id,mrn,phone,contact\n" + rows)
    mrn = Rule("mrn", TagName("phi", "mrn"), "mrn", frozenset({RuleTarget.COLUMN_NAME}))
    found = lake.crawl("t", (*BUILTIN_RULES, mrn))["t"]
    tagged = {c.name: sorted(map(str, c.tags)) for c in found.columns}
    assert tagged == {
        "id": [],
        "mrn": ["phi.mrn"],
        "phone": ["phi.phone_number"],
        "contact": ["pii.email"],
    }
    evidence = found.columns[3].field_tags[0].evidence
    assert evidence is not None
    assert (evidence.target, evidence.sampled, evidence.matched) == ("cell_content", 20, 20)


def test_wide_files_keep_every_column(lake: Lake) -> None:
    """Two hundred columns are found, with their own names."""
    header = ",".join(f"Col {n}" for n in range(200))
    lake.write("t/a.csv", header + "\n" + ",".join(map(str, range(200))) + "\n")
    found = lake.one("t")
    assert len(found.columns) == 200
    assert (found.columns[7].name, found.columns[7].source_name) == ("col_7", "Col 7")


class TestParquet:
    """Footers say what there is."""

    def test_types_are_plain_and_comments_kept(self, lake: Lake) -> None:
        """Encodings are undone, nesting is kept, a file without rows will do."""
        schema = pa.schema(
            [
                pa.field("Id", pa.int32(), metadata={"comment": "key"}),
                pa.field("kind", pa.dictionary(pa.int8(), pa.string())),
                pa.field("text", pa.large_string()),
                pa.field("tags", pa.large_list(pa.large_string())),
                pa.field("person", pa.struct([("name", pa.string_view()), ("age", pa.int16())])),
            ]
        )
        lake.parquet("t/a.parquet", schema.empty_table())
        found = lake.one("t")
        assert found.problem == ""
        assert found.notes == ("has no rows yet",)
        assert found.columns[0].comment == "key"
        assert types(found) == {
            "id": "int32",
            "kind": "string",
            "text": "string",
            "tags": str(pa.list_(pa.string())),
            "person": "struct<name: string, age: int16>",
        }

    def test_rows_are_sampled_for_tags(self, lake: Lake) -> None:
        """Also of encoded columns and names with dots; the format shows in the content."""
        cells = pa.array([f"p{n}@example.org" for n in range(5)])
        lake.parquet("t/part", pa.table({"x": cells.dictionary_encode(), "n.m": cells}))
        found = lake.crawl("t", BUILTIN_RULES)["t"]
        assert found.source.format is Format.PARQUET
        assert [sorted(map(str, c.tags)) for c in found.columns] == [["pii.email"]] * 2
        assert [c.name for c in found.columns] == ["x", "n_m"]

    @pytest.mark.parametrize(
        ("second", "says"),
        [
            ({"a": [1.5], "b": ["x"]}, "conflicting types: `a` is double here and int64"),
            ({"a": [1]}, "lacks `b`"),
            ({"a": [1], "b": ["x"], "c": [1]}, "more columns"),
        ],
    )
    def test_conflicting_files_are_a_problem(
        self, lake: Lake, second: dict[str, list[object]], says: str
    ) -> None:
        """Footers have to agree; the problem says which file and column do not."""
        lake.parquet("t/a.parquet", pa.table({"a": [1], "b": ["x"]}))
        lake.parquet("t/b.parquet", pa.table(second))
        problem = lake.one("t").problem
        assert problem.startswith("`b.parquet`: ")
        assert says in problem

    def test_a_name_that_occurs_twice_is_a_problem(self, lake: Lake) -> None:
        """Columns are bound by name, so a repeated name cannot be registered."""
        lake.parquet("t/a.parquet", pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]))
        assert lake.one("t").problem.startswith("duplicate column name `a`")


def test_the_last_file_is_looked_into_as_well(lake: Lake) -> None:
    """However many there are: what changed meanwhile mostly shows there."""
    for number in range(60):
        lake.write(f"many/part={number:02}/a.csv")
    found = lake.one("many")
    assert (found.problem, found.last_file) == ("", lake.uri("many/part=59/a.csv"))
    lake.write("many/part=60/a.csv", b"other,name\n1,x\n")
    assert "conflicting columns" in lake.one("many").problem


def test_each_file_is_a_dataset_where_that_is_said(lake: Lake) -> None:
    """Called as the file with its ending; whatever else is in the folder does not matter."""
    for path in ("a/one.csv", "a/two.csv", "a/_hidden.csv", "b/part=1/one.csv"):
        lake.write(path)
    lake.write("a/other.csv", b"x,y,z\n1,2,3\n")
    lake.write("a/empty.csv", b"")
    found = run_crawl(lake.connectors, lake.uri(), (), single_files=True).found
    assert {f.name: (f.source.uri, f.problem) for f in found} == {
        "one_csv": (lake.uri("a/one.csv"), ""),
        "two_csv": (lake.uri("a/two.csv"), ""),
        "other_csv": (lake.uri("a/other.csv"), ""),
        "one_csv_1": (lake.uri("b/part=1/one.csv"), ""),
    }
    assert not any(column.partition for each in found for column in each.columns)
