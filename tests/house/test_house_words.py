"""Nothing in the project names a machine it was written on, or a host of a package registry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

HERE = Path("tests/house") / Path(__file__).name

FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w.:/])/(?:work|root|home/\w+|Users/\w+)/"),
    "a host of a package registry": re.compile(
        r"\b(?:pypi\.org|pythonhosted\.org|registry\.npmjs\.org|crates\.io|deb\.debian\.org)\b"
    ),
    "a private key": re.compile(r"-----BEGIN (?:\w+ )*PRIVATE KEY-----"),
    "a conflict marker": re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE),
    "a leftover": re.compile(r"\b(?:TODO|FIXME)\b"),
}


@pytest.mark.parametrize("what", sorted(FORBIDDEN))
def test_no_forbidden_words(texts: Mapping[Path, str], what: str) -> None:
    """No file holds any of these."""
    offenders = [
        f"{path}:{text.count(chr(10), 0, found.start()) + 1}: {found.group()}"
        for path, text in texts.items()
        if path != HERE
        for found in FORBIDDEN[what].finditer(text)
    ]
    assert not offenders, "\n".join([f"{what}:", *offenders])


def test_the_patterns_find_what_they_are_for() -> None:
    """The patterns match an example each, and leave paths of a system alone."""
    examples = {
        "a path of one machine": "cd /home/ada/privet",
        "a host of a package registry": "https://pypi.org/simple",
        "a private key": "-----BEGIN EC PRIVATE KEY-----",
        "a conflict marker": "text\n<<<<<<< ours",
        "a leftover": "# TODO: later",
    }
    assert {what for what, text in examples.items() if FORBIDDEN[what].search(text)} == {*FORBIDDEN}
    assert not FORBIDDEN["a path of one machine"].search("/etc/passwd s3://lake/root/x /v1/root/")
