"""Which files make a dataset: the same answer for the crawler and for a scan."""

from pathlib import Path

import pytest

from privet.connector import Connectors, data_files, place
from privet.model.datasets import Format, Source
from privet.model.errors import NotFound, SchemaChanged


@pytest.mark.parametrize(
    ("path", "dataset", "partitions", "hidden"),
    [
        ("a.csv", "", (), False),
        ("sub/a.csv", "/sub", (), False),
        ("year=2024/month=01/a.csv", "", (("year", "2024"), ("month", "01")), False),
        ("sub/k=v/a.csv", "/sub", (("k", "v"),), False),
        ("k=v/sub/a.csv", "/k=v/sub", (), False),
        ("k=__HIVE_DEFAULT_PARTITION__/a.csv", "", (("k", None),), False),
        ("k=a%2Fb%20c/a.csv", "", (("k", "a/b c"),), False),
        ("k=/a.csv", "/k=", (), False),
        ("=v/a.csv", "/=v", (), False),
        ("_k=v/a.csv", "", (("_k", "v"),), False),
        ("_SUCCESS", "", (), True),
        (".a.csv.crc", "", (), True),
        ("_delta_log/0.json", "/_delta_log", (), True),
        (".k=v/a.csv", "/.k=v", (), True),
        ("k=v/_temporary/a.csv", "/k=v/_temporary", (), True),
    ],
)
def test_placement(
    path: str, dataset: str, partitions: tuple[tuple[str, str | None], ...], hidden: bool
) -> None:
    """Trailing `k=v` folders are partitions, the folder above them is the dataset."""
    placement = place("s3://b/root", f"s3://b/root/{path}")
    assert placement.dataset == "s3://b/root" + dataset
    assert placement.partitions == partitions
    assert placement.hidden is hidden


def test_a_file_that_is_the_source_belongs_to_itself() -> None:
    """Also with a name that would be hidden in a folder."""
    assert place("s3://b/_a.csv", "s3://b/_a.csv").dataset == "s3://b/_a.csv"
    assert not place("s3://b/_a.csv", "s3://b/_a.csv").hidden


def source_of(tmp_path: Path, *partitions: str) -> Source:
    return Source(f"file://{tmp_path}", Format.CSV, partitions=partitions)


def write(tmp_path: Path, *paths: str, text: str = "a\n1\n") -> None:
    for path in paths:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)


def test_data_files_leave_out_what_holds_no_rows_of_the_dataset(tmp_path: Path) -> None:
    """Hidden files, empty files, and the datasets in folders below."""
    write(tmp_path, "k=1/a.csv", "k=2/b.csv", "_x/c.csv", "sub/d.csv", "k=2/.e.csv")
    write(tmp_path, "k=3/empty.csv", text="")
    files = list(data_files(Connectors([tmp_path]), source_of(tmp_path, "k")))
    assert [file.info.uri.removeprefix(f"file://{tmp_path}/") for file in files] == [
        "k=1/a.csv",
        "k=2/b.csv",
    ]
    assert files[1].partitions == (("k", "2"),)


def test_data_files_in_unknown_partitions_close_the_dataset(tmp_path: Path) -> None:
    """Nobody has reviewed what such a folder's column means."""
    write(tmp_path, "k=1/a.csv", "k=2/j=1/b.csv")
    with pytest.raises(SchemaChanged):
        list(data_files(Connectors([tmp_path]), source_of(tmp_path, "k")))


def test_data_files_of_nothing_are_not_found(tmp_path: Path) -> None:
    """A dataset whose folder is gone is an error, not an empty table."""
    with pytest.raises(NotFound):
        list(data_files(Connectors([tmp_path]), source_of(tmp_path / "gone")))
