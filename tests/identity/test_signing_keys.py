"""The key set in its file: private, whole, and rotated without losing anybody's token."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from privet.identity import Identity, SigningKeys
from privet.identity.tokens import LONGEST_LIFETIME
from privet.model.errors import KeyUnavailable, Unauthenticated
from privet.model.principals import BearerToken


def entries(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text())["keys"]


def write(path: Path, *keys: dict[str, Any], mode: int = 0o600) -> Path:
    path.write_text(json.dumps({"keys": keys}))
    path.chmod(mode)
    return path


def ed25519(**others: Any) -> dict[str, Any]:
    return {**OKPKey.generate_key("Ed25519").as_dict(private=True), **others}


def test_a_new_file_is_private_and_complete(tmp_path: Path) -> None:
    """Mode 0600 whatever the umask, one Ed25519 key, and nothing left beside it."""
    before = os.umask(0)
    try:
        SigningKeys.create(tmp_path / "keys.json")
    finally:
        os.umask(before)
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600
    assert [(key["kty"], key["crv"], "d" in key) for key in entries(tmp_path / "keys.json")] == [
        ("OKP", "Ed25519", True)
    ]
    assert list(tmp_path.iterdir()) == [tmp_path / "keys.json"]


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    """`create` refuses it, `ensure` opens it."""
    path = tmp_path / "keys.json"
    kid = SigningKeys.ensure(path).current().kid
    with pytest.raises(KeyUnavailable, match="exist already"):
        SigningKeys.create(path)
    assert SigningKeys.ensure(path).current().kid == kid


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    """Any bit for group or others; also when it is given while the server runs."""
    path = tmp_path / "keys.json"
    keys = SigningKeys.create(path)
    path.chmod(mode)
    with pytest.raises(KeyUnavailable, match="others"):
        SigningKeys(path)
    with pytest.raises(KeyUnavailable, match="others"):
        keys.current()


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "{}", '{"keys": 1}', '{"keys": [1]}', '{"keys": [{}]}', "[" * 100_000,
        json.dumps({"keys": [OctKey.generate_key(256).as_dict(private=True)]}),
        json.dumps({"keys": [ECKey.generate_key("P-256").as_dict(private=True)]}),
        json.dumps({"keys": [OKPKey.generate_key("X25519").as_dict(private=True)]}),
        json.dumps({"keys": [ed25519(use="enc")]}),
        json.dumps({"keys": [ed25519(kid=1)]}),
        json.dumps({"keys": [ed25519(x="AAAA")]}),
        json.dumps({"keys": [ed25519(x=ed25519()["x"])]}),
        json.dumps({"keys": [ed25519(retired_at="then")]}),
        json.dumps({"keys": [ed25519(retired_at=10**30)]}),
        json.dumps({"keys": [ed25519(kid="a"), ed25519(kid="a")]}),
        json.dumps({"keys": [{"kty": "RSA", "n": "u" * 171, "e": "AQAB"}]}),
        json.dumps({"keys": [{"kty": "RSA", "n": "A" * 300 + "u" * 171, "e": "AQAB"}]}),
    ],
)  # fmt: skip
def test_a_file_that_is_no_usable_key_set_is_refused(tmp_path: Path, content: str) -> None:
    """Symmetric, short, unknown, doubled or broken keys: the server does not start with them."""
    path = tmp_path / "keys.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeyUnavailable):
        SigningKeys(path)


def test_what_is_not_a_file_is_refused(tmp_path: Path) -> None:
    """A missing file, a folder and a pipe; the pipe without waiting for a writer."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path / "missing", tmp_path, tmp_path / "pipe"):
        with pytest.raises(KeyUnavailable):
            SigningKeys(path)
    with pytest.raises(KeyUnavailable, match="written"):
        SigningKeys.create(tmp_path / "no" / "keys.json")


def test_rotation_keeps_tokens_and_forgets_private_parts(
    identity: Identity, keys: SigningKeys, tmp_path: Path
) -> None:
    """An old token holds after a rotation, though nothing can sign with its key any more."""
    old = BearerToken(identity.issue_token("ada", ()))
    first = keys.current().kid
    second = keys.rotate()
    assert keys.current().kid == second != first
    assert identity.authenticate(old).user == "ada"
    assert [("d" in key, "retired_at" in key) for key in entries(tmp_path / "signing.json")] == [
        (False, True),
        (True, False),
    ]


def test_retired_keys_go_when_their_tokens_have_expired(keys: SigningKeys, clock: Any) -> None:
    """Each rotation clears away what no living token can need."""
    first = keys.current().kid
    keys.rotate()
    clock.move(days=LONGEST_LIFETIME.days)
    keys.rotate()
    assert keys.find(first) is not None
    clock.move(days=1)
    keys.rotate()
    assert keys.find(first) is None


def test_a_stolen_key_ends_its_tokens(identity: Identity, keys: SigningKeys) -> None:
    """`keep_retired=False` refuses at once what the old key signed."""
    old = BearerToken(identity.issue_token("ada", ()))
    keys.rotate(keep_retired=False)
    with pytest.raises(Unauthenticated, match="does not know"):
        identity.authenticate(old)
    assert identity.authenticate(BearerToken(identity.issue_token("ada", ()))).user == "ada"


def test_another_server_sees_a_rotation_at_once(keys: SigningKeys, tmp_path: Path) -> None:
    """Two servers over one file never disagree about a key."""
    other = SigningKeys(tmp_path / "signing.json")
    for _ in range(20):
        kid = keys.rotate()
        assert other.current().kid == kid
        assert other.find(kid) is not None


def test_rsa_keys_of_others_stay_through_rotations(tmp_path: Path) -> None:
    """A public key that was put into the file verifies until it is taken out."""
    public = {**RSAKey.generate_key(2048).as_dict(private=False), "kid": "idp"}
    keys = SigningKeys(write(tmp_path / "keys.json", public, ed25519()))
    keys.rotate()
    keys.rotate(keep_retired=False)
    found = keys.find("idp")
    assert found is not None
    assert found.algorithms == ("RS256",)


def test_a_set_without_a_private_key_verifies_and_does_not_sign(tmp_path: Path) -> None:
    """A replica that only checks needs no private part."""
    public = OKPKey.generate_key("Ed25519").as_dict(private=False)
    keys = SigningKeys(write(tmp_path / "keys.json", dict(public)))
    with pytest.raises(KeyUnavailable, match="no private key"):
        keys.current()


def test_what_is_published_is_public(keys: SigningKeys, tmp_path: Path) -> None:
    """No private member leaves, retired keys included, and the ids are those of the tokens."""
    keys.rotate()
    published = keys.public_jwks()["keys"]
    assert len(published) == 2
    assert published[-1]["kid"] == keys.current().kid
    for key in published:
        assert key.keys() <= {"kty", "crv", "x", "kid", "alg", "use", "retired_at"}
    assert entries(tmp_path / "signing.json")[-1]["d"] not in repr(keys) + repr(keys.current())


def test_processes_that_rotate_at_once_lose_no_key(tmp_path: Path) -> None:
    """Every key that was ever current still verifies after two processes rotated in parallel."""
    path = tmp_path / "keys.json"
    code = (
        "import sys; from pathlib import Path; from privet.identity import SigningKeys\n"
        "keys = SigningKeys.ensure(Path(sys.argv[1]))\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "for _ in range(40): print(keys.rotate())"
    )
    command = [sys.executable, "-c", code, str(path)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    kids = [kid for process in running for kid in process.communicate(timeout=60)[0].split()]
    assert [process.returncode for process in running] == [0, 0]
    keys = SigningKeys(path)
    assert len(set(kids)) == 80
    assert all(keys.find(kid) is not None for kid in kids)
    assert sum("d" in key for key in entries(path)) == 1


def test_threads_may_verify_while_one_rotates(keys: SigningKeys) -> None:
    """No reader ever meets half a file."""
    first = keys.current().kid
    stop = threading.Event()
    missed: list[str] = []

    def read() -> None:
        while not stop.is_set():
            if keys.find(first) is None:
                missed.append(first)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(20):
        keys.rotate()
    stop.set()
    for reader in readers:
        reader.join()
    assert missed == []


def test_the_longest_lifetime_covers_every_token(identity: Identity) -> None:
    """No token can outlive the keys that are kept for it."""
    identity.issue_token("ada", (), lifetime=LONGEST_LIFETIME)
    with pytest.raises(Exception, match="lifetime"):
        identity.issue_token("ada", (), lifetime=LONGEST_LIFETIME + timedelta(seconds=1))
