"""The reference is what the commands are."""

from pathlib import Path

from privet.cli.reference import render

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def test_the_reference_is_current() -> None:
    """Written anew with `python -m privet.cli.reference docs/reference/cli.md`."""
    assert PAGE.read_text("utf-8") == render()
