"""Attributes from a file: what it may be, and what a change of it does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from privet.identity import AttributeFile
from privet.model.errors import AttributesUnavailable, ConfigurationInvalid

TOML = """
[ada]
dept = "claims"
regions = ["north", "south, east"]

["bob@example.com"]
level = 3
"""


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def replace(path: Path, text: str) -> None:
    """Replace a file whole, as one should."""
    write(path.with_suffix(".new"), text).replace(path)


def test_toml_and_json_say_the_same(tmp_path: Path) -> None:
    """By the ending of the name; a user that is not named has none."""
    as_json = '{"ada": {"dept": "claims", "regions": ["north", "south, east"]}}'
    for file in (write(tmp_path / "a.toml", TOML), write(tmp_path / "a.JSON", as_json, 0o644)):
        attributes = AttributeFile(file)
        assert attributes.of("ada") == {"dept": "claims", "regions": 'north,"south, east"'}
        assert attributes.of("Ada") == {}
    assert AttributeFile(tmp_path / "a.toml").of("bob@example.com") == {"level": "3"}


def test_a_change_is_seen_at_the_next_look(tmp_path: Path) -> None:
    """Also the change back."""
    file = write(tmp_path / "a.toml", TOML)
    attributes = AttributeFile(file)
    replace(file, '[ada]\ndept = "audit"\n')
    assert attributes.of("ada") == {"dept": "audit"}
    assert attributes.of("bob@example.com") == {}
    replace(file, TOML)
    assert attributes.of("bob@example.com") == {"level": "3"}


WRONG = {
    "not TOML": ("[ada", "no TOML"),
    "a value that is none": ("[ada]\nsince = 2024-01-31", "of user `'ada'`"),
    "a user without a table": ('ada = "x"', "of user `'ada'`"),
    "a user's name that is none": ('[" ada"]\n', "not a valid user name"),
    "a number without an end": ("[ada]\nx = inf", "of user `'ada'`"),
}


@pytest.mark.parametrize("what", sorted(WRONG))
def test_nonsense_stops_the_start(tmp_path: Path, what: str) -> None:
    """With a sentence about the place, for whoever starts the server."""
    text, said = WRONG[what]
    with pytest.raises(ConfigurationInvalid, match=said):
        AttributeFile(write(tmp_path / "a.toml", text))


def test_json_is_read_strictly(tmp_path: Path) -> None:
    """A user who stands twice could be read in two ways."""
    for text in ('{"ada": {}, "ada": {}}', '["ada"]', "{", ""):
        with pytest.raises(ConfigurationInvalid):
            AttributeFile(write(tmp_path / "a.json", text))


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_nobody_else_may_write_it(tmp_path: Path, mode: int) -> None:
    """Whoever can write it can give themselves what they like."""
    with pytest.raises(ConfigurationInvalid, match="others have rights"):
        AttributeFile(write(tmp_path / "a.toml", TOML, mode))


def test_it_is_a_usual_file(tmp_path: Path) -> None:
    """Neither absent, nor a directory, nor a pipe that would be waited for."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path / "absent", tmp_path, tmp_path / "pipe"):
        with pytest.raises(ConfigurationInvalid, match="cannot be used"):
            AttributeFile(path)


def test_a_change_for_the_worse_refuses_everybody(tmp_path: Path) -> None:
    """Nobody is taken for one without attributes, and no names are told; mended, all is well."""
    file = write(tmp_path / "a.toml", TOML)
    attributes = AttributeFile(file)
    for spoil in (
        lambda: replace(file, "[ada"),
        lambda: file.chmod(0o666),
        file.unlink,
    ):
        spoil()
        for user in ("ada", "somebody else"):
            with pytest.raises(AttributesUnavailable) as refused:
                attributes.of(user)
            assert "a.toml" not in str(refused.value)
            assert "ada" not in str(refused.value)
        replace(file, TOML)
        assert attributes.of("ada")["dept"] == "claims"
