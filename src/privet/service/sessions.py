"""Logging in, tokens, local users, signing keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from privet.identity import User
from privet.model.errors import Forbidden, PrivetError
from privet.model.events import Outcome
from privet.model.principals import Password, Principal
from privet.service.access import Act, administer, authenticate, event_of, steward
from privet.service.platform import Caller, Platform


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A signed token and the moment it ends."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Whoami:
    """A principal and the roles they hold now."""

    principal: Principal
    roles: frozenset[str]


class Sessions:
    """Who is who."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def login(self, caller: Caller, user: str, password: str) -> IssuedToken:
        """A token for a local user.

        Raises:
            Unauthenticated: wrong user or password; one text for both.
        """
        caller = replace(caller, credentials=Password(user, password))
        principal = authenticate(self._platform, caller)
        self._platform.audit.record(event_of(principal, caller, "session.login", Outcome.ALLOWED))
        return self._issue(principal.user, principal.groups, None)

    def identify(self, caller: Caller, named: str = "") -> Principal:
        """Whose the credentials are, and nothing else: also before it is read what is asked.

        Args:
            caller: who calls.
            named: the user that a request says it comes from; nobody acts for another.

        Raises:
            Unauthenticated: they do not hold; recorded.
            Forbidden: they are another user's; recorded.
        """
        principal = authenticate(self._platform, caller)
        if named in ("", principal.user):
            return principal
        event = event_of(principal, caller, "session.delegate", Outcome.REFUSED)
        audited = self._platform.audit.record(replace(event, object=named, error=Forbidden.code))
        raise Forbidden(
            "nobody asks for another user here",
            hint="connect with that user's own token",
            audit_id=audited.id,
        )

    def whoami(self, caller: Caller) -> Whoami:
        """The caller, and their roles."""
        principal = authenticate(self._platform, caller)
        return Whoami(principal, self._platform.catalog.roles.of(principal))

    def issue(
        self, caller: Caller, user: str, groups: Iterable[str], lifetime: timedelta | None
    ) -> IssuedToken:
        """A token for any user and groups; administrators only."""
        named = tuple(groups)
        act = Act("token.issue", user, detail={"groups": sorted(named)})
        with administer(self._platform, caller, act) as admin:
            issued = self._issue(user, named, lifetime)
            subject = Principal(user, frozenset(named), admin.issuer)
            self._platform.catalog.principals.note(subject, self._platform.clock())
            return issued

    def _issue(self, user: str, groups: Iterable[str], lifetime: timedelta | None) -> IssuedToken:
        identity = self._platform.identity
        token = identity.issue_token(user, groups, lifetime=lifetime)
        ends = self._platform.clock() + (lifetime or identity.token_lifetime)
        return IssuedToken(token, ends)

    def create_user(self, caller: Caller, user: str, password: str, groups: Iterable[str]) -> None:
        """Add a local user."""
        named = tuple(groups)
        with administer(
            self._platform, caller, Act("user.create", user, detail={"groups": sorted(named)})
        ):
            self._platform.identity.create_user(user, password, named)

    def drop_user(self, caller: Caller, user: str) -> None:
        """Remove a local user and end their tokens."""
        with administer(self._platform, caller, Act("user.delete", user)):
            self._platform.identity.drop_user(user)

    def revoke(self, caller: Caller, user: str) -> None:
        """End every token of a user that was issued until now."""
        with administer(self._platform, caller, Act("user.revoke", user)):
            self._platform.identity.revoke_before(user, self._platform.clock())

    def list_users(self, caller: Caller) -> tuple[User, ...]:
        """The local users."""
        steward(self._platform, caller, Act("user.list"))
        return self._platform.identity.list_users()

    def list_seen(self, caller: Caller) -> tuple[str, ...]:
        """The names of everybody who has asked for something.

        Raises:
            NotFound: the caller is no administrator.
        """
        steward(self._platform, caller, Act("user.list"))
        seen = self._platform.catalog.principals.list()
        return tuple(dict.fromkeys(each.user for each in seen))

    def attributes_of(self, caller: Caller, user: str) -> Mapping[str, str]:
        """What is known of a user, but for what a token of theirs would say; on record.

        Raises:
            NotFound: the caller is no administrator.
            AttributesUnavailable: it could not be found out.
        """
        act = Act("user.attributes", user)
        admin = steward(self._platform, caller, act)
        asked = replace(event_of(admin, caller, act.action, Outcome.ALLOWED), object=act.object)
        recorded = self._platform.audit.record(asked)
        try:
            return self._platform.identity.describe(user, ()).attributes
        except PrivetError as error:
            error.audit_id = recorded.id
            raise

    def rotate_signing_keys(self, caller: Caller) -> None:
        """Sign with a new key from now on; tokens of the old one hold until they end."""
        with administer(self._platform, caller, Act("signing_key.rotate")):
            self._platform.identity.rotate_signing_keys()

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The public keys, for anybody who checks our tokens."""
        return self._platform.identity.public_jwks()
