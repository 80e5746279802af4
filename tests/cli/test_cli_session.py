"""Tokens that `privet login` keeps."""

import stat
from pathlib import Path

import pytest

from privet.cli.exits import UsageMistake
from privet.cli.session import Session, store_tokens, stored_tokens, tokens_file
from privet.model.errors import Unauthenticated

HERE = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of our own, and nothing in the environment."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("PRIVET_TOKEN", raising=False)
    return tmp_path


def test_tokens_are_kept_for_the_owner_alone() -> None:
    """The file has mode 0600, also when it replaces one, and reads back."""
    assert stored_tokens() == {}
    for tokens in ({HERE: "a"}, {HERE: "b", "https://other": "c"}):
        path = store_tokens(tokens)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stored_tokens() == tokens
        assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_file_that_others_can_read_is_not_used() -> None:
    """It may have been copied; the user has to log in again."""
    store_tokens({HERE: "a"}).chmod(0o644)
    with pytest.raises(UsageMistake, match="others"):
        stored_tokens()


@pytest.mark.parametrize("content", ["", "{", "\x00"])
def test_a_broken_file_is_refused(content: str) -> None:
    """It is not taken for an empty one."""
    store_tokens({}).write_text(content)
    with pytest.raises(UsageMistake, match="cannot be read"):
        stored_tokens()


def test_a_token_goes_to_its_own_server_only() -> None:
    """A stored token is not sent to another address."""
    store_tokens({"https://other": "secret"})
    with pytest.raises(Unauthenticated):
        Session(HERE).rest()


def test_without_an_address_nothing_is_sent() -> None:
    """It is a mistake of usage; a token never shows."""
    with pytest.raises(UsageMistake, match="PRIVET_URL"):
        Session(token="secret").rest()
    assert "secret" not in repr(Session(token="secret"))
    assert tokens_file().name == "tokens.json"
