"""From credentials to a principal, and back out again."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, select, update

from privet.identity import AdminRule, Identity, SigningKeys
from privet.model.errors import (
    ConfigurationInvalid,
    Conflict,
    InvalidRequest,
    NotFound,
    Revoked,
    StoreUnavailable,
    TooManyAttempts,
    Unauthenticated,
)
from privet.model.principals import BearerToken, Password
from privet.store import open_engine, reading_once, writing
from privet.store.tables import users

SECRET = "correct horse"
WRONG = "user name or password is wrong"


def refused(identity: Identity, user: str, password: str = SECRET) -> Unauthenticated:
    with pytest.raises(Unauthenticated) as caught:
        identity.authenticate(Password(user, password))
    return caught.value


def test_a_token_gives_its_principal(identity: Identity, clock: Any) -> None:
    """User, groups and times are those of the token; nobody is an admin by accident."""
    principal = identity.authenticate(BearerToken(identity.issue_token("ada", ["b", "a", "a"])))
    assert (principal.user, principal.groups, principal.issuer) == ("ada", {"a", "b"}, "privet")
    assert principal.expires_at == clock.now + timedelta(minutes=15)
    assert principal.issued_at == clock.now
    assert principal.token_id
    assert not principal.admin


def test_admins_are_named_in_settings(identity: Identity) -> None:
    """By user or by group, through tokens and through passwords."""
    for user, groups in (("root", []), ("bob", ["stewards"])):
        assert identity.authenticate(BearerToken(identity.issue_token(user, groups))).admin
    identity.create_user("eve", SECRET, ["stewards"])
    assert identity.authenticate(Password("eve", SECRET)).admin
    assert not identity.authenticate(BearerToken(identity.issue_token("stewards", ["root"]))).admin


def test_a_token_of_another_issuer_makes_no_admin(
    engine: Engine, identity: Identity, keys: SigningKeys
) -> None:
    """The same key under another issuer's name is refused here."""
    other = Identity(
        engine, keys, admins=AdminRule(), token_lifetime=timedelta(hours=1), issuer="other",
        hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1),
    )  # fmt: skip
    with pytest.raises(Unauthenticated, match="another service"):
        identity.authenticate(BearerToken(other.issue_token("root", [])))


def test_no_credentials_are_refused(identity: Identity) -> None:
    """There is no anonymous principal."""
    with pytest.raises(Unauthenticated, match="no credentials"):
        identity.authenticate(None)


def test_a_password_gives_the_stored_groups(identity: Identity, clock: Any) -> None:
    """And an end, as a token's."""
    identity.create_user("ada", SECRET, ["analysts"])
    principal = identity.authenticate(Password("ada", SECRET))
    assert principal.groups == {"analysts"}
    assert principal.expires_at == clock.now + timedelta(minutes=15)


def test_unknown_user_and_wrong_password_read_alike(identity: Identity, engine: Engine) -> None:
    """So do a disabled user, an impossible name and an impossible password."""
    identity.create_user("ada", SECRET, [])
    identity.create_user("off", SECRET, [])
    with writing(engine) as connection:
        connection.execute(update(users).where(users.c.user == "off").values(disabled=True))
    texts = {
        str(refused(identity, "ada", "wrong password")),
        str(refused(identity, "ada", "")),
        str(refused(identity, "ada", "\ud800" * 9)),
        str(refused(identity, "ada", "x" * 1_000_000)),
        str(refused(identity, "ada", SECRET + "\x00")),
        str(refused(identity, "nobody")),
        str(refused(identity, "Ada")),
        str(refused(identity, "a\x00\ud800")),
        str(refused(identity, "off")),
    }
    assert len(texts) == 1
    assert WRONG in texts.pop()


def test_unknown_users_take_as_long_as_known_ones(
    engine: Engine, keys: SigningKeys, clock: Any
) -> None:
    """A refusal must not tell by its time whether the name exists."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1)
    identity = Identity(
        engine, keys, admins=AdminRule(), token_lifetime=timedelta(minutes=1), clock=clock,
        hasher=hasher,
    )  # fmt: skip
    identity.create_user("ada", SECRET, [])

    def seconds(user: str) -> float:
        clock.move(hours=1)
        start = time.perf_counter()
        refused(identity, user, "wrong password")
        return time.perf_counter() - start

    pairs = [(seconds("ada"), seconds("nobody")) for _ in range(9)]
    known, unknown = (median(times) for times in zip(*pairs, strict=True))
    assert 0.4 < unknown / known < 2.5


def test_guessing_is_slowed_for_known_and_unknown_names(identity: Identity, clock: Any) -> None:
    """After a few wrong ones even the right one must wait, and then it works."""
    identity.create_user("ada", SECRET, [])
    for user in ("ada", "nobody"):
        for _ in range(6):
            clock.move(seconds=2)
            refused(identity, user, "wrong password")
        with pytest.raises(TooManyAttempts, match="too many"):
            identity.authenticate(Password(user, SECRET))
    clock.move(minutes=1)
    assert identity.authenticate(Password("ada", SECRET)).user == "ada"


def test_parallel_guesses_count_as_much_as_others(identity: Identity) -> None:
    """Many at once get no more tries than one after the other."""
    identity.create_user("ada", SECRET, [])
    outcomes: list[type[Exception]] = []

    def guess() -> None:
        try:
            identity.authenticate(Password("ada", "wrong password"))
        except (Unauthenticated, TooManyAttempts) as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(Unauthenticated) == 5
    assert outcomes.count(TooManyAttempts) == 15


def test_parallel_right_logins_all_work(identity: Identity) -> None:
    """A client that sends its password with every request is not taken for a guesser."""
    identity.create_user("ada", SECRET, [])
    names: list[str] = []
    threads = [
        threading.Thread(
            target=lambda: names.append(identity.authenticate(Password("ada", SECRET)).user)
        )
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names == ["ada"] * 20


def test_a_flood_of_logins_holds_few_threads(identity: Identity) -> None:
    """Beyond a number of them they are refused at once, and nobody else waits for them."""
    identity.create_user("ada", SECRET, [])
    token = BearerToken(identity.issue_token("ada", []))
    crowd = 60
    refusals = threading.Semaphore(0)

    def knock(number: int) -> None:
        try:
            identity.authenticate(Password(f"nobody{number}", SECRET))
        except TooManyAttempts:
            refusals.release()
        except Unauthenticated:
            pass

    threads = [threading.Thread(target=knock, args=(n,)) for n in range(crowd)]
    with identity._users._turn():
        for thread in threads:
            thread.start()
        # All but those who may wait, and long before their time is over.
        assert all(refusals.acquire(timeout=2) for _ in range(crowd - 20))
        assert identity.authenticate(token).user == "ada"
        assert sum(thread.is_alive() for thread in threads) == 20
    for thread in threads:
        thread.join()
    assert identity.authenticate(Password("ada", SECRET)).user == "ada"


def test_a_flood_of_logins_stops_no_administrator(identity: Identity) -> None:
    """New passwords are hashed although strangers fill every place in the line."""
    users_ = identity._users
    for _ in range(20):
        users_._places.acquire()
    with pytest.raises(TooManyAttempts, match="too many logins at once"):
        identity.authenticate(Password("ada", SECRET))
    identity.create_user("ada", SECRET, [])
    for _ in range(20):
        users_._places.release()
    assert identity.authenticate(Password("ada", SECRET)).user == "ada"


def stored_hash(engine: Engine) -> str:
    with reading_once(engine) as connection:
        return connection.execute(select(users.c.password_hash)).scalar_one()


def test_passwords_are_hashed_and_hashes_renewed(
    engine: Engine, identity: Identity, keys: SigningKeys, clock: Any
) -> None:
    """Argon2id; a login under new parameters brings the stored hash to them."""
    identity.create_user("ada", SECRET, [])
    assert stored_hash(engine).startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert SECRET not in stored_hash(engine)
    stronger = Identity(
        engine, keys, admins=AdminRule(), token_lifetime=timedelta(minutes=1), clock=clock,
        hasher=PasswordHasher(time_cost=2, memory_cost=16, parallelism=1),
    )  # fmt: skip
    refused(stronger, "ada", "wrong password")
    assert "m=8,t=1" in stored_hash(engine)
    stronger.authenticate(Password("ada", SECRET))
    assert "m=16,t=2" in stored_hash(engine)
    stronger.authenticate(Password("ada", SECRET))


def test_a_broken_hash_lets_nobody_in(engine: Engine, identity: Identity) -> None:
    """It reads as a wrong password."""
    identity.create_user("ada", SECRET, [])
    with writing(engine) as connection:
        connection.execute(update(users).values(password_hash="$argon2id$nonsense"))
    assert WRONG in refused(identity, "ada").message


def test_one_password_has_one_form(identity: Identity) -> None:
    """Composed and decomposed characters are the same password."""
    identity.create_user("ada", "Zo\u00eb-and-more", [])
    assert identity.authenticate(Password("ada", "Zoe\u0308-and-more")).user == "ada"


@pytest.mark.parametrize(
    ("user", "password", "groups"),
    [
        ("", SECRET, []), ("a\n", SECRET, []), (" a", SECRET, []), ("a" * 257, SECRET, []),
        ("ada", "tiny", []), ("ada", "x" * 1025, []), ("ada", SECRET, ["user:root"]),
        ("ada", SECRET, ["a\x1b"]), ("ada", SECRET, [str(n) for n in range(1001)]),
    ],
)  # fmt: skip
def test_users_that_cannot_be_created(
    identity: Identity, user: str, password: str, groups: list[str]
) -> None:
    """Names and passwords are checked before anything is stored."""
    with pytest.raises(InvalidRequest) as caught:
        identity.create_user(user, password, groups)
    assert password not in str(caught.value)
    assert identity.list_users() == ()


def test_users_are_listed_and_unique(identity: Identity, clock: Any) -> None:
    """In order, without their hashes; a second one of the name is a conflict."""
    identity.create_user("bob", SECRET, ["x"])
    identity.create_user("ada", SECRET, [])
    with pytest.raises(Conflict, match="`ada` exists"):
        identity.create_user("ada", "other password", ["stewards"])
    listed = identity.list_users()
    assert [(user.user, user.groups) for user in listed] == [("ada", set()), ("bob", {"x"})]
    assert listed[0].created_at == clock.now
    assert "argon2" not in repr(listed)


def test_a_new_password_ends_the_old_one_and_its_tokens(identity: Identity, clock: Any) -> None:
    """Whoever knew the old one is out at once."""
    identity.create_user("ada", SECRET, [])
    old = BearerToken(identity.issue_token("ada", []))
    clock.move(microseconds=1)
    identity.set_password("ada", "another password")
    refused(identity, "ada")
    with pytest.raises(Unauthenticated, match="revoked"):
        identity.authenticate(old)
    assert identity.authenticate(Password("ada", "another password")).user == "ada"
    with pytest.raises(NotFound):
        identity.set_password("nobody", SECRET)


def test_a_dropped_user_is_out_also_when_the_name_is_given_again(
    identity: Identity, clock: Any
) -> None:
    """The next user of that name does not revive the tokens of the last."""
    identity.create_user("ada", SECRET, ["stewards"])
    old = BearerToken(identity.issue_token("ada", ["stewards"]))
    clock.move(microseconds=1)
    identity.drop_user("ada")
    identity.create_user("ada", "another password", [])
    with pytest.raises(Unauthenticated, match="revoked"):
        identity.authenticate(old)
    refused(identity, "ada")
    with pytest.raises(NotFound):
        identity.drop_user("nobody")


def test_a_revocation_holds_at_once_and_for_one_user(identity: Identity, clock: Any) -> None:
    """Tokens before the moment are refused, tokens from it on are not, even within one second."""
    before = BearerToken(identity.issue_token("ada", []))
    other = BearerToken(identity.issue_token("bob", []))
    clock.move(microseconds=1)
    identity.revoke_before("ada", clock.now)
    after = BearerToken(identity.issue_token("ada", []))
    with pytest.raises(Unauthenticated, match="revoked"):
        identity.authenticate(before)
    assert identity.authenticate(after).user == "ada"
    assert identity.authenticate(other).user == "bob"


def test_an_earlier_revocation_takes_nothing_back(identity: Identity, clock: Any) -> None:
    """Revoking again with an earlier moment does not revive what is revoked."""
    token = BearerToken(identity.issue_token("ada", []))
    identity.revoke_before("ada", clock.now + timedelta(microseconds=1))
    identity.revoke_before("ada", clock.now - timedelta(days=1))
    with pytest.raises(Unauthenticated, match="revoked"):
        identity.authenticate(token)


def test_a_revocation_by_another_server_holds_here(
    identity: Identity, engine: Engine, keys: SigningKeys, clock: Any, hasher: PasswordHasher
) -> None:
    """Nothing is remembered from an earlier authentication."""
    second_engine = open_engine(engine.url.render_as_string(hide_password=False))
    other = Identity(
        second_engine, keys, admins=AdminRule(), token_lifetime=timedelta(minutes=15),
        clock=clock, hasher=hasher,
    )  # fmt: skip
    token = BearerToken(identity.issue_token("ada", []))
    principal = identity.authenticate(token)
    identity.check_still_valid(principal)
    other.revoke_before("ada", clock.now + timedelta(seconds=1))
    with pytest.raises(Unauthenticated, match="revoked"):
        identity.authenticate(token)
    with pytest.raises(Revoked, match="revoked"):
        identity.check_still_valid(principal)
    second_engine.dispose()


def test_a_revocation_into_the_future_bars_logins_too(identity: Identity, clock: Any) -> None:
    """Until that moment."""
    identity.create_user("ada", SECRET, [])
    identity.revoke_before("ada", clock.now + timedelta(hours=1))
    with pytest.raises(Unauthenticated, match="revoked"):
        identity.authenticate(Password("ada", SECRET))
    clock.move(hours=1)
    assert identity.authenticate(Password("ada", SECRET)).user == "ada"


def test_a_running_scan_ends_with_its_token(identity: Identity, clock: Any) -> None:
    """`check_still_valid` refuses from the end of the token on."""
    principal = identity.authenticate(BearerToken(identity.issue_token("ada", [])))
    identity.check_still_valid(principal)
    clock.move(minutes=15)
    with pytest.raises(Revoked, match="expired"):
        identity.check_still_valid(principal)


@pytest.mark.parametrize(
    ("user", "groups", "lifetime"),
    [
        ("", [], None), ("a\n", [], None), ("ada", ["user:x"], None), ("ada", [""], None),
        ("ada", [], timedelta()), ("ada", [], timedelta(seconds=-1)),
        ("ada", [], timedelta(days=91)), ("ada", ["x" * 200 + str(n) for n in range(100)], None),
    ],
)  # fmt: skip
def test_tokens_that_are_not_issued(
    identity: Identity, user: str, groups: list[str], lifetime: timedelta | None
) -> None:
    """What no door would accept is refused when it is asked for."""
    with pytest.raises(InvalidRequest):
        identity.issue_token(user, groups, lifetime=lifetime)


def test_moments_must_have_a_zone(identity: Identity) -> None:
    """A naive moment could mean any hour of the day."""
    with pytest.raises(InvalidRequest, match="time zone"):
        identity.revoke_before("ada", datetime.now(UTC).replace(tzinfo=None))


def test_a_lifetime_out_of_range_stops_the_start(engine: Engine, keys: SigningKeys) -> None:
    """Zero, negative and endless are configuration errors."""
    for days in (0, -1, 91):
        with pytest.raises(ConfigurationInvalid, match="lifetime"):
            Identity(engine, keys, admins=AdminRule(), token_lifetime=timedelta(days=days))


def test_without_its_store_nobody_gets_in(identity: Identity, engine: Engine) -> None:
    """A good token is refused while revocations cannot be read."""
    token = BearerToken(identity.issue_token("ada", []))
    with writing(engine) as connection:
        connection.exec_driver_sql("DROP TABLE revocations")
    with pytest.raises(StoreUnavailable):
        identity.authenticate(token)
