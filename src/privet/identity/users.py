"""Local users: a name, an Argon2id hash, groups."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, Engine, and_, delete, insert, select, update

from privet.identity.revocations import Revocations
from privet.identity.throttle import Throttle
from privet.identity.tokens import MAX_GROUPS
from privet.model.errors import (
    Conflict,
    InvalidRequest,
    NotFound,
    StoreUnavailable,
    TooManyAttempts,
    Unauthenticated,
)
from privet.model.names import check_group_name, check_principal_name
from privet.store import reading_once, writing
from privet.store.tables import users

_LEAST_PASSWORD = 8
_LONGEST_PASSWORD = 1024
_LONGEST_WAIT_SECONDS = 5.0
_MOST_AT_ONCE = 20
"""Logins that are checked or wait for it; each holds a thread of its door."""


@dataclass(frozen=True, slots=True)
class User:
    """A local user, without what only a login may see."""

    user: str
    groups: frozenset[str]
    disabled: bool
    created_at: datetime


class Users:
    """The users of our own issuer.

    Passwords are checked one at a time: a check costs 64 MiB and all cores for a moment, so a
    flood of logins must queue, not multiply; and the queue is short, so that it leaves threads to
    those who have a token. A changed password or a dropped user ends the tokens
    issued so far.
    """

    def __init__(
        self, engine: Engine, issuer: str, revocations: Revocations, hasher: PasswordHasher
    ) -> None:
        self._engine = engine
        self._issuer = issuer
        self._revocations = revocations
        self._hasher = hasher
        self._throttle = Throttle()
        self._checking = threading.Lock()
        self._places = threading.Semaphore(_MOST_AT_ONCE)
        # Unknown users cost as much as known ones: the time of a refusal tells nothing.
        self._nobody = hasher.hash("the password of nobody")

    def create(self, user: str, password: str, groups: Iterable[str], now: datetime) -> None:
        """Add a user.

        Raises:
            InvalidRequest: a name or the password is not acceptable.
            Conflict: the user exists.
            StoreUnavailable: the store could not be written.
        """
        row = {
            "issuer": self._issuer,
            "user": check_principal_name(user),
            "password_hash": self._hash(password),
            "groups": sorted(check_groups(groups)),
            "disabled": False,
            "created_at": now,
        }
        try:
            with writing(self._engine) as connection:
                connection.execute(insert(users).values(row))
        except Conflict as error:
            raise Conflict(
                f"user `{user}` exists already", hint="set a new password, or drop the user first"
            ) from error

    def set_password(self, user: str, password: str, now: datetime) -> None:
        """Change a password and end the user's tokens.

        Raises:
            InvalidRequest: the password is not acceptable.
            NotFound: no such user.
            StoreUnavailable: the store could not be written.
        """
        hashed = self._hash(password)
        with writing(self._engine) as connection:
            changed = connection.execute(
                update(users).where(self._named(user)).values(password_hash=hashed)
            )
            if not changed.rowcount:
                raise _not_found(user)
            self._revocations.add_within(connection, user, now)

    def drop(self, user: str, now: datetime) -> None:
        """Remove a user and end the user's tokens.

        Raises:
            NotFound: no such user.
            StoreUnavailable: the store could not be written.
        """
        with writing(self._engine) as connection:
            if not connection.execute(delete(users).where(self._named(user))).rowcount:
                raise _not_found(user)
            self._revocations.add_within(connection, user, now)

    def list(self) -> tuple[User, ...]:
        """All users, by name.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        query = (
            select(users.c.user, users.c.groups, users.c.disabled, users.c.created_at)
            .where(users.c.issuer == self._issuer)
            .order_by(users.c.user)
        )
        with reading_once(self._engine) as connection:
            rows = connection.execute(query).all()
        return tuple(
            User(row.user, frozenset(row.groups), row.disabled, row.created_at) for row in rows
        )

    def groups_of(self, user: str) -> frozenset[str]:
        """The stored groups of a user, none of one who is not stored.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        with reading_once(self._engine) as connection:
            groups = connection.scalar(select(users.c.groups).where(self._named(user)))
        return frozenset(groups or ())

    def check_password(self, user: str, password: str, now: datetime) -> frozenset[str]:
        """The groups of the user whose password this is.

        Raises:
            Unauthenticated: unknown user, wrong password, disabled user: one text for all.
            TooManyAttempts: too many wrong ones before, or too many logins at once.
            StoreUnavailable: the store did not answer.
        """
        with self._place(), self._turn():
            self._throttle.check(user, now)
            groups = self._check(user, password)
            if groups is None:
                self._throttle.failed(user, now)
                raise Unauthenticated(
                    "user name or password is wrong",
                    hint="check both; an administrator can set a new password",
                )
            self._throttle.succeeded(user)
            return groups

    def _check(self, user: str, password: str) -> frozenset[str] | None:
        row = None
        if _is_name(user):
            query = select(users.c.password_hash, users.c.groups, users.c.disabled)
            with reading_once(self._engine) as connection:
                row = connection.execute(query.where(self._named(user))).one_or_none()
        stored = self._nobody if row is None else row.password_hash
        right = self._verify(stored, password)
        if row is None or row.disabled or not right:
            return None
        if self._hasher.check_needs_rehash(stored):
            self._rehash(user, stored, password)
        return frozenset(row.groups)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, _prepare(password))
        except (VerificationError, InvalidHashError):
            return False

    def _rehash(self, user: str, stored: str, password: str) -> None:
        """Bring an old hash to today's parameters, unless the password changed meanwhile."""
        hashed = self._hasher.hash(_prepare(password))
        same = and_(self._named(user), users.c.password_hash == stored)
        # A store that cannot be written now must not refuse a right password.
        with suppress(StoreUnavailable), writing(self._engine) as connection:
            connection.execute(update(users).where(same).values(password_hash=hashed))

    def _hash(self, password: str) -> str:
        if not _LEAST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
            raise InvalidRequest(
                "the password is too short or too long",
                hint=f"use {_LEAST_PASSWORD} to {_LONGEST_PASSWORD} characters",
            )
        with self._turn():
            return self._hasher.hash(_prepare(password))

    @contextmanager
    def _place(self) -> Generator[None]:
        if not self._places.acquire(blocking=False):
            raise _crowded()
        try:
            yield
        finally:
            self._places.release()

    @contextmanager
    def _turn(self) -> Generator[None]:
        if not self._checking.acquire(timeout=_LONGEST_WAIT_SECONDS):
            raise _crowded()
        try:
            yield
        finally:
            self._checking.release()

    def _named(self, user: str) -> ColumnElement[bool]:
        return and_(users.c.issuer == self._issuer, users.c.user == user)


def check_groups(groups: Iterable[str]) -> frozenset[str]:
    """Check the names of a principal's groups.

    Raises:
        InvalidRequest: a name is not acceptable, or there are too many.
    """
    names = frozenset(check_group_name(group) for group in groups)
    if len(names) > MAX_GROUPS:
        raise InvalidRequest(f"{len(names)} groups are too many", hint=f"{MAX_GROUPS} at most")
    return names


def _prepare(password: str) -> bytes:
    """The bytes to hash: one form of each character whatever the keyboard, and bounded work."""
    text = unicodedata.normalize("NFC", password[: _LONGEST_PASSWORD + 1])
    return text.encode("utf-8", "surrogatepass")


def _is_name(user: str) -> bool:
    try:
        check_principal_name(user)
    except InvalidRequest:
        return False
    return True


def _crowded() -> TooManyAttempts:
    return TooManyAttempts("too many logins at once", hint="try again in a moment, or use a token")


def _not_found(user: str) -> NotFound:
    return NotFound(f"there is no local user `{user[:64]}`", hint="list the users")
