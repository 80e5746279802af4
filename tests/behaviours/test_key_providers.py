"""What every provider of a master key does: one suite over all that there are."""

from __future__ import annotations

import base64
import copy
import os
import pickle
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from privet.keys import EnvironmentKeys, FileKeys, KeyProvider, KeyRing, PluginKeys
from privet.model.errors import KeyUnavailable

KEY = bytes(range(101, 133))
VARIABLE = "PRIVET_TEST_KEY"
PLUGIN = '''
"""A key management service, as somebody else would write it."""

from pathlib import Path


class Service:
    def __init__(self, options):
        self._path = Path(options["path"])

    def master(self):
        return bytes.fromhex(self._path.read_text())


def broken(options):
    raise RuntimeError("cannot log in with " + options["secret"])


def talkative(options):
    class Talkative:
        def master(self):
            raise ValueError("bad key: " + options["secret"])
    return Talkative()


def textual(options):
    class Textual:
        def master(self):
            return options["secret"]
    return Textual()
'''
ENTRY_POINTS = """[privet.key_providers]
service = privet_test_plugin:Service
broken = privet_test_plugin:broken
talkative = privet_test_plugin:talkative
textual = privet_test_plugin:textual
gone = privet_test_plugin:no_such
absent = privet_no_such_module:x
"""


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed package with providers."""
    site = tmp_path / "site"
    (site / "privet_test_plugin-1.dist-info").mkdir(parents=True)
    (site / "privet_test_plugin.py").write_text(PLUGIN)
    about = site / "privet_test_plugin-1.dist-info"
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: privet-test-plugin\nVersion: 1\n")
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(site))
    yield tmp_path
    sys.modules.pop("privet_test_plugin", None)


@dataclass(frozen=True)
class Kind:
    """A kind of provider: how to make one whose place holds some text, or nothing."""

    make: Callable[[str | None], KeyProvider]
    place: str


@pytest.fixture(params=["file", "environment", "plugin"])
def kind(
    request: pytest.FixtureRequest,
    plugins: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Kind:
    """Each kind that there is."""
    path = plugins / "place"

    def write(text: str | None) -> None:
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
            path.chmod(0o600)

    def file(text: str | None) -> KeyProvider:
        write(text)
        return FileKeys(path)

    def environment(text: str | None) -> KeyProvider:
        if text is None:
            monkeypatch.delenv(VARIABLE, raising=False)
        else:
            monkeypatch.setenv(VARIABLE, text)
        return EnvironmentKeys(VARIABLE)

    def plugin(text: str | None) -> KeyProvider:
        write(text)
        return PluginKeys("service", {"path": str(path)})

    made = {"file": (file, str(path)), "environment": (environment, VARIABLE)}
    made["plugin"] = (plugin, "service")
    return Kind(*made[request.param])


def test_the_key_is_as_it_was_put_there(kind: Kind) -> None:
    """And the same each time."""
    provider = kind.make(KEY.hex())
    assert provider.master() == KEY == provider.master()


@pytest.mark.parametrize(
    "text",
    [None, "", "00", KEY.hex()[:-2], KEY.hex() + "00", "not a key at all"],
    ids=["missing", "empty", "short", "31 bytes", "33 bytes", "text"],
)
def test_what_is_no_key_is_refused_by_name(kind: Kind, text: str | None) -> None:
    """The error says which provider has none, and repeats nothing of what is there."""
    with pytest.raises(KeyUnavailable) as caught:
        kind.make(text).master()
    assert kind.place in caught.value.message
    assert caught.value.hint
    if text:
        assert text not in str(caught.value)


def test_nothing_shows_the_key(kind: Kind) -> None:
    """Not its text form, not what can be pickled or copied, not a ring over it."""
    provider = kind.make(KEY.hex())
    ring = KeyRing(provider)
    shown = [repr(provider), str(provider), f"{provider!r}", repr(ring), str(ring)]
    ring.derive("x")
    shown += [repr(ring), repr(vars(provider))]
    for text in shown:
        assert KEY.hex() not in text
        assert base64.b64encode(KEY).decode() not in text
        assert repr(KEY) not in text
    for give in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            give(ring)
    with suppress(TypeError):
        assert KEY not in pickle.dumps(provider)


def test_rings_over_any_provider_agree(kind: Kind) -> None:
    """What is derived depends on the key and the labels only."""
    provider = kind.make(KEY.hex())
    told = KeyRing(provider).derive("token", "fp", "phi.mrn", "1")
    assert told == KeyRing(provider).derive("token", "fp", "phi.mrn", "1")
    assert told != KeyRing(provider).derive("token", "fp", "phi.mrn", "2")
    assert len(told) == len(KEY)


@pytest.mark.parametrize("name", ["broken", "talkative", "textual", "gone", "absent", "no_such"])
def test_a_plug_in_that_fails_tells_no_secret(plugins: Path, name: str) -> None:
    """Neither its words nor what it was told are in the error, or in its traceback."""
    secret = KEY.hex()
    with pytest.raises(KeyUnavailable) as caught:
        PluginKeys(name, {"secret": secret}).master()
    assert f"`{name}`" in caught.value.message
    assert caught.value.hint
    assert secret not in "".join(traceback.format_exception(caught.value))
    assert secret not in repr(vars(caught.value))


def test_the_environment_itself_is_left_alone(kind: Kind) -> None:
    """Reading a key puts it nowhere: a child would inherit it."""
    before = {name: value for name, value in os.environ.items() if name != VARIABLE}
    kind.make(KEY.hex()).master()
    assert {n: v for n, v in os.environ.items() if n != VARIABLE} == before
