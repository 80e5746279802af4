"""Nobody gets in as somebody else: forged, stale, misdirected and oversized credentials."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.flight as fl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from doors.doors import Wanted, every_answer
from doors.servers import TrialServer, bearer
from doors.steward import Steward, unique

pytestmark = pytest.mark.service
Claims = dict[str, Any]
Forge = Callable[[TrialServer, Claims], str]


def encoded(part: object) -> str:
    """A segment of a token."""
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def server_key(server: TrialServer) -> tuple[str, dict[str, str]]:
    """The server's own signing key: tokens that only their claims can spoil need it."""
    stored = json.loads((server.home / "signing-keys.json").read_text())["keys"]
    entry = next(key for key in stored if "d" in key)
    return entry["kid"], entry


def claims(**changes: Any) -> Claims:
    """Claims of an administrator that would hold, but for the changes; None leaves one out."""
    now = int(time.time())
    whole = {
        "iss": "privet",
        "aud": "privet",
        "sub": "admin",
        "groups": [],
        "iat": now,
        "nbf": now,
        "exp": now + 600,
        "jti": unique("jti"),
    } | changes
    return {k: v for k, v in whole.items() if v is not None}


def signed(server: TrialServer, body: Claims, **header: Any) -> str:
    """A token with the server's own key."""
    kid, key = server_key(server)
    head = {"alg": "Ed25519", "kid": kid, "typ": "JWT"} | header
    text = f"{encoded(head)}.{encoded(body)}"
    private = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(key["d"] + "=="))
    return f"{text}.{encoded(private.sign(text.encode()))}"


def unsigned(server: TrialServer, body: Claims) -> str:
    """`alg` none, without a signature."""
    kid, _ = server_key(server)
    return f"{encoded({'alg': 'none', 'kid': kid, 'typ': 'JWT'})}.{encoded(body)}."


def confused(server: TrialServer, body: Claims) -> str:
    """HS256 with the public key as the secret."""
    with server.http() as http:
        public = http.get("/v1/jwks").json()["keys"][0]
    secret = base64.urlsafe_b64decode(public["x"] + "==")
    head = encoded({"alg": "HS256", "kid": public["kid"], "typ": "JWT"})
    text = f"{head}.{encoded(body)}"
    return f"{text}.{encoded(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def foreign(server: TrialServer, body: Claims) -> str:
    """Signed with another key under the server's key id."""
    kid, _ = server_key(server)
    text = f"{encoded({'alg': 'Ed25519', 'kid': kid, 'typ': 'JWT'})}.{encoded(body)}"
    return f"{text}.{encoded(Ed25519PrivateKey.generate().sign(text.encode()))}"


def altered(server: TrialServer, body: Claims) -> str:
    """Another's claims under a signature that holds for somebody else."""
    head, _, signature = server.token(unique("somebody")).split(".")
    return f"{head}.{encoded(body)}.{signature}"


FORGERIES: dict[str, Forge] = {
    "alg none": unsigned,
    "HS256 with the public key": confused,
    "another key": foreign,
    "altered claims": altered,
    "unknown kid": lambda s, c: signed(s, c, kid="other"),
    "kid as a path": lambda s, c: signed(s, c, kid="../../master.key"),
    "no kid": lambda s, c: signed(s, c, kid=""),
    "crit": lambda s, c: signed(s, c, crit=["exp"]),
    "a key of its own": lambda s, c: signed(s, c, jwk={"kty": "OKP"}),
    "a key elsewhere": lambda s, c: signed(s, c, jku="https://elsewhere.example/keys"),
    "no access token": lambda s, c: signed(s, c, typ="id+jwt"),
    "expired": lambda s, c: signed(s, c | {"exp": c["iat"] - 1}),
    "not yet valid": lambda s, c: signed(s, c | {"nbf": c["iat"] + 60}),
    "issued in the future": lambda s, c: signed(s, c | {"iat": c["iat"] + 60}),
    "wrong audience": lambda s, c: signed(s, c | {"aud": "elsewhere"}),
    "wrong issuer": lambda s, c: signed(s, c | {"iss": "elsewhere"}),
    "issuer in another case": lambda s, c: signed(s, c | {"iss": "Privet"}),
    "no subject": lambda s, c: signed(s, {k: v for k, v in c.items() if k != "sub"}),
    "empty subject": lambda s, c: signed(s, c | {"sub": ""}),
    "subject is no text": lambda s, c: signed(s, c | {"sub": ["admin"]}),
    "subject that folds to admin": lambda s, c: signed(s, c | {"sub": "\uff41dmin"}),
    "padded subject": lambda s, c: signed(s, c | {"sub": "admin "}),
    "groups are no list": lambda s, c: signed(s, c | {"groups": "admins"}),
    "groups are missing": lambda s, c: signed(s, {k: v for k, v in c.items() if k != "groups"}),
    "a group is no text": lambda s, c: signed(s, c | {"groups": [1]}),
    "a reserved group": lambda s, c: signed(s, c | {"groups": ["user:admin"]}),
    "a reserved group in another case": lambda s, c: signed(s, c | {"groups": ["USER:admin"]}),
    "no expiry": lambda s, c: signed(s, {k: v for k, v in c.items() if k != "exp"}),
    "expiry is text": lambda s, c: signed(s, c | {"exp": "9999999999"}),
    "expiry is true": lambda s, c: signed(s, c | {"exp": True}),
    "huge": lambda s, c: signed(s, c | {"groups": [f"g{i:05d}" * 8 for i in range(900)]}),
    "four parts": lambda s, c: signed(s, c) + ".x",
    "two parts": lambda s, c: signed(s, c).rpartition(".")[0],
    "no token at all": lambda _, __: "letmein",
}


@pytest.mark.parametrize("kind", sorted(FORGERIES))
def test_forgeries_are_refused_at_both_doors(server: TrialServer, kind: str) -> None:
    """401 with a problem, unauthenticated over Flight; neither repeats any part of the token."""
    token = FORGERIES[kind](server, claims())
    with server.http(authorization=f"Bearer {token}") as http:
        got = http.get("/v1/whoami")
        assert (got.status_code, got.json()["code"]) == (401, "unauthenticated")
        assert got.headers["www-authenticate"] == "Bearer"
        assert http.get("/v1/datasets/a/b/scan").status_code == 401
        assert http.post("/v1/tags", json={"tag": "phi.forged"}).status_code == 401
    options = fl.FlightCallOptions(headers=[(b"authorization", f"Bearer {token}".encode())])
    # The library itself ends calls with metadata that is too large.
    kinds = pa.ArrowInvalid if kind == "huge" else fl.FlightUnauthenticatedError
    with server.flight() as client, pytest.raises(kinds) as refused:
        list(client.do_action(fl.Action("privet.call", b'{"use": "whoami"}'), options))
    parts = [part for part in token.split(".") if len(part) > 8]
    assert not any(part in got.text or part in str(refused.value) for part in parts)


def test_the_same_claims_well_signed_do_hold(server: TrialServer) -> None:
    """So the forgeries failed for the reason they were made for."""
    with server.http(signed(server, claims())) as http:
        assert http.get("/v1/whoami").json()["admin"] is True


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Basic", "Basic !!!", "Basic YWRtaW4=", "Digest x", "Negotiate x", "bearer"],
)
def test_headers_that_say_nothing(server: TrialServer, header: str) -> None:
    """No header, half a header and other schemes are all nobody."""
    with server.http(**({"authorization": header} if header else {})) as http:
        assert http.get("/v1/whoami").status_code == 401
    options = fl.FlightCallOptions(headers=[(b"authorization", header.encode())])
    with server.flight() as client, pytest.raises(fl.FlightUnauthenticatedError):
        list(client.do_action(fl.Action("privet.call", b'{"use": "whoami"}'), options))


@pytest.mark.parametrize("name", ["admins", "catalog_admins", "user:admin", "group:admin", "Admin"])
def test_being_named_like_power_gives_none(server: TrialServer, name: str) -> None:
    """A user named like a group, a role, a setting's entry or the admin in another case."""
    with server.http(server.token(name)) as http:
        known = http.get("/v1/whoami").json()
    assert (known["admin"], known["roles"]) == (False, ["public_role"])


def test_a_user_named_like_a_group_or_role_holds_neither(
    server: TrialServer, steward: Steward
) -> None:
    """Names of users, groups and roles live apart; only `user:NAME` maps to a user."""
    dataset = steward.dataset(pa.table({"id": [1]}))
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    for impostor in (
        server.token(reader.group),
        server.token(reader.role),
        server.token(unique("x"), reader.role),
        server.token(unique("x"), reader.group.upper()),
        server.token(unique("x"), reader.user),
    ):
        answers = every_answer(server, impostor, Wanted(dataset))
        assert {answer.code for answer in answers.values()} == {"not_found"}


def test_a_group_named_like_the_admin_does_not_administer(server: TrialServer) -> None:
    """`catalog_admins` names a user; a group of that name is something else."""
    with server.http(server.token(unique("x"), "admin")) as http:
        assert http.get("/v1/whoami").json()["admin"] is False
        assert http.post("/v1/roles", json={"name": "taken"}).status_code == 403


def test_passwords_log_in_and_wrong_ones_tell_nothing(server: TrialServer) -> None:
    """One answer for a wrong password and an unknown user; both are on record; Basic works too."""
    user = unique("local")
    body = {"user": user, "password": "correct horse battery", "groups": ["staff"]}
    server.rest().post("/v1/users", body)
    with server.http() as http:
        wrong = http.post("/v1/login", json={"user": user, "password": "wrong horse battery"})
        unknown = http.post("/v1/login", json={"user": unique("x"), "password": "wrong horse!"})
        right = http.post("/v1/login", json={"user": user, "password": body["password"]})
        basic = http.get("/v1/whoami", auth=(user, body["password"]))
    assert wrong.status_code == unknown.status_code == 401
    assert {**wrong.json(), "audit_id": ""} == {**unknown.json(), "audit_id": ""}
    assert basic.json()["groups"] == ["staff"]
    with server.http(right.json()["token"]) as http:
        assert http.get("/v1/whoami").json()["user"] == user
    refused = server.events(user=user, outcome="refused")
    assert [event["action"] for event in refused] == ["session.authenticate"]
    with server.flight() as client:
        header = client.authenticate_basic_token(user, body["password"])
        options = fl.FlightCallOptions(headers=[header])
        (result,) = client.do_action(fl.Action("privet.call", b'{"use": "whoami"}'), options)
        assert json.loads(result.body.to_pybytes())["result"]["user"] == user
        with pytest.raises(fl.FlightUnauthenticatedError):
            client.authenticate_basic_token(user, "wrong horse battery")


def test_guessing_is_slowed_down(server: TrialServer) -> None:
    """After some wrong passwords even the right one has to wait; nobody else has to."""
    user = unique("guessed")
    body = {"user": user, "password": "correct horse battery", "groups": []}
    server.rest().post("/v1/users", body)
    with server.http() as http:
        codes = [
            http.post("/v1/login", json={"user": user, "password": f"guess no {i}"}).status_code
            for i in range(8)
        ]
        late = http.post("/v1/login", json={"user": user, "password": body["password"]})
    assert codes[0] == 401
    assert codes[-1] == late.status_code == 429


def test_a_revoked_token_ends_at_the_next_request(server: TrialServer, steward: Steward) -> None:
    """At every door; a token issued afterwards holds."""
    dataset = steward.dataset(pa.table({"id": [1]}))
    reader = steward.reader(f"GRANT SELECT ON TABLE {dataset}")
    descriptor = fl.FlightDescriptor.for_path(*dataset.split("."))
    with server.flight() as client:
        info = client.get_flight_info(descriptor, bearer(reader.token))
        steward.rest.post(f"/v1/users/{reader.user}/revoke")
        for answer in every_answer(server, reader.token, Wanted(dataset)).values():
            assert answer.code == "unauthenticated"
        with pytest.raises(fl.FlightUnauthenticatedError):
            client.do_get(info.endpoints[0].ticket, bearer(reader.token)).read_all()
    fresh = server.token(reader.user, reader.group)
    for door, answer in every_answer(server, fresh, Wanted(dataset)).items():
        assert answer.table is not None, door


def test_only_admins_issue_tokens(server: TrialServer, governed: str) -> None:
    """Nor do others make users, revoke them, or turn the keys."""
    with server.http(governed) as http:
        for path, body in (
            ("/v1/tokens", {"user": "admin"}),
            ("/v1/users", {"user": "x", "password": "long enough password"}),
            ("/v1/users/admin/revoke", None),
            ("/v1/signing-keys/rotate", None),
        ):
            assert http.post(path, json=body).status_code == 403, path
        assert http.get("/v1/users").status_code == 404
        keys = http.get("/v1/jwks").json()["keys"]
    assert keys
    assert not any("d" in key for key in keys)


def test_both_doors_record_who_was_refused(server: TrialServer) -> None:
    """Each refusal of credentials is an event, with the id that was told."""
    with server.http(authorization="Bearer a.b.c") as http:
        told = http.get("/v1/whoami").json()["audit_id"]
    known = server.events(action="session.authenticate", outcome="refused")
    assert told in {event["id"] for event in known}
    with server.flight() as client, pytest.raises(fl.FlightUnauthenticatedError) as refused:
        client.get_flight_info(fl.FlightDescriptor.for_path("a", "b"), bearer("a.b.c"))
    told = json.loads(refused.value.extra_info)["audit_id"]
    newest = server.events(action="session.authenticate", outcome="refused")[0]
    assert (newest["id"], newest["door"]) == (told, "flight")
