"""Changes are announced in a way that a release can put together."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path


def test_fragment_names(root: Path) -> None:
    """Each fragment is `ISSUE.KIND.md` or `+words.KIND.md`, of a kind that towncrier knows."""
    settings = tomllib.loads((root / "towncrier.toml").read_text())["tool"]["towncrier"]
    kinds = "|".join(kind["directory"] for kind in settings["type"])
    name = re.compile(rf"(?:\d+|\+[a-z0-9-]+)\.(?:{kinds})(?:\.\d+)?\.md")
    files = [path.name for path in (root / "changelog.d").iterdir() if path.name != "README.md"]
    assert [file for file in files if not name.fullmatch(file)] == []


def test_fragments_say_something(root: Path) -> None:
    """A fragment is prose for release notes: one paragraph, ended by a full stop, no heading."""
    for path in (root / "changelog.d").glob("*.*.md"):
        text = path.read_text().strip()
        assert text.endswith("."), path.name
        assert not text.startswith(("#", "-", "*")), path.name
        assert "\n\n" not in text, path.name


def test_the_changelog_can_take_them(root: Path) -> None:
    """CHANGELOG.md has the mark below which towncrier writes."""
    settings = tomllib.loads((root / "towncrier.toml").read_text())["tool"]["towncrier"]
    assert settings["start_string"] in (root / settings["filename"]).read_text()
