"""A server without its key does not start, and says which one is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from doors.servers import TrialServer, refused_start
from privet.keys import FileKeys
from privet.model.errors import ConfigurationInvalid, KeyUnavailable
from privet.server.settings import Settings
from privet.server.wiring import key_provider

pytestmark = pytest.mark.service
KEY = bytes(range(1, 33)).hex()


@pytest.fixture
def settings(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a file of settings that are otherwise complete."""

    def write(more: str) -> Path:
        file = tmp_path / "privet.toml"
        file.write_text(
            f'state_dir = "{tmp_path / "state"}"\ntls_cert = "{tmp_path / "c"}"\n'
            f'tls_key = "{tmp_path / "k"}"\nrest_port = 0\nflight_port = 0\n{more}\n'
        )
        return file

    return write


def put(path: Path, text: str, mode: int = 0o600) -> Path:
    """A file with a mode of its own."""
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("what", ["missing", "open", "short", "folder"])
def test_a_bad_key_file(tmp_path: Path, settings: Callable[[str], Path], what: str) -> None:
    """One sentence with the path and what to do, exit code 1; nothing is made, no key is shown."""
    path = tmp_path / "its.key"
    match what:
        case "open":
            put(path, KEY, 0o644)
        case "short":
            put(path, KEY[:-2])
        case "folder":
            path.mkdir()
        case _:
            pass
    code, printed = refused_start("--config", str(settings(f'master_key_file = "{path}"')))
    assert code == 1
    assert f"`{path}`" in printed
    assert len(printed.strip().splitlines()) == 1
    assert KEY[:-2] not in printed
    assert not (tmp_path / "state" / "privet.db").exists()


@pytest.mark.parametrize("text", ["", "00", KEY[:-2], KEY + "00"])
def test_a_bad_key_in_the_environment(settings: Callable[[str], Path], text: str) -> None:
    """The variable is named, and what it holds is not."""
    code, printed = refused_start("--config", str(settings("")), PRIVET_MASTER_KEY=text)
    assert code == 1
    assert "PRIVET_MASTER_KEY" in printed
    assert not text or text not in printed.replace("hexadecimal", "")
    assert "Traceback" not in printed


def test_a_plug_in_that_is_not_there(settings: Callable[[str], Path]) -> None:
    """It is named, with what is installed."""
    code, printed = refused_start("--config", str(settings('key_provider = "vault"')))
    assert code == 1
    assert "there is no key provider `vault`" in printed
    assert "Traceback" not in printed


def test_one_place_for_the_key(settings: Callable[[str], Path]) -> None:
    """Two are a mistake, and options without a plug-in."""
    for more in (
        'key_provider = "vault"\nmaster_key_file = "/x"',
        '[key_provider_options]\npath = "/x"',
    ):
        with pytest.raises(ConfigurationInvalid, match="key_provider"):
            Settings.load(settings(more))


def test_the_plug_in_is_asked_before_anything_else(
    tmp_path: Path, settings: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key in the environment, or in the state directory, is not taken in its place."""
    monkeypatch.setenv("PRIVET_MASTER_KEY", KEY)
    (tmp_path / "state").mkdir()
    FileKeys.create(tmp_path / "state" / "master.key")
    chosen = Settings.load(settings('key_provider = "vault"'))
    with pytest.raises(KeyUnavailable, match="vault"):
        key_provider(chosen)


def test_no_core_is_left(server: TrialServer) -> None:
    """When a server breaks, its memory is not written to disk: keys are in it."""
    limits = Path(f"/proc/{server.pid}/limits").read_text()
    (line,) = (line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert line.split()[4:6] == ["0", "0"]
