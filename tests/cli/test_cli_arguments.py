"""What options mean before anything is sent."""

from pathlib import Path

import pytest

from privet.cli.crawls import evidence_text, source_of
from privet.cli.exits import UsageMistake
from privet.cli.rules import one_pattern
from privet.cli.scans import Format, choose_format
from privet.cli.sessions import parse_lifetime
from privet.cli.users import split_names


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", None), ("90", 90), ("90s", 90), ("15m", 900), ("8h", 28800), ("7D", 604800)],
)
def test_a_lifetime_is_a_number_and_a_unit(text: str, seconds: int | None) -> None:
    """Empty leaves it to the server."""
    assert parse_lifetime(text) == seconds


@pytest.mark.parametrize("text", ["0", "-5m", "1.5h", "h", "8 h", "8y", "8hh", "99999999999"])
def test_what_is_no_lifetime_is_refused(text: str) -> None:
    """A token never lives for something nobody meant."""
    with pytest.raises(UsageMistake):
        parse_lifetime(text)


def test_names_are_separated_by_commas() -> None:
    """White space and empty parts do not count."""
    assert split_names(" a, b ,,c ") == ["a", "b", "c"]
    assert split_names("") == []


def test_a_rule_has_one_pattern() -> None:
    """The same pattern may look in several places; different ones and none are refused."""
    assert one_pattern({"column_name": "mrn", "cell_content": "mrn"}) == (
        ["column_name", "cell_content"],
        "mrn",
    )
    with pytest.raises(UsageMistake, match="differ"):
        one_pattern({"column_name": "a", "cell_content": "b"})
    with pytest.raises(UsageMistake, match="needs a pattern"):
        one_pattern({})


@pytest.mark.parametrize(
    ("form", "output", "terminal", "chosen"),
    [
        (None, None, True, Format.TABLE),
        (None, None, False, Format.CSV),
        (None, Path("x"), True, Format.CSV),
        (Format.CSV, None, True, Format.CSV),
        (Format.TABLE, None, False, Format.TABLE),
        (Format.ARROW, None, False, Format.ARROW),
        (Format.PARQUET, Path("x"), True, Format.PARQUET),
    ],
)
def test_the_format_fits_the_place(
    form: Format | None, output: Path | None, terminal: bool, chosen: Format
) -> None:
    """A table for people, CSV for programs, and what was asked for otherwise."""
    assert choose_format(form, output, terminal=terminal) is chosen


@pytest.mark.parametrize(
    ("form", "output"),
    [(Format.ARROW, None), (Format.PARQUET, None), (Format.TABLE, Path("x"))],
)
def test_bytes_do_not_go_to_terminals_nor_tables_to_files(
    form: Format, output: Path | None
) -> None:
    """Both are refused with what to do instead."""
    with pytest.raises(UsageMistake):
        choose_format(form, output, terminal=True)


def test_a_path_is_made_absolute_and_a_uri_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server stands in another folder than the one who types."""
    monkeypatch.chdir(tmp_path)
    assert source_of("lake/costs") == str(tmp_path / "lake" / "costs")
    assert source_of("/data/costs") == "/data/costs"
    assert source_of("s3://bucket/costs") == "s3://bucket/costs"


def test_evidence_reads_as_a_reason() -> None:
    """It names the rule, what matched and how much of it."""
    assert evidence_text(None) == ""
    name = {"rule": "mrn", "target": "column_name", "sampled": 0, "matched": 0, "detail": ""}
    assert evidence_text(name) == "rule mrn: column name"
    cells = {"rule": "card", "target": "cell_content", "sampled": 1000, "matched": 990}
    assert evidence_text({**cells, "detail": "luhn"}) == (
        "rule card: cell content, 990 of 1,000 cells (luhn)"
    )
