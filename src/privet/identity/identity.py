"""Credentials in, a principal out; tokens issued and ended."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import Engine

from privet.identity.admins import AdminRule
from privet.identity.attributes import AttributeSources
from privet.identity.revocations import Revocations
from privet.identity.signing_keys import SigningKeys, utc_now
from privet.identity.tokens import LONGEST_LIFETIME, Claims, TokenFormat
from privet.identity.users import User, Users, check_groups
from privet.model.errors import ConfigurationInvalid, InvalidRequest, Revoked, Unauthenticated
from privet.model.names import check_principal_name
from privet.model.principals import (
    LOCAL_ISSUER,
    BearerToken,
    Credentials,
    NamedUser,
    Password,
    Principal,
    Unreadable,
)


class Identity:
    """Everything about who asks. Thread-safe.

    It holds no state but counters of failed logins, and for a while what providers said of users.
    """

    def __init__(  # noqa: PLR0913 - the composition root names each of them
        self,
        engine: Engine,
        signing_keys: SigningKeys,
        *,
        admins: AdminRule,
        token_lifetime: timedelta,
        issuer: str = LOCAL_ISSUER,
        audience: str = "privet",
        attributes: AttributeSources | None = None,
        clock: Callable[[], datetime] = utc_now,
        hasher: PasswordHasher | None = None,
    ) -> None:
        """Put identity together over a migrated store.

        Raises:
            ConfigurationInvalid: `token_lifetime` is not above zero, or above 90 days.
        """
        if not timedelta() < token_lifetime <= LONGEST_LIFETIME:
            raise ConfigurationInvalid(
                "the token lifetime is out of range", hint=f"at most {LONGEST_LIFETIME.days} days"
            )
        self._keys = signing_keys
        self._admins = admins
        self._lifetime = token_lifetime
        self._attributes = attributes or AttributeSources()
        self._format = TokenFormat(issuer, audience, self._attributes.claims)
        self._clock = clock
        self._revocations = Revocations(engine, issuer)
        self._users = Users(engine, issuer, self._revocations, hasher or PasswordHasher())

    def authenticate(self, credentials: Credentials) -> Principal:
        """Find out who asks.

        A principal by password lives as long as a token issued now would. Attributes are looked up
        last, so that nobody makes us ask a provider whose credentials do not hold.

        Raises:
            Unauthenticated: there are no credentials, or they do not hold.
            TooManyAttempts: too many wrong passwords, or too many logins at once.
            StoreUnavailable: revocations or users could not be read.
            KeyUnavailable: the signing keys could not be read.
            AttributesUnavailable: what is known of the user could not be found out.
        """
        now = self._clock()
        match credentials:
            case BearerToken(token):
                claims = self._format.verify(token, self._keys.find, now)
            case Password(user, password):
                groups = self._users.check_password(user, password, now)
                claims = self._claims(user, groups, now, self._lifetime)
            case Unreadable():
                raise Unauthenticated(
                    "the authorization header cannot be read",
                    hint="send one `Bearer <token>`, or Basic",
                )
            case NamedUser():
                raise Unauthenticated("a name proves nothing", hint="send a token")
            case None:
                raise Unauthenticated(
                    "no credentials were given", hint="log in, or send a token as the bearer"
                )
        if self._revocations.covers(claims.user, claims.issued_at):
            raise Unauthenticated(
                "the token was revoked", hint="log in again, or ask an administrator"
            )
        return self._principal(claims)

    def check_still_valid(self, principal: Principal) -> None:
        """Whether a principal of an earlier `authenticate` would pass now: for running scans.

        Raises:
            Revoked: its token has expired or was revoked.
            StoreUnavailable: revocations could not be read.
        """
        if principal.expires_at is None or self._clock() >= principal.expires_at:
            raise Revoked("the token has expired", hint="get a new token and start again")
        issued_at = principal.issued_at
        if issued_at is None or self._revocations.covers(principal.user, issued_at):
            raise _revoked()

    def issue_token(
        self, user: str, groups: Iterable[str], *, lifetime: timedelta | None = None
    ) -> str:
        """Sign a token for any user name: groups come from the caller, not from local users.

        Raises:
            InvalidRequest: a name is not acceptable, there are too many groups, or the lifetime
                is not above zero or above 90 days.
            KeyUnavailable: the signing keys could not be read.
        """
        lifetime = self._lifetime if lifetime is None else lifetime
        if not timedelta() < lifetime <= LONGEST_LIFETIME:
            raise InvalidRequest(
                "the lifetime of the token is out of range",
                hint=f"above zero, at most {LONGEST_LIFETIME.days} days",
            )
        claims = self._claims(
            check_principal_name(user), check_groups(groups), self._clock(), lifetime
        )
        return self._format.sign(claims, self._keys.current())

    def describe(
        self,
        user: str,
        groups: Iterable[str],
        *,
        other_groups: frozenset[str] = frozenset(),
        attributes: bool = True,
        seen: datetime | None = None,
    ) -> Principal:
        """The principal that a user with these groups would be, without credentials to act with.

        What only a token of theirs would say, nobody knows here.

        Args:
            user: the name.
            groups: that credentials of theirs would carry.
            other_groups: that they are known to be in as well.
            attributes: whether to find these out.
            seen: when they had these groups; None where that is only supposed.

        Raises:
            Revoked: what they had then was revoked since, as that of who was dropped is.
            InvalidRequest: a name is not acceptable, or there are too many groups.
            StoreUnavailable: the store did not answer.
            AttributesUnavailable: what is known of the user could not be found out.
        """
        checked, issuer = check_groups(groups), self._format.issuer
        if seen is not None and self._revocations.covers(user, seen):
            raise _revoked()
        return Principal(
            user=check_principal_name(user),
            groups=checked,
            issuer=issuer,
            admin=self._admins.matches(user, checked),
            attributes=self._attributes.of(issuer, user) if attributes else {},
            other_groups=(other_groups | self._users.groups_of(user)) - checked,
        )

    @property
    def token_lifetime(self) -> timedelta:
        """How long a token lives unless asked otherwise."""
        return self._lifetime

    def rotate_signing_keys(self) -> str:
        """Sign with a new key from now on; its id.

        Raises:
            KeyUnavailable: the signing keys could not be read or written.
        """
        return self._keys.rotate()

    def public_jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The public keys that our tokens are checked with, as a JWK set.

        Raises:
            KeyUnavailable: the signing keys could not be read.
        """
        return self._keys.public_jwks()

    def revoke_before(self, user: str, at: datetime) -> None:
        """Refuse, from the next request on, the user's tokens issued before `at` (aware).

        A moment in the future also refuses tokens and logins until then.

        Raises:
            InvalidRequest: not a user name, or a moment without a time zone.
            StoreUnavailable: the store could not be written.
        """
        if at.tzinfo is None:
            raise InvalidRequest("a revocation needs a moment with a time zone")
        self._revocations.add(check_principal_name(user), at)

    def create_user(self, user: str, password: str, groups: Iterable[str]) -> None:
        """Add a local user.

        Raises:
            InvalidRequest: a name or the password is not acceptable.
            Conflict: the user exists.
            StoreUnavailable: the store could not be written.
        """
        self._users.create(user, password, groups, self._clock())

    def set_password(self, user: str, password: str) -> None:
        """Change a local user's password and end the tokens issued so far.

        Raises:
            InvalidRequest: the password is not acceptable.
            NotFound: no such user.
            StoreUnavailable: the store could not be written.
        """
        self._users.set_password(user, password, self._clock())

    def drop_user(self, user: str) -> None:
        """Remove a local user and end the tokens issued so far.

        Raises:
            NotFound: no such user.
            StoreUnavailable: the store could not be written.
        """
        self._users.drop(user, self._clock())

    def list_users(self) -> tuple[User, ...]:
        """All local users, by name.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        return self._users.list()

    def _claims(
        self, user: str, groups: frozenset[str], now: datetime, lifetime: timedelta
    ) -> Claims:
        return Claims(
            issuer=self._format.issuer,
            user=user,
            groups=groups,
            issued_at=now,
            expires_at=now + lifetime,
            token_id=secrets.token_urlsafe(16),
        )

    def _principal(self, claims: Claims) -> Principal:
        return Principal(
            user=claims.user,
            groups=claims.groups,
            issuer=claims.issuer,
            admin=self._admins.matches(claims.user, claims.groups),
            attributes=self._attributes.of(claims.issuer, claims.user, claims.attributes),
            other_groups=(claims.all_groups | self._users.groups_of(claims.user)) - claims.groups,
            expires_at=claims.expires_at,
            issued_at=claims.issued_at,
            token_id=claims.token_id,
        )


def _revoked() -> Revoked:
    return Revoked("the token was revoked", hint="log in again, or ask an administrator")
