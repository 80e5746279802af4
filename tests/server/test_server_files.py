"""What a server keeps in its directory: for its owner only, and never made anew by surprise."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from doors.servers import TrialServer
from privet.model.errors import ConfigurationInvalid, KeyUnavailable
from privet.server.dev import alone_in, dev_settings, write_private
from privet.server.wiring import services

pytestmark = pytest.mark.service
PRIVATE = ("admin.token", "master.key", "signing-keys.json", "server.key")


def mode(path: Path) -> int:
    """Its permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def test_keys_and_tokens_are_for_their_owner(server: TrialServer) -> None:
    """0600 each, in a directory that nobody else may enter."""
    assert {name: oct(mode(server.home / name)) for name in PRIVATE} == dict.fromkeys(
        PRIVATE, oct(0o600)
    )
    assert mode(server.home) & 0o077 == 0


def test_nothing_secret_is_in_what_is_printed(server: TrialServer) -> None:
    """Neither the admin's token nor a key, and what urls.json holds are addresses."""
    said = server.log.read_text()
    assert server.admin_token not in said
    keys = json.loads((server.home / "signing-keys.json").read_text())["keys"]
    assert not [key for key in keys if key.get("d", "-" * 99) in said]
    assert set(json.loads((server.home / "urls.json").read_text())) == {
        "rest",
        "flight",
        "okera",
        "ca",
    }


def test_private_files_replace_what_was_there(tmp_path: Path) -> None:
    """Whole and 0600, also where a file that everybody may read stood before."""
    file = tmp_path / "admin.token"
    file.write_text("old and longer than the new one\n")
    file.chmod(0o644)
    write_private(file, "new")
    assert file.read_text() == "new\n"
    assert mode(file) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_two_servers_never_share_a_directory(tmp_path: Path) -> None:
    """The second leaves all of the first as it is; once that has ended, another may begin."""
    with alone_in(tmp_path):
        (tmp_path / "urls.json").write_text("{}")
        with (
            pytest.raises(ConfigurationInvalid, match="already runs") as refused,
            alone_in(tmp_path),
        ):
            pass
        assert refused.value.hint
        assert (tmp_path / "urls.json").read_text() == "{}"
    with alone_in(tmp_path):
        pass


@pytest.mark.parametrize("damage", ["gone", "open to others", "cut"])
def test_a_master_key_is_not_made_a_second_time(tmp_path: Path, damage: str) -> None:
    """Another key would change every token: the server does not start, and says which file."""
    settings = dev_settings(tmp_path)
    with services(settings):
        pass
    key = tmp_path / "master.key"
    whole = key.read_bytes()
    match damage:
        case "gone":
            key.unlink()
        case "open to others":
            key.chmod(0o640)
        case _:
            key.write_bytes(whole[:-9])
    with pytest.raises(KeyUnavailable, match=r"master\.key") as refused, services(settings):
        pass
    assert whole.decode("latin-1").strip() not in str(refused.value)
    key.write_bytes(whole)
    key.chmod(0o600)
    with services(settings):
        pass
    assert key.read_bytes() == whole
