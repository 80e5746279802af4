"""Transforms tried on values: what a policy would give, and no way to somebody else's tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pytest

from privet.model.errors import (
    Forbidden,
    InvalidRequest,
    NotFound,
    ParseFailed,
    RateLimited,
    TypeMismatch,
    Unauthenticated,
    UnknownName,
)
from privet.model.principals import BearerToken
from privet.model.transforms import SPECS
from privet.service import Caller
from privet.service.domains import Trial, Tried
from query.platforms import DOOR, Place, open_place

VALUES = [f"MRN-{n:08d}" for n in range(6)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform; each test has datasets and tags of its own on it."""
    with open_place(tmp_path_factory.mktemp("trials") / "p", detokenized_an_hour=20) as place:
        yield place


def tried(
    place: Place, transform: str, values: Sequence[str | None], kind: str = "string"
) -> Tried:
    return place.services.trials.run(place.admin.caller, Trial(transform, values, kind))


@pytest.mark.parametrize(
    ("transform", "kind", "values", "wanted"),
    [
        ("mask", "string", ["Ab-1", None, ""], ("XX-X", None, "")),
        ("mask(1, 2)", "string", ["abcd"], ("aXXd",)),
        ("lower(truncate(__COLUMN__, 2))", "string", ["ABC"], ("ab",)),
        ("mask_ccn()", "string", ["4111-1111-1111-1234"], ("XXXX-XXXX-XXXX-1234",)),
        ("phi_zip3", "string", ["90210-1234", "03601"], ("902", "000")),
        ("phi_date", "date32", ["1987-06-05"], ("1987-01-01",)),
        ("phi_age", "int32", ["44", "97"], ("44", "90")),
        ("truncate('hour')", "timestamp[us]", ["2024-05-17 13:05:59"], None),
        ("round(-2)", "decimal128(10, 2)", ["1234.56"], ("1200.00",)),
        ("zero", "binary", ["00ff"], ("",)),
        ("zero", "time64[us]", ["13:05:00"], ("00:00:00.000000",)),
        ("zero", "duration[s]", ["77"], ("0",)),
        ("zero", "bool", ["true"], ("false",)),
        ("bucket(0.5)", "double", ["1.7"], ("1.5",)),
        ("null", "string", ["x"], (None,)),
    ],
)
def test_plain_transforms(
    place: Place, transform: str, kind: str, values: list[str | None], wanted: tuple[str, ...]
) -> None:
    """What a policy would give, as text, on every kind of column."""
    made = tried(place, transform, values, kind)
    wanted = wanted or ("2024-05-17 13:00:00.000000",)
    assert made.values == wanted
    assert (made.made_up, made.domain) == (False, "")


@pytest.mark.parametrize("spec", [s for s in SPECS if s.keyed], ids=lambda s: s.name)
def test_tokens_without_a_domain_are_made_up(place: Place, spec: object) -> None:
    """Each call has a key of its own; within it, equal values have equal tokens."""
    name = getattr(spec, "name", "")
    first, second = (tried(place, name, [VALUES[0], VALUES[0], VALUES[1]]) for _ in range(2))
    assert first.made_up
    assert first.values[0] == first.values[1] != first.values[2]
    assert not set(first.values) & set(second.values)


def test_all_of_them_are_listed(place: Place) -> None:
    """For everybody who is known, with what each still shows; and for nobody else."""
    nobody = place.person()
    listed = place.services.trials.list(nobody.caller)
    assert {spec.name for spec in listed} == {spec.name for spec in SPECS}
    assert all(spec.shows and spec.says for spec in listed)
    stranger = Caller(BearerToken("x"), DOOR)
    with pytest.raises(Unauthenticated):
        place.services.trials.list(stranger)
    with pytest.raises(Unauthenticated):
        place.services.trials.run(stranger, Trial("mask", ["x"]))


def test_the_real_tokens_of_a_domain(place: Place) -> None:
    """Those that a reader of a dataset sees, for whoever may turn tokens back; on record."""
    namespace, database = place.unique("ns"), place.unique("db")
    tag = f"{namespace}.mrn"
    place.dataset(pa.table({"n": VALUES}), f"{database}.t", {"n": [tag]})
    reader = place.person(f"GRANT SELECT ON DATABASE {database} TRANSFORM {tag} WITH tokenize()")
    seen = place.scan(reader, f"{database}.t")["n"].to_pylist()
    trial = Trial("tokenize", VALUES[:3], domain=tag, purpose="a look")
    for refused in (reader, place.person(f"GRANT ALTER ON TOKEN DOMAIN {tag}"), place.person()):
        with pytest.raises(Forbidden):
            place.services.trials.run(refused.caller, trial)
        (event,) = place.platform.audit.list_events(user=refused.user, action="token.try")
        assert event.outcome == "refused"
    holder = place.person(f"GRANT DETOKENIZE ON TOKEN DOMAIN {tag}")
    made = place.services.trials.run(holder.caller, trial)
    assert set(made.values) <= set(seen)
    tokens = [token for token in made.values if token is not None]
    assert len(tokens) == 3
    assert (made.domain, made.version, made.made_up) == (tag, 1, False)
    events = list(place.platform.audit.list_events(user=holder.user, action="token.try"))
    assert {e.outcome for e in events} == {"allowed", "completed"}
    asked = next(e for e in events if e.outcome == "allowed")
    assert asked.detail == {"transform": "tokenize", "values": 3, "purpose": "a look"}
    assert not any(value in repr(events) for value in (*VALUES, *map(str, made.values)))
    # Both ways count together.
    place.services.detokenizing.detokenize(holder.caller, tag, tokens * 5, "a look")
    with pytest.raises(RateLimited):
        place.services.trials.run(holder.caller, trial)


def test_no_way_around_the_right(place: Place) -> None:
    """A domain counts only where its key is used, and a nest is no way past the question."""
    namespace, database = place.unique("ns"), place.unique("db")
    tag = f"{namespace}.mrn"
    place.dataset(pa.table({"n": VALUES}), f"{database}.t", {"n": [tag]})
    nobody, admin = place.person(), place.admin
    for text in ("tokenize", "lower(tokenize(__COLUMN__))", "tokenize(signed_user(TRUE))", "mask"):
        with pytest.raises(Forbidden):
            place.services.trials.run(nobody.caller, Trial(text, VALUES, domain=tag))
    for text in ("mask", "fp_random", "tokenize_no_ref", "mask(nfp_noref_tokenize(__COLUMN__))"):
        with pytest.raises(InvalidRequest):
            place.services.trials.run(admin.caller, Trial(text, VALUES, domain=tag))
    with pytest.raises(NotFound):
        place.services.trials.run(admin.caller, Trial("tokenize", VALUES, domain="ns.absent"))
    with pytest.raises(TypeMismatch):
        place.services.trials.run(admin.caller, Trial("tokenize", ["1"], "int64", domain=tag))
    mine = Trial("tokenize(__COLUMN__, signed_user(TRUE))", VALUES[:1], domain=tag)
    shared = Trial("tokenize", VALUES[:1], domain=tag)
    one, other = (place.services.trials.run(admin.caller, t).values for t in (mine, shared))
    assert one != other


@pytest.mark.parametrize(
    ("transform", "kind", "values", "error"),
    [
        ("rot13", "string", ["x"], UnknownName),
        ("mask(", "string", ["x"], ParseFailed),
        ("truncate", "string", ["x"], InvalidRequest),
        ("mask(-1)", "string", ["x"], InvalidRequest),
        ("mask", "list<string>", ["x"], InvalidRequest),
        ("mask_ccn", "int64", ["1"], TypeMismatch),
        ("mask", "string", [], InvalidRequest),
        ("mask", "string", ["x"] * 1001, InvalidRequest),
        ("mask", "string", ["x" * 4097], InvalidRequest),
        ("mask", "string", ["\ud800"], InvalidRequest),
        ("lower(" * 8 + "mask()" + ")" * 8, "string", ["x"], InvalidRequest),
        *(
            ("zero", kind, ["1" if kind != "bool" else "true", "secret"], InvalidRequest)
            for kind in ("int8", "bool", "decimal128(4, 1)", "duration[s]", "double")
        ),
        ("zero", "date32", ["secret"], InvalidRequest),
        ("zero", "time32[s]", ["secret"], InvalidRequest),
        ("zero", "binary", ["secret"], InvalidRequest),
        ("zero", "int64", ["9" * 30], InvalidRequest),
        ("zero", "duration[s]", ["9" * 30], InvalidRequest),
    ],
)
def test_what_cannot_be_tried(
    place: Place, transform: str, kind: str, values: list[str | None], error: type[Exception]
) -> None:
    """Typed errors, which name a value by its place and never say it."""
    with pytest.raises(error) as told:
        tried(place, transform, values, kind)
    assert "secret" not in str(told.value)
