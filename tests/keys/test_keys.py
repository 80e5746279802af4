"""Where keys come from: what is accepted, what is refused, and that nothing shows them."""

import base64
import copy
import os
import pickle
from pathlib import Path

import pytest

from privet.keys import EnvironmentKeys, FileKeys, KeyProvider, KeyRing
from privet.model.errors import InvalidRequest, KeyUnavailable

KEY = bytes(range(1, 33))


class FixedKeys:
    """A provider with the key given to it."""

    def __init__(self, key: bytes = KEY) -> None:
        self.key = key

    def master(self) -> bytes:
        return self.key


def write(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    "content",
    [KEY, KEY.hex().encode(), KEY.hex().upper().encode() + b"\n", base64.b64encode(KEY) + b"\n"],
    ids=["raw", "hex", "upper-hex", "base64"],
)
def test_file_spellings(tmp_path: Path, content: bytes) -> None:
    """A key file may hold the key raw, in hexadecimal or in base64."""
    assert FileKeys(write(tmp_path / "key", content)).master() == KEY


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o601, 0o620, 0o660, 0o777])
def test_file_open_to_others(tmp_path: Path, mode: int) -> None:
    """A file that anybody but its owner can touch is refused, and the error says what to do."""
    path = write(tmp_path / "key", KEY, mode)
    with pytest.raises(KeyUnavailable, match="chmod 600"):
        FileKeys(path).master()


@pytest.mark.parametrize(
    "content",
    [b"", b"!few!", KEY[:31], KEY + b"x", KEY.hex().encode()[:-2], KEY.hex()[:32].encode()],
    ids=["empty", "few", "31", "33", "62-hex", "half-hex"],
)
def test_file_without_a_key(tmp_path: Path, content: bytes) -> None:
    """Anything but 32 bytes is refused, and the error does not repeat it."""
    path = write(tmp_path / "key", content)
    with pytest.raises(KeyUnavailable) as caught:
        FileKeys(path).master()
    assert not content or content.decode("latin1") not in str(caught.value)


def test_file_missing_folder_or_pipe(tmp_path: Path) -> None:
    """A missing file, a folder and a pipe are refused at once."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path / "none", tmp_path, tmp_path / "pipe"):
        with pytest.raises(KeyUnavailable, match=path.name):
            FileKeys(path).master()


def test_create(tmp_path: Path) -> None:
    """A created file is private whatever the umask, holds a key, and is never overwritten."""
    path = tmp_path / "key"
    before = os.umask(0)
    try:
        keys = FileKeys.create(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    master = keys.master()
    assert len(master) == 32
    with pytest.raises(KeyUnavailable, match="exists already"):
        FileKeys.create(path)
    assert FileKeys(path).master() == master
    with pytest.raises(KeyUnavailable, match="cannot be written"):
        FileKeys.create(tmp_path / "no" / "key")


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable may hold hexadecimal or base64; unset or wrong is refused by name."""
    keys = EnvironmentKeys()
    for text in (KEY.hex(), base64.b64encode(KEY).decode()):
        monkeypatch.setenv("PRIVET_MASTER_KEY", text)
        assert keys.master() == KEY
    for text in ("", "x" * 64, "é", KEY.hex()[:-1]):
        monkeypatch.setenv("PRIVET_MASTER_KEY", text)
        with pytest.raises(KeyUnavailable, match="PRIVET_MASTER_KEY"):
            keys.master()
    monkeypatch.delenv("PRIVET_MASTER_KEY")
    with pytest.raises(KeyUnavailable, match="not set"):
        keys.master()


def test_derivation_is_frozen() -> None:
    """Derived keys never change: tokens hang on them. The value is RFC 5869's, by hand."""
    import hashlib
    import hmac

    info = b"\0\0\0\5token\0\0\0\2fp\0\0\0\7phi.mrn\0\0\0\x011"
    pseudo_random = hmac.digest(b"\0" * 32, KEY, hashlib.sha256)
    expected = hmac.digest(pseudo_random, info + b"\1", hashlib.sha256)
    assert KeyRing(FixedKeys()).derive("token", "fp", "phi.mrn", "1") == expected
    assert expected.hex() == "5216c8b947dedd0f4a4d6cc25e187b7a2001288d74df5c8d724b545b669b7279"


def test_labels_cannot_run_together() -> None:
    """Different lists of labels, and different lengths, give different keys."""
    ring = KeyRing(FixedKeys())
    lists = [("ab",), ("a", "b"), ("", "ab"), ("ab", ""), ("b", "a"), ("a", "\0\0\0\1b")]
    assert len({ring.derive(*labels) for labels in lists}) == len(lists)
    assert len(ring.derive("ab", length=16)) == 16


def test_ring_refuses() -> None:
    """No labels, absurd lengths and a short master key are refused."""
    for arguments in ({"length": 0}, {"length": 255 * 32 + 1}):
        with pytest.raises(InvalidRequest):
            KeyRing(FixedKeys()).derive("a", **arguments)
    with pytest.raises(InvalidRequest):
        KeyRing(FixedKeys()).derive()
    with pytest.raises(KeyUnavailable, match="31 bytes"):
        KeyRing(FixedKeys(KEY[:31])).derive("a")


def test_ring_shows_nothing() -> None:
    """A ring cannot be printed, pickled or copied."""
    provider: KeyProvider = FixedKeys()
    ring = KeyRing(provider)
    ring.derive("a")
    assert repr(ring) == str(ring) == "KeyRing(...)"
    for escape in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            escape(ring)
