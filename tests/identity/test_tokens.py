"""What a token must be, and everything it must not be."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import OKPKey, RSAKey

from privet.identity.tokens import (
    LEEWAY,
    MAX_GROUPS,
    MAX_TOKEN_BYTES,
    Claims,
    TokenFormat,
    TokenKey,
)
from privet.model.errors import InvalidRequest, Unauthenticated

NOW = datetime(2026, 3, 1, 12, 0, 0, 123_457, tzinfo=UTC)
FORMAT = TokenFormat("privet", "privet")
ED = TokenKey("ed", OKPKey.generate_key("Ed25519"))
RSA = TokenKey("rsa", RSAKey.generate_key(2048))
KEYS = {"ed": ED, "rsa": RSA}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def ed25519(message: bytes) -> bytes:
    private: Any = ED.key.private_key
    return private.sign(message)


def rs256(message: bytes) -> bytes:
    private: Any = RSA.key.private_key
    return private.sign(message, padding.PKCS1v15(), hashes.SHA256())


def payload(**changes: Any) -> dict[str, Any]:
    """The claims of a good token, with changes; `...` leaves a claim out."""
    seconds = NOW.timestamp()
    claims = {
        "iss": "privet", "aud": "privet", "sub": "ada", "groups": ["analysts"],
        "iat": seconds, "nbf": seconds, "exp": seconds + 900, "jti": "1",
    }  # fmt: skip
    return {name: value for name, value in (claims | changes).items() if value is not ...}


def forge(
    header: dict[str, Any] | str | None = None,
    body: dict[str, Any] | str | None = None,
    sign: Callable[[bytes], bytes] = ed25519,
) -> str:
    """A token written by hand, with a signature that holds unless `sign` says otherwise."""
    header = {"alg": "Ed25519", "kid": "ed"} if header is None else header
    body = payload() if body is None else body
    texts = [part if isinstance(part, str) else json.dumps(part) for part in (header, body)]
    message = ".".join(b64(text.encode()) for text in texts)
    return f"{message}.{b64(sign(message.encode()))}"


def verify(token: str, now: datetime = NOW) -> Claims:
    return FORMAT.verify(token, KEYS.get, now)


def refused(token: str, now: datetime = NOW) -> Unauthenticated:
    with pytest.raises(Unauthenticated) as caught:
        verify(token, now)
    assert caught.value.hint
    assert not any(part in str(caught.value) for part in token[:9999].split(".") if len(part) > 8)
    return caught.value


def test_what_is_signed_is_what_is_read() -> None:
    """Names and microseconds survive the round trip."""
    claims = Claims(
        "privet", "Zoë", frozenset({"a b", "ü"}), NOW, NOW + timedelta(seconds=1.5), "id"
    )
    assert verify(FORMAT.sign(claims, ED)) == claims
    assert verify(FORMAT.sign(claims, RSA)) == claims


@pytest.mark.parametrize(
    ("header", "sign"),
    [
        ({"alg": "Ed25519", "kid": "ed"}, ed25519),
        ({"alg": "EdDSA", "kid": "ed", "typ": "JWT"}, ed25519),
        ({"alg": "EdDSA", "kid": "ed", "typ": "at+jwt"}, ed25519),
        ({"alg": "RS256", "kid": "rsa", "x5t": "abc"}, rs256),
    ],
)
def test_both_kinds_of_keys_verify(header: dict[str, Any], sign: Callable[[bytes], bytes]) -> None:
    """Ed25519 under its new and old name, and RS256."""
    assert verify(forge(header, sign=sign)).user == "ada"


def hs256_with_the_public_key(message: bytes) -> bytes:
    public: Any = RSA.key.public_key
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return hmac.digest(pem, message, hashlib.sha256)


@pytest.mark.parametrize(
    ("header", "sign"),
    [
        ({"alg": "none", "kid": "ed"}, lambda _: b""),
        ({"alg": "None", "kid": "ed"}, lambda _: b""),
        ({"alg": "HS256", "kid": "rsa"}, hs256_with_the_public_key),
        ({"alg": "HS512", "kid": "ed"}, ed25519),
        ({"alg": "RS256", "kid": "ed"}, rs256),
        ({"alg": "Ed25519", "kid": "rsa"}, ed25519),
        ({"alg": "RS512", "kid": "rsa"}, rs256),
        ({"alg": "PS256", "kid": "rsa"}, rs256),
        ({"alg": "Ed448", "kid": "ed"}, ed25519),
        ({"alg": "Ed25519", "kid": "other"}, ed25519),
        ({"alg": "Ed25519", "kid": ""}, ed25519),
        ({"alg": "Ed25519"}, ed25519),
        ({"kid": "ed"}, ed25519),
        ({"alg": ["Ed25519"], "kid": "ed"}, ed25519),
        ({"alg": "Ed25519", "kid": 1}, ed25519),
        ({"alg": "Ed25519", "kid": "ed", "typ": "JWE"}, ed25519),
        ({"alg": "Ed25519", "kid": "ed", "typ": True}, ed25519),
        ({"alg": "Ed25519", "kid": "ed", "crit": ["exp"]}, ed25519),
        ({"alg": "Ed25519", "kid": "ed", "crit": []}, ed25519),
        ({"alg": "Ed25519", "kid": "ed", "b64": False, "crit": ["b64"]}, ed25519),
        ({"alg": "Ed25519", "kid": "ed", "jku": "https://evil.example/keys"}, ed25519),
        ({"alg": "Ed25519", "kid": "ed", "x5u": "https://evil.example/cert"}, ed25519),
        ({"alg": "Ed25519", "kid": "ed", "x5c": ["MII"]}, ed25519),
        ({"alg": "Ed25519", "kid": "ed", "zip": "DEF"}, ed25519),
        ('{"alg":"none","kid":"ed","alg":"Ed25519"}', ed25519),
        ('["alg","kid"]', ed25519),
        ("[" * 700, ed25519),
        ('{"alg":"Ed25519","kid":"ed","typ":' + "[" * 500 + "]" * 500 + "}", ed25519),
        ("null", ed25519),
        ("", ed25519),
    ],
)
def test_headers_that_are_refused(
    header: dict[str, Any] | str, sign: Callable[[bytes], bytes]
) -> None:
    """No algorithm but the key's own, no key but ours, no extension that we do not know."""
    refused(forge(header, sign=sign))


def test_a_key_that_the_token_brings_is_not_used() -> None:
    """A token signed by a key that stands in its own header is refused."""
    own = OKPKey.generate_key("Ed25519")
    private: Any = own.private_key
    header = {"alg": "Ed25519", "kid": "mine", "jwk": own.as_dict(private=False)}
    refused(forge(header, sign=private.sign))
    refused(forge(header | {"kid": "ed"}, sign=private.sign))


@pytest.mark.parametrize(
    "changes",
    [
        *({name: ...} for name in payload()),
        *({name: None} for name in payload()),
        *({name: True} for name in payload()),
        *({name: {}} for name in payload()),
        *({name: 7} for name in ("iss", "aud", "sub", "jti", "groups")),
        *({name: "7"} for name in ("iat", "nbf", "exp", "groups")),
        *({"exp": value} for value in (-1, 10**400, 1e300, 10**18)),
        {"iss": "other"}, {"iss": ["privet"]}, {"aud": "other"}, {"aud": []},
        {"aud": ["other", "another"]}, {"aud": ["privet", 1]}, {"sub": ""}, {"jti": ""},
        {"groups": {"a": 1}}, {"groups": [1]}, {"groups": ["a", None]}, {"groups": [["a"]]},
        {"groups": [""]}, {"groups": ["user:root"]}, {"groups": ["USER:root"]},
        {"groups": ["a\nb"]}, {"groups": [" a"]}, {"groups": ["\ufb01"]}, {"sub": "a\u0000"},
        {"sub": "\u202eadmin"}, {"sub": "a" * 257}, {"sub": "\ud800"},
        {"groups": [str(n) for n in range(MAX_GROUPS + 1)]},
    ],
)  # fmt: skip
def test_claims_that_are_refused(changes: dict[str, Any]) -> None:
    """Missing, of the wrong type, for somebody else, or names that the model does not allow."""
    refused(forge(body=payload(**changes)))


def test_an_audience_may_be_a_list() -> None:
    """A token for several services counts here when we are one of them."""
    assert verify(forge(body=payload(aud=["other", "privet"]))).user == "ada"


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(payload())[:-1] + ', "sub": "root"}',
        json.dumps(payload())[:-1] + ', "exp": NaN}',
        json.dumps(payload(exp=...))[:-1] + ', "exp": Infinity}',
        json.dumps(payload())[:-1] + ', "x": {"a": 1, "a": 2}}',
        json.dumps(payload())[:-1] + ', "x": ' + "[" * 5000 + "]" * 5000 + "}",
        json.dumps([payload()]),
        "not json",
        "",
    ],
)
def test_bodies_that_are_refused(body: str) -> None:
    """One reader's last duplicate is another's first, so a member that stands twice is refused."""
    refused(forge(body=body))


def test_a_token_ends_when_it_says() -> None:
    """To the microsecond, with no grace."""
    token = forge()
    end = datetime.fromtimestamp(payload()["exp"], UTC)
    assert verify(token, end - timedelta(microseconds=1)).expires_at == end
    assert "expired" in refused(token, end).message


def test_a_token_begins_when_it_says_give_or_take_a_few_seconds() -> None:
    """Another clock may be a little ahead; one that is far ahead could outlive a revocation."""
    late = NOW.timestamp() + LEEWAY.total_seconds()
    assert verify(forge(body=payload(nbf=late, iat=late)))
    assert "not valid yet" in refused(forge(body=payload(nbf=late + 1))).message
    assert "not valid yet" in refused(forge(body=payload(iat=late + 1))).message


def test_every_class_of_problem_has_its_own_text() -> None:
    """The text says what to do about it."""
    stolen = forge()[:-8] + "AAAAAAAA"
    messages = {
        refused("garbage").message,
        refused(stolen).message,
        refused(forge({"alg": "Ed25519", "kid": "gone"})).message,
        refused(forge(), NOW + timedelta(days=1)).message,
        refused(forge(), NOW - timedelta(days=1)).message,
        refused(forge(body=payload(iss="other"))).message,
        refused(forge(body=payload(sub=...))).message,
    }
    assert len(messages) == 7
    assert "claim `sub`" in " ".join(messages)


def test_a_signature_covers_header_and_claims() -> None:
    """Parts of two good tokens do not make a third, and no byte of one can be changed."""
    one = forge().split(".")
    other = forge(body=payload(sub="root")).split(".")
    refused(".".join((one[0], other[1], one[2])))
    token = forge()
    step = max(1, len(token) // 60)
    for at in range(0, len(token), step):
        changed = "A" if token[at] != "A" else "B"
        refused(token[:at] + changed + token[at + 1 :])


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "...", "a.b.c", "é.é.é", "\ud800..", "Bearer x", forge() + ".", forge() + "=",
     forge() + "\n", " " + forge(), forge().replace(".", "..", 1), forge() + ".a.b"],
)  # fmt: skip
def test_texts_that_are_no_tokens(token: str) -> None:
    """Anything but three segments of base64url without padding is malformed."""
    refused(token)


def test_a_huge_token_is_refused_before_any_work() -> None:
    """More than 16 KiB is not even split."""
    token = forge(body=payload(pad="x" * MAX_TOKEN_BYTES))
    assert len(token) > MAX_TOKEN_BYTES
    start = time.thread_time()
    refused(token)
    refused("." * 50_000_000)
    assert time.thread_time() - start < 5


def test_no_token_is_issued_that_would_be_refused() -> None:
    """Too many or too long groups are told to the issuer, not to the user."""
    for groups in (frozenset(str(n) for n in range(MAX_GROUPS + 1)), frozenset({"x" * 20_000})):
        claims = Claims("privet", "ada", groups, NOW, NOW + timedelta(hours=1), "1")
        with pytest.raises(InvalidRequest, match="too large"):
            FORMAT.sign(claims, ED)


def test_private_keys_are_not_printed() -> None:
    """The repr of a key shows its id alone."""
    assert repr(ED) == "TokenKey(kid='ed')"


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200), st.text(max_size=200), st.binary(max_size=80))
def test_no_text_gets_anything_but_a_refusal(header: str, body: str, signature: bytes) -> None:
    """Whatever the bytes, the answer is Unauthenticated and no other error."""
    for token in (
        header,
        f"{header}.{body}.{b64(signature)}",
        f"{b64(header.encode('utf-8', 'surrogatepass'))}.{b64(body.encode())}.{b64(signature)}",
        forge(body=body),
    ):
        with pytest.raises(Unauthenticated):
            verify(token)
