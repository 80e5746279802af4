"""Looking up what a token stands for: by writing values of one's own, or by asking for values."""

from __future__ import annotations

import io
import json
import logging
import pickle
import traceback
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pyarrow as pa
import pytest

from privet.keys import FileKeys
from privet.model.datasets import CanonicalType
from privet.model.errors import Conflict, Forbidden, NotFound, PrivetError, RateLimited
from privet.model.names import DatasetName, TagName
from privet.policy import Grant, parse
from query.platforms import Person, Place, make_master, open_place

SECRETS = [f"P{n:07d}" for n in range(20)]
GUESSES = pa.table({"n": [f"P{n:07d}" for n in range(200)]})
WHY = "research"
LIMIT = 30


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform where nobody may have more than thirty values an hour."""
    with open_place(tmp_path_factory.mktemp("chosen") / "p", detokenized_an_hour=LIMIT) as place:
        yield place


class World:
    """A table of secrets, somebody who reads its tokens, and a table that others may write."""

    def __init__(self, place: Place) -> None:
        self.place, self.services = place, place.services
        self.tag = f"{place.unique('ns')}.id"
        self.secret = place.dataset(pa.table({"n": SECRETS}), "", {"n": [self.tag]})
        self.open = place.dataset(GUESSES, "", {"n": [self.tag]})
        self.services.domains.expel(place.admin.caller, self.tag, self.open.name)
        self.reader = self.reading()

    def reading(self) -> Person:
        """Somebody with a role that reads tokens of both tables."""
        clause = f"TRANSFORM {self.tag} WITH tokenize()"
        return self.place.person(
            *(f"GRANT SELECT ON TABLE {t.name} {clause}" for t in (self.secret, self.open))
        )

    def tokens(self, dataset: DatasetName) -> set[str]:
        """What the reader sees of a table."""
        return set(self.place.scan(self.reader, str(dataset))["n"].to_pylist())

    def admit(self, *, accept: bool = False) -> None:
        """Let the open table have the tokens of the secret one."""
        self.services.domains.admit(
            self.place.admin.caller, self.tag, self.open.name, accept_writers=accept
        )


@pytest.fixture
def world(place: Place) -> World:
    """Things that no other test has."""
    return World(place)


@pytest.mark.parametrize(
    "right",
    ["INSERT ON TABLE {t}", "ALTER ON TABLE {t}", "CREATE ON DATABASE {d}", "UPDATE ON CATALOG"],
)
def test_who_reads_tokens_and_writes_keeps_a_dataset_out(world: World, right: str) -> None:
    """Until somebody accepts that by name, which is on record with the roles."""
    at = world.open.name
    world.place.grant(f"GRANT {right.format(t=at, d=at.database)}", world.reader.role)
    assert not world.tokens(world.secret.name) & world.tokens(at)
    with pytest.raises(Conflict, match="can write to") as caught:
        world.admit()
    assert world.reader.role in caught.value.message
    assert "--accept-writers" in caught.value.hint
    assert not world.tokens(world.secret.name) & world.tokens(at)
    world.admit(accept=True)
    assert world.tokens(world.secret.name) <= world.tokens(at)
    events = world.place.platform.audit.list_events(action="domain.accept_writers")
    assert events[0].object == world.tag
    assert [world.reader.role] * 2 in events[0].detail["writers"]


def test_two_roles_of_one_person_are_one_writer(world: World) -> None:
    """Also where only what was seen of that person says that they hold both."""
    world.services.sessions.whoami(world.reader.caller)
    role = world.place.role(world.reader)
    world.place.grant(f"GRANT INSERT ON TABLE {world.open.name}", role)
    with pytest.raises(Conflict):
        world.admit()


def test_the_definer_of_a_view_writes_its_values(world: World) -> None:
    """A view over literals is a table of guesses."""
    author = world.place.person(f"GRANT SELECT ON TABLE {world.open.name}")
    name = DatasetName(world.open.name.database, world.place.unique("v"))
    world.place.grant(f"GRANT CREATE_AS_OWNER ON DATABASE {name.database}", author.role)
    text = f"CREATE VIEW {name} AS SELECT 'P0000001' AS n"
    world.services.statements.execute(author.caller, text)
    world.services.tags.assign(world.place.admin.caller, name, ("n",), TagName.parse(world.tag))
    world.services.domains.expel(world.place.admin.caller, world.tag, name)
    clause = f"TRANSFORM {world.tag} WITH tokenize()"
    world.place.grant(f"GRANT SELECT ON TABLE {world.secret.name} {clause}", author.role)
    with pytest.raises(Conflict, match="can write to"):
        world.services.domains.admit(world.place.admin.caller, world.tag, name)


def test_refusals_name_no_role_that_the_steward_may_not_know(world: World) -> None:
    """Who alters a domain and a table need not know who reads what."""
    world.place.grant(f"GRANT INSERT ON TABLE {world.open.name}", world.reader.role)
    steward = world.place.person(
        f"GRANT ALTER ON TOKEN DOMAIN {world.tag}", f"GRANT ALTER ON TABLE {world.open.name}"
    )
    with pytest.raises(Conflict) as caught:
        world.services.domains.admit(steward.caller, world.tag, world.open.name)
    assert world.reader.role not in str(caught.value)


def test_dropping_and_registering_again_opens_nothing(world: World) -> None:
    """The same files under a new id are still expelled; and their tokens are other ones."""
    before = world.tokens(world.open.name)
    folder = Path(world.open.source.uri.removeprefix("file://"))
    world.place.platform.catalog.datasets.drop(world.open.name)
    again = world.place.register(folder, GUESSES.schema, world.open.name, {"n": [world.tag]})
    assert again.id != world.open.id
    assert world.tag not in again.domains
    after = world.tokens(world.open.name)
    assert not after & before
    assert not after & world.tokens(world.secret.name)


@pytest.mark.parametrize(
    "grant",
    [
        "ALL ON CATALOG",
        "ALL ON CATALOG TO ROLE mine WITH GRANT OPTION",
        "ALL ON TOKEN DOMAIN {tag}",
        "ALTER ON TOKEN DOMAIN {tag}",
        "MANAGE_GRANTS ON CATALOG",
        "SELECT ON CATALOG",
        "DETOKENIZE ON TOKEN DOMAIN {other}",
        "DETOKENIZE ON TOKEN DOMAIN {tag} TO ROLE mine POLICYPROPERTIES('enabled'='false')",
        "DETOKENIZE ON TOKEN DOMAIN {tag} TO ROLE mine POLICYPROPERTIES('end_datetime'='1000')",
    ],
)
def test_nothing_but_the_right_itself_turns_tokens_back(world: World, grant: str) -> None:
    """Not everything else, not the right on another domain, not one that is over."""
    other = f"{world.place.unique('ns')}.id"
    world.place.dataset(pa.table({"n": SECRETS}), "", {"n": [other]})
    eve = world.place.person()
    what, _, options = grant.format(tag=world.tag, other=other).partition(" TO ROLE mine")
    statement = parse(f"GRANT {what} TO ROLE {eve.role}{options}")
    assert isinstance(statement, Grant)
    world.services.permissions.grant(world.place.admin.caller, statement)
    token = next(iter(world.tokens(world.secret.name)))
    with pytest.raises(Forbidden, match="this needs DETOKENIZE on TOKEN DOMAIN"):
        world.services.detokenizing.detokenize(eve.caller, world.tag, [token], WHY)
    events = world.place.platform.audit.list_events(user=eve.user, action="token.detokenize")
    assert [e.error for e in events] == ["forbidden"]


def test_values_of_another_domain_are_nobodys(world: World) -> None:
    """A token of one domain, asked of another one, gives some value: never the one behind it."""
    other = f"{world.place.unique('ns')}.id"
    world.place.dataset(pa.table({"n": SECRETS}), "", {"n": [other]})
    eve = world.place.person(f"GRANT DETOKENIZE ON TOKEN DOMAIN {other}")
    tokens = sorted(world.tokens(world.secret.name))
    found = world.services.detokenizing.detokenize(eve.caller, other, tokens, WHY)
    assert not {*found} & {*SECRETS}


def test_own_tokens_of_a_dataset_have_no_way_back(world: World) -> None:
    """Who may turn back a domain gets nothing of a table that was never admitted to it."""
    eve = world.place.person(f"GRANT DETOKENIZE ON TOKEN DOMAIN {world.tag}")
    tokens = sorted(world.tokens(world.open.name))[:LIMIT]
    found = world.services.detokenizing.detokenize(eve.caller, world.tag, tokens, WHY)
    assert not {*found} & {*GUESSES["n"].to_pylist()}


def test_trying_on_is_as_dear_as_finding(world: World) -> None:
    """Enumeration meets the limit, whatever comes back, however it is divided or repeated."""
    eve = world.place.person(f"GRANT DETOKENIZE ON TOKEN DOMAIN {world.tag}")
    turn = world.services.detokenizing.detokenize
    had = 0
    for guess in (f"P{n:07d}" for n in range(10 * LIMIT)):
        try:
            had += len(turn(eve.caller, world.tag, [guess, guess], WHY))
        except RateLimited:
            break
    assert had == LIMIT
    for more in (1, LIMIT, 1000):
        with pytest.raises(RateLimited):
            turn(eve.caller, world.tag, ["P0000000"] * more, WHY)
    ann = world.place.person(f"GRANT DETOKENIZE ON TOKEN DOMAIN {world.tag}")
    assert len(turn(ann.caller, world.tag, ["P0000000"] * LIMIT, WHY)) == LIMIT


@pytest.mark.parametrize("name", ["detokenize", "invert", "untokenize"])
def test_user_sql_has_no_way_back(world: World, name: str) -> None:
    """Who may detokenize cannot do so in a statement: it would be neither counted nor said."""
    eve = world.place.person(f"GRANT DETOKENIZE ON TOKEN DOMAIN {world.tag}")
    got = world.place.ask(eve, f"SELECT {name}('P0000000')")
    assert got.error is not None
    assert got.code in {"unknown_name", "parse_failed", "invalid_request"}


def shown(error: BaseException) -> str:
    """All that an error could show somewhere."""
    told = vars(error) | {"args": error.args}
    return repr(told) + "".join(traceback.format_exception(error))


def test_the_key_is_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Not printed, logged, on record, in an error, in the store, or in what services show."""
    key = FileKeys(make_master(tmp_path / "key")).master().hex()
    caplog.set_level(logging.DEBUG)
    out, err = io.StringIO(), io.StringIO()
    errors: list[str] = []
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        open_place(tmp_path / "p", master=tmp_path / "key") as place,
    ):
        world = World(place)
        caller = place.admin.caller
        world.services.domains.create(
            caller, "spare", CanonicalType.TEXT, [TagName.parse(world.tag)], "x"
        )
        world.services.detokenizing.detokenize(caller, world.tag, ["P0000000"], WHY)
        for act in (
            lambda: world.services.domains.get(caller, "no_domain"),
            lambda: world.services.detokenizing.detokenize(caller, "no_domain", ["x"], WHY),
            lambda: world.services.detokenizing.detokenize(caller, world.tag, ["x"], WHY, 7),
            lambda: world.services.token_maps.start(caller, world.tag),
        ):
            with pytest.raises(PrivetError) as caught:
                act()
            errors.append(shown(caught.value))
        derived = place.platform.derive("token", "fp", world.tag, "1").hex()
        events = json.dumps([repr(e) for e in place.platform.audit.list_events(limit=1000)])
        services = [repr(place.platform), repr(place.services), repr(place.platform.derive)]
        with pytest.raises(TypeError):
            pickle.dumps(place.platform.derive)
    written = b"".join(file.read_bytes() for file in (tmp_path / "p").rglob("*") if file.is_file())
    said = "".join([out.getvalue(), err.getvalue(), caplog.text, events, *errors, *services])
    for secret in (key, derived):
        assert secret not in said
        assert repr(bytes.fromhex(secret))[2:-1] not in said
        assert bytes.fromhex(secret) not in written
        assert secret.encode() not in written


def test_an_unknown_domain_reads_the_same_to_all_who_may_not(world: World) -> None:
    """Asking for values tells nobody without the right whether there is such a domain."""
    eve = world.place.person()
    texts: set[str] = set()
    for name in (world.tag, "no_such"):
        with pytest.raises(Forbidden) as caught:
            world.services.detokenizing.detokenize(eve.caller, name, ["x"], WHY)
        texts.add(str(caught.value).replace(name, "?"))
    assert len(texts) == 1
    with pytest.raises(NotFound):
        world.services.detokenizing.detokenize(world.place.admin.caller, "no_such", ["x"], WHY)
