"""What a principal carries beside groups, and which groups safeguards know them by."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from joserfc import jws
from sqlalchemy import Engine

from privet.identity import (
    AdminRule,
    AttributeFile,
    AttributeSources,
    Identity,
    ProvidedAttributes,
    SigningKeys,
)
from privet.identity.attributes.answers import unavailable
from privet.identity.tokens import _REGISTRY, MAX_GROUPS
from privet.model.errors import AttributesUnavailable, Unauthenticated
from privet.model.principals import BearerToken, Password

SECRET = "correct horse"
Make = Callable[..., Identity]


@pytest.fixture
def make(engine: Engine, keys: SigningKeys, clock: Any, hasher: PasswordHasher) -> Make:
    """Identity over sources of one's own."""

    def made(*sources: Any) -> Identity:
        return Identity(
            engine,
            keys,
            admins=AdminRule(),
            token_lifetime=timedelta(minutes=15),
            attributes=AttributeSources(*sources),
            clock=clock,
            hasher=hasher,
        )

    return made


@pytest.fixture
def token(keys: SigningKeys, clock: Any) -> Callable[..., BearerToken]:
    """Tokens with claims of one's own."""

    def signed(*groups: str, **claims: Any) -> BearerToken:
        import json

        now = clock.now.timestamp()
        payload = {
            "iss": "privet", "aud": "privet", "sub": "ada", "groups": list(groups),
            "iat": now, "nbf": now, "exp": now + 900, "jti": "1",
        } | claims  # fmt: skip
        key = keys.current()
        header = {"alg": "Ed25519", "kid": key.kid}
        text = jws.serialize_compact(header, json.dumps(payload), key.key, registry=_REGISTRY)
        return BearerToken(text)

    return signed


def provider(said: bytes) -> ProvidedAttributes:
    return ProvidedAttributes(lambda _: said, seconds=1, keep_seconds=300)


def test_everybody_has_their_name(identity: Identity) -> None:
    """By token, by password, and described."""
    identity.create_user("ada", SECRET, [])
    for principal in (
        identity.authenticate(BearerToken(identity.issue_token("ada", []))),
        identity.authenticate(Password("ada", SECRET)),
        identity.describe("ada", []),
    ):
        assert principal.attributes == {"whoami": "ada"}


def test_later_sources_win(make: Make, token: Any, tmp_path: Path) -> None:
    """Claims, then the file, then the provider; and none of them over the built-in one."""
    file = tmp_path / "a.json"
    file.write_text('{"ada": {"b": "file", "c": "file", "WhoAmI": "root"}, "bob": {"e": "f"}}')
    file.chmod(0o600)
    said = b'{"c": "provider", "d": "provider", "whoami": "root"}'
    identity = make(("attributes",), AttributeFile(file), provider(said))
    claimed = {"A": "claim", "b": "claim", "c": "claim", "whoami": "root"}
    principal = identity.authenticate(token(attributes=claimed))
    assert principal.attributes == {
        "whoami": "ada", "a": "claim", "b": "file", "c": "provider", "d": "provider",
    }  # fmt: skip
    described = identity.describe("ada", [])
    assert described.attributes == {k: v for k, v in principal.attributes.items() if k != "a"}
    assert identity.describe("bob", []).attributes == {
        "whoami": "bob", "c": "provider", "d": "provider", "e": "f",
    }  # fmt: skip


def test_settings_name_the_claims(make: Make, token: Any) -> None:
    """Objects by their members, others under the claim's name; the later claim wins."""
    identity = make(("Department", "absent", "https", "more"))
    said = token(
        Department="audit", https={"x": 1, "y": 2}, more={"y": ["a", "b,c"]}, attributes={"z": 1}
    )
    assert identity.authenticate(said).attributes == {
        "whoami": "ada", "department": "audit", "x": "1", "y": 'a,"b,c"',
    }  # fmt: skip
    assert make(()).authenticate(said).attributes == {"whoami": "ada"}


@pytest.mark.parametrize(
    "said", [None, [1], {"a": None}, {"a": {"b": 1}}, {"a b": 1}, {"a": 1, "A": 2}, {"a": "\x00"}]
)
def test_a_token_that_says_nonsense_is_refused(identity: Identity, token: Any, said: Any) -> None:
    """As any other claim of the wrong kind, whatever else holds."""
    with pytest.raises(Unauthenticated, match="claim `attributes`"):
        identity.authenticate(token(attributes=said))


def test_a_number_without_an_end_is_refused(
    identity: Identity, keys: SigningKeys, token: Any
) -> None:
    """JSON has ways to write one."""
    key = keys.current()
    text = '{"iss": "privet", "aud": "privet", "sub": "ada", "groups": [], "iat": 1772366400,'
    text += ' "nbf": 1772366400, "exp": 1772367000, "jti": "1", "attributes": {"a": 1e999}}'
    header = {"alg": "Ed25519", "kid": key.kid}
    signed = jws.serialize_compact(header, text, key.key, registry=_REGISTRY)
    with pytest.raises(Unauthenticated, match="claim `attributes`"):
        identity.authenticate(BearerToken(signed))


def test_without_an_answer_nobody_is_let_in(make: Make) -> None:
    """A filter on what is missing could show more than the answer would."""
    asked: list[str] = []

    def ask(user: str) -> bytes:
        asked.append(user)
        raise unavailable("it broke")

    identity = make((), None, ProvidedAttributes(ask, seconds=1, keep_seconds=300))
    identity.create_user("ada", SECRET, [])
    for attempt in (
        lambda: identity.authenticate(Password("ada", SECRET)),
        lambda: identity.authenticate(BearerToken(identity.issue_token("ada", []))),
        lambda: identity.describe("ada", []),
    ):
        with pytest.raises(AttributesUnavailable):
            attempt()
    assert asked == ["ada"] * 3


def test_strangers_make_us_ask_nobody(make: Make, clock: Any) -> None:
    """Wrong passwords, forged, revoked and expired tokens come to no provider."""
    asked: list[str] = []

    def ask(user: str) -> bytes:
        asked.append(user)
        return b"{}"

    identity = make((), None, ProvidedAttributes(ask, seconds=1, keep_seconds=300))
    identity.create_user("ada", SECRET, [])
    good = identity.issue_token("ada", [])
    clock.move(seconds=1)
    identity.revoke_before("ada", clock.now)
    for credentials in (Password("ada", "wrong horse"), BearerToken(good), BearerToken("a.b.c")):
        with pytest.raises(Unauthenticated):
            identity.authenticate(credentials)
    assert asked == []


def test_a_narrowed_token_keeps_the_other_groups(identity: Identity) -> None:
    """Grants go by those of the token, safeguards by all that are stored."""
    identity.create_user("ada", SECRET, ["a", "b", "c"])
    narrowed = identity.authenticate(BearerToken(identity.issue_token("ada", ["b", "x"])))
    assert (narrowed.groups, narrowed.other_groups) == ({"b", "x"}, {"a", "c"})
    assert narrowed.all_groups == {"a", "b", "c", "x", "user:ada"}
    whole = identity.authenticate(Password("ada", SECRET))
    assert (whole.groups, whole.other_groups) == ({"a", "b", "c"}, frozenset())
    described = identity.describe("ada", ["a"])
    assert (described.groups, described.other_groups) == ({"a"}, {"b", "c"})
    assert identity.describe("nobody", ["a"]).other_groups == frozenset()


def test_a_token_may_say_all_groups(identity: Identity, token: Any) -> None:
    """They count beside those that are stored, and give nothing."""
    identity.create_user("ada", SECRET, ["stored"])
    principal = identity.authenticate(token("a", all_groups=["a", "b"]))
    assert (principal.groups, principal.other_groups) == ({"a"}, {"b", "stored"})
    assert not principal.effective_groups & {"b", "stored"}


@pytest.mark.parametrize(
    "said",
    [None, "b", {"b": 1}, [1], ["user:root"], [" b"], [f"g{n}" for n in range(MAX_GROUPS + 1)]],
)
def test_all_groups_that_cannot_be_read_are_refused(
    identity: Identity, token: Any, said: Any
) -> None:
    """Leaving one out would leave out a safeguard."""
    with pytest.raises(Unauthenticated):
        identity.authenticate(token("a", all_groups=said))
