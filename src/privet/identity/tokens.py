"""Tokens: signed claims about who asks (ADR 0004).

A token is read in this order, and nothing it says is believed before the signature holds: size,
three segments, header (only members we know, all text), key by `kid`, algorithm against that key's
type, signature, claims. Errors name the class of the problem, never a part of the token.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from privet.identity.attributes import CLAIMS, read_attributes
from privet.model.errors import InvalidRequest, Unauthenticated
from privet.model.names import check_group_name, check_principal_name
from privet.model.strict_json import unique_members

MAX_TOKEN_BYTES = 16 * 1024
MAX_GROUPS = 1000
LONGEST_LIFETIME = timedelta(days=90)
"""No token is issued for longer; retired keys are kept this long."""
LEEWAY = timedelta(seconds=5)
"""How far another clock may be ahead; an expiry gets none."""

_MAX_HEADER_BYTES = 1024
_SEGMENTS = 3
_HEADER_MEMBERS = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})
_TYPES = frozenset({"jwt", "at+jwt"})
_NEW_TOKEN = "get a new token: log in again, or ask an administrator for one"  # noqa: S105 - a hint
_ED25519 = JWSRegistry.algorithms["Ed25519"]


class _Registry(JWSRegistry):
    """The algorithms that exist for us; `EdDSA` is the older name of `Ed25519` (RFC 9864)."""

    algorithms = {  # noqa: RUF012 - the library reads it as an attribute of the instance
        "Ed25519": _ED25519,
        "EdDSA": _ED25519,
        "RS256": JWSRegistry.algorithms["RS256"],
    }
    max_header_length = _MAX_HEADER_BYTES
    max_payload_length = MAX_TOKEN_BYTES


_REGISTRY = _Registry(algorithms=tuple(_Registry.algorithms))


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key of the set. `key` holds a private part only where this server may sign with it."""

    kid: str
    key: OKPKey | RSAKey = field(repr=False)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The `alg` values that fit this key's type; the first is the one we sign with."""
        return ("Ed25519", "EdDSA") if isinstance(self.key, OKPKey) else ("RS256",)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. Times are aware, to the microsecond.

    `all_groups` are those that the issuer knows the user in, whether the token carries them or not.
    """

    issuer: str
    user: str
    groups: frozenset[str]
    issued_at: datetime
    expires_at: datetime
    token_id: str
    all_groups: frozenset[str] = frozenset()
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])


FindKey = Callable[[str], TokenKey | None]


@dataclass(frozen=True, slots=True)
class TokenFormat:
    """Writes and reads tokens of one issuer for one audience.

    `attribute_claims` are those that become attributes of the user: the members of an object, or
    else one attribute of the claim's own name. Tokens of ours carry none.
    """

    issuer: str
    audience: str
    attribute_claims: tuple[str, ...] = CLAIMS

    def sign(self, claims: Claims, key: TokenKey) -> str:
        """Write a token.

        Raises:
            InvalidRequest: the token would be larger than a door accepts.
        """
        issued = _to_number(claims.issued_at)
        payload = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": claims.user,
            "groups": sorted(claims.groups),
            "iat": issued,
            "nbf": issued,
            "exp": _to_number(claims.expires_at),
            "jti": claims.token_id,
        }
        header = {"alg": key.algorithms[0], "kid": key.kid, "typ": "JWT"}
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        token = jws.serialize_compact(header, body, key.key, registry=_REGISTRY)
        if len(token) > MAX_TOKEN_BYTES or len(claims.groups) > MAX_GROUPS:
            raise InvalidRequest(
                f"a token with {len(claims.groups)} groups is too large",
                hint=f"name fewer groups: {MAX_GROUPS} at most, {MAX_TOKEN_BYTES} bytes in all",
            )
        return token

    def verify(self, token: str, find_key: FindKey, now: datetime) -> Claims:
        """Read a token and believe it only if everything about it holds.

        Raises:
            Unauthenticated: says which class of problem it is and what to do.
        """
        header = _read_header(token)
        key = find_key(header["kid"])
        if key is None:
            raise Unauthenticated(
                "the token was signed with a key that this server does not know", hint=_NEW_TOKEN
            )
        if header["alg"] not in key.algorithms:
            raise Unauthenticated("the token's algorithm does not fit its key", hint=_NEW_TOKEN)
        try:
            signed = jws.deserialize_compact(token, key.key, registry=_REGISTRY)
        except (JoseError, ValueError) as error:
            raise Unauthenticated("the token's signature does not hold", hint=_NEW_TOKEN) from error
        return self._read_claims(_read_object(signed.payload or b""), now)

    def _read_claims(self, payload: dict[str, Any], now: datetime) -> Claims:
        audience = payload.get("aud")
        several = isinstance(audience, list)
        audiences = _texts(payload, "aud") if several else (_text(payload, "aud"),)
        issuer = _text(payload, "iss")
        if issuer != self.issuer or self.audience not in audiences:
            raise Unauthenticated(
                "the token was issued by or for another service",
                hint="get a token from this server and check the address you connect to",
            )
        issued = _moment(payload, "iat")
        expires = _moment(payload, "exp")
        if now >= expires:
            raise Unauthenticated("the token has expired", hint=_NEW_TOKEN)
        if now + LEEWAY < max(issued, _moment(payload, "nbf")):
            raise Unauthenticated(
                "the token is not valid yet",
                hint="try again shortly; if it persists, the clocks of issuer and server differ",
            )
        return Claims(
            issuer,
            _read_user(_text(payload, "sub")),
            _read_groups(_texts(payload, "groups")),
            issued,
            expires,
            _text(payload, "jti"),
            _read_groups(_texts(payload, "all_groups")) if "all_groups" in payload else frozenset(),
            self._read_attributes(payload),
        )

    def _read_attributes(self, payload: dict[str, Any]) -> dict[str, str]:
        read: dict[str, str] = {}
        for claim in self.attribute_claims:
            if claim in payload:
                said = payload[claim]
                try:
                    read |= read_attributes(said if isinstance(said, dict) else {claim: said})
                except InvalidRequest as error:
                    raise _wrong_claim(claim) from error
        return read


def _read_header(token: str) -> dict[str, str]:
    """The header, still unproven: only members that we know, all of them text.

    Everything else is refused, which covers `crit`, `b64` and keys that a token brings along
    (`jwk`, `jku`, `x5u`, `x5c`).
    """
    segments = token.split(".") if len(token) <= MAX_TOKEN_BYTES and token.isascii() else ()
    if len(segments) != _SEGMENTS or len(segments[0]) > _MAX_HEADER_BYTES:
        raise _malformed()
    try:
        raw = urlsafe_b64decode(segments[0].encode())
    except ValueError as error:
        raise _malformed() from error
    header = _read_object(raw)
    if not header.keys() <= _HEADER_MEMBERS or "alg" not in header or "kid" not in header:
        raise Unauthenticated("the token's header is not one that we accept", hint=_NEW_TOKEN)
    if not all(isinstance(value, str) for value in header.values()):
        raise _malformed()
    if header.get("typ", "jwt").lower() not in _TYPES:
        raise Unauthenticated("this is not an access token", hint=_NEW_TOKEN)
    return header


def _read_object(raw: bytes) -> dict[str, Any]:
    """A JSON object with no member twice and no NaN: readers of such texts disagree."""
    try:
        value = json.loads(
            raw.decode("utf-8"), object_pairs_hook=unique_members, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise _malformed() from error
    if not isinstance(value, dict):
        raise _malformed()
    return value


def _refuse_constant(text: str) -> None:
    raise ValueError(text)


def _read_user(user: str) -> str:
    try:
        return check_principal_name(user)
    except InvalidRequest as error:
        raise _wrong_name() from error


def _read_groups(names: tuple[str, ...]) -> frozenset[str]:
    if len(names) > MAX_GROUPS:
        raise Unauthenticated(
            "the token names too many groups", hint=f"a token may name {MAX_GROUPS} groups"
        )
    try:
        return frozenset(check_group_name(name) for name in names)
    except InvalidRequest as error:
        raise _wrong_name() from error


def _text(payload: dict[str, Any], claim: str) -> str:
    value = payload.get(claim)
    if not isinstance(value, str) or not value:
        raise _wrong_claim(claim)
    return value


def _texts(payload: dict[str, Any], claim: str) -> tuple[str, ...]:
    value = payload.get(claim)
    if not isinstance(value, list):
        raise _wrong_claim(claim)
    texts = tuple(item for item in value if isinstance(item, str))
    if len(texts) != len(value):
        raise _wrong_claim(claim)
    return texts


def _moment(payload: dict[str, Any], claim: str) -> datetime:
    value = payload.get(claim)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise _wrong_claim(claim)
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise _wrong_claim(claim) from error


def _to_number(moment: datetime) -> int | float:
    """Seconds since 1970 with microseconds: a revocation must tell apart what one second holds."""
    seconds = moment.timestamp()
    return int(seconds) if seconds.is_integer() else seconds


def _malformed() -> Unauthenticated:
    return Unauthenticated(
        "the token is malformed", hint="send the whole token, exactly as it was issued"
    )


def _wrong_name() -> Unauthenticated:
    return Unauthenticated(
        "the token names a user or group in a way that we do not accept",
        hint="names are printable, NFKC, at most 256 characters; `user:` is reserved",
    )


def _wrong_claim(claim: str) -> Unauthenticated:
    return Unauthenticated(
        f"the token's claim `{claim}` is missing or of the wrong kind", hint=_NEW_TOKEN
    )
