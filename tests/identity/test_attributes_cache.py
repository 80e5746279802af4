"""Answers of a provider are kept for a while, for the right user, and asked for once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from privet.identity import ProvidedAttributes
from privet.identity.attributes import cache
from privet.identity.attributes.answers import unavailable
from privet.model.errors import AttributesUnavailable

Ask = Callable[[str], bytes]


class Directory:
    """Says who is asked for, and how often it was asked; fails, or waits, when it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.now = 0.0
        self.broken = False
        self.open = threading.Event()
        self.open.set()
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()

    def ask(self, user: str) -> bytes:
        with self._lock:
            self.asked.append(user)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.open.wait(10)
        with self._lock:
            self.at_once -= 1
        if self.broken:
            raise unavailable("it broke")
        return json.dumps({"is": user, "n": len(self.asked)}).encode()

    def kept(self, seconds: float = 300, wait: float = 5) -> ProvidedAttributes:
        return ProvidedAttributes(
            self.ask, seconds=wait, keep_seconds=seconds, timer=lambda: self.now
        )


def test_an_answer_holds_for_its_time() -> None:
    """From when it was asked for, to the second."""
    directory = Directory()
    provided = directory.kept(300)
    assert provided.of("privet", "ada") == {"is": "ada", "n": "1"}
    directory.now = 299.9
    assert provided.of("privet", "ada")["n"] == "1"
    directory.now = 300
    assert provided.of("privet", "ada")["n"] == "2"


def test_answers_belong_to_one_user_of_one_issuer() -> None:
    """Nobody gets another's, whatever the names."""
    directory = Directory()
    provided = directory.kept()
    for issuer, user in (("privet", "ada"), ("privet", "Ada"), ("other", "ada"), ("privet", "bob")):
        assert provided.of(issuer, user)["is"] == user
    assert len(directory.asked) == 4
    assert provided.of("privet", "ada")["n"] == "1"


def test_without_time_every_request_asks() -> None:
    """Zero seconds keep nothing."""
    directory = Directory()
    provided = directory.kept(0)
    assert [provided.of("privet", "ada")["n"] for _ in range(3)] == ["1", "2", "3"]


def test_requests_at_once_make_one_call() -> None:
    """All of them get its answer."""
    directory = Directory()
    provided = directory.kept()
    directory.open.clear()
    with ThreadPoolExecutor(16) as pool:
        answers = [pool.submit(provided.of, "privet", "ada") for _ in range(16)]
        while not directory.asked:
            pass
        directory.open.set()
        assert {answer.result()["n"] for answer in answers} == {"1"}
    assert directory.asked == ["ada"]


def test_a_failure_is_everybodys_and_is_not_kept() -> None:
    """Each gets an error of their own, and the next request asks again."""
    directory = Directory()
    provided = directory.kept()
    directory.open.clear()
    directory.broken = True
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(provided.of, "privet", "ada") for _ in range(8)]
        while not directory.asked:
            pass
        directory.open.set()
        errors = [answer.exception() for answer in answers]
    assert {type(error) for error in errors} == {AttributesUnavailable}
    assert len({id(error) for error in errors}) == 8
    directory.broken = False
    assert provided.of("privet", "ada")["is"] == "ada"


def test_what_is_known_outlives_a_failure_until_its_end() -> None:
    """A provider that is away is not noticed before; afterwards nothing old is used."""
    directory = Directory()
    provided = directory.kept(300)
    provided.of("privet", "ada")
    directory.broken = True
    directory.now = 299
    assert provided.of("privet", "ada")["n"] == "1"
    directory.now = 301
    for _ in range(2):
        with pytest.raises(AttributesUnavailable, match="it broke"):
            provided.of("privet", "ada")


@pytest.mark.parametrize(
    "said",
    [b"", b"[]", b"null", b'"ada"', b'{"a": 1, "a": 2}', b'{"a": {}}', b'{"a": NaN}', b"\xff{}"],
)
def test_nonsense_is_a_failure(said: bytes) -> None:
    """Not an empty answer."""
    provided = ProvidedAttributes(lambda _: said, seconds=1, keep_seconds=300)
    with pytest.raises(AttributesUnavailable, match="makes no sense"):
        provided.of("privet", "ada")


def test_something_unforeseen_lets_nobody_hang() -> None:
    """Whoever waits is refused, and the next request asks again."""
    calls: list[str] = []

    def ask(user: str) -> bytes:
        calls.append(user)
        if len(calls) == 1:
            raise ZeroDivisionError
        return b"{}"

    provided = ProvidedAttributes(ask, seconds=1, keep_seconds=300)
    with pytest.raises(ZeroDivisionError):
        provided.of("privet", "ada")
    assert provided.of("privet", "ada") == {}


def test_calls_at_once_are_few() -> None:
    """The provider is not flooded, and whoever gets no place in time is refused."""
    directory = Directory()
    provided = directory.kept(wait=0.1)
    directory.open.clear()
    users = [f"user{number}" for number in range(cache.MOST_AT_ONCE + 4)]
    with ThreadPoolExecutor(len(users)) as pool:
        answers = [pool.submit(provided.of, "privet", user) for user in users]
        refused = 0
        while refused < 4:
            refused = sum(answer.done() for answer in answers)
        directory.open.set()
        errors = [error for answer in answers if (error := answer.exception()) is not None]
    assert directory.most_at_once == cache.MOST_AT_ONCE
    assert [str(error).count("too many look-ups") for error in errors] == [1] * 4


def test_few_answers_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those not used for longest go first."""
    monkeypatch.setattr(cache, "MOST_KEPT", 2)
    directory = Directory()
    provided = directory.kept()
    for user in ("ada", "bob", "ada", "eve", "ada", "bob"):
        provided.of("privet", user)
    assert directory.asked == ["ada", "bob", "eve", "bob"]
