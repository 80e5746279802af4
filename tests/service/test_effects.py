"""Looking ahead is the same law: what is said beforehand is what then happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from privet.model.errors import Forbidden, InvalidRequest, NotFound
from privet.model.names import DatasetName, TagName
from privet.model.requests import ScanRequest
from privet.policy import Revoke, parse
from privet.policy.telling.differences import Direction
from privet.service.effects import Assumed, Outlook, outlook_json, readers_json
from privet.service.effects.outlooks import Effect
from query.platforms import Person, Place, open_place

ROWS = pa.table({
    "id": list(range(10)),
    "phone": [f"555-{i}" for i in range(10)],
    "age": [20 + i for i in range(10)],
})  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One dataset of ten rows; its phone is tagged."""
    with open_place(tmp_path_factory.mktemp("effects") / "platform") as place:
        place.dataset(ROWS, "clinic.people", {"phone": ["pii.phone"]})
        yield place


def ask(place: Place, *statements: str, count: bool = True) -> Outlook:
    """The steward asks."""
    return place.services.outlooks.what_if(place.admin.caller, statements, count=count)


def scanned(place: Place, person: Person) -> tuple[list[str], int]:
    """The columns and rows that somebody gets; none where they are refused."""
    request = ScanRequest(DatasetName("clinic", "people"))
    try:
        with place.services.scans.open(person.caller, request) as stream:
            return stream.schema.names, sum(batch.num_rows for batch in stream)
    except NotFound:
        return [], 0


GRANTS = (
    "GRANT SELECT ON DATABASE clinic WHERE age > 25",
    "GRANT SELECT ON TABLE clinic.people HAVING ATTRIBUTE NOT IN (pii.phone)",
    "GRANT SELECT(id, age) ON CATALOG",
)


@pytest.mark.parametrize("statement", GRANTS)
def test_what_is_said_is_what_happens(place: Place, statement: str) -> None:
    """Columns and counts of the outlook are those of a scan after the grant, and after REVOKE."""
    person = place.person()
    scanned(place, person)
    outlook = ask(place, f"{statement} TO ROLE {person.role}")
    (effect,) = [e for e in outlook.effects if e.dataset.database == "clinic"]
    assert {s.principal.user for s in effect.subjects if not s.role} == {person.user}
    assert {s.role for s in effect.subjects if s.role} == {person.role}
    assert scanned(place, person) == ([], 0)
    place.grant(statement, person.role)
    columns = [c.name for c in effect.change.columns if c.direction is Direction.GAINS]
    assert (columns, effect.count_after) == scanned(place, person)
    assert effect.count_before == 0
    revoke = statement.replace("GRANT", "REVOKE", 1)
    gone = ask(place, f"{revoke} FROM ROLE {person.role}").effects
    (back,) = [e for e in gone if e.dataset.database == "clinic"]
    assert (back.count_before, back.count_after) == (effect.count_after, 0)
    assert [c.name for c in back.change.columns] == columns
    assert {c.direction for c in back.change.columns} == {Direction.LOSES}


def test_safeguards_bind_by_all_groups(place: Place) -> None:
    """A restriction of a role is seen for its holders, whatever their grants come from."""
    person = place.person("GRANT SELECT ON DATABASE clinic")
    other = place.role(person)
    scanned(place, person)
    restriction = f"RESTRICT SELECT ON CATALOG WHERE age < 23 FROM ROLE {other}"
    (effect,) = ask(place, restriction).effects
    assert (effect.count_before, effect.count_after) == (10, 3)
    assert [s.principal.user for s in effect.subjects] == [person.user]
    assert effect.change.columns == ()


def test_a_list_is_carried_out_in_turn(place: Place) -> None:
    """Later statements see what earlier ones did; nothing is stored, and a refusal is data."""
    role = place.person().role
    grant = f"GRANT SELECT ON DATABASE clinic TO ROLE {role}"
    revoke = f"REVOKE SELECT ON DATABASE clinic FROM ROLE {role}"
    before = place.platform.catalog.version()
    outlook = ask(place, grant, revoke, revoke, grant.replace("clinic", "clinik"), "GRANT", grant)
    problems = [v.problem and v.problem.code for v in outlook.verdicts]
    assert problems == [None, None, "not_found", "unknown_name", "parse_failed", None]
    assert outlook.verdicts[3].problem is not None
    assert outlook.verdicts[3].problem.position is not None
    assert [e.count_after for e in outlook.effects] == [10]
    assert place.platform.catalog.version() == before
    assert place.platform.catalog.permissions.list(role=role) == ()


def test_nothing_changes_for_admins_and_strangers(place: Place) -> None:
    """A right that shows no cells changes nothing, and says so; admins see all in any case."""
    role = place.person().role
    outlook = ask(place, f"GRANT ALTER ON DATABASE clinic TO ROLE {role}")
    assert outlook.effects == ()
    assert any("no cells" in w for w in outlook.verdicts[0].warnings)
    everybody = ask(
        place, "DENY SELECT ON CATALOG HAVING ATTRIBUTE pii.phone FROM ROLE public_role"
    )
    named = {s.principal.user for e in everybody.effects for s in e.subjects}
    assert place.admin.user not in named


def test_counts_are_left_out_where_they_cannot_be(place: Place, tmp_path: Path) -> None:
    """Not asked for, or the source is gone: no count, and the rest stands."""
    role = place.person().role
    grant = f"GRANT SELECT ON DATABASE clinic TO ROLE {role}"
    assert ask(place, grant, count=False).effects[0].count_after is None
    lost = place.dataset(ROWS)
    folder = Path(lost.source.uri.removeprefix("file://"))
    (folder / "part.parquet").rename(tmp_path / "away.parquet")
    (effect,) = ask(place, f"GRANT SELECT ON DATABASE {lost.name.database} TO ROLE {role}").effects
    assert (effect.count_before, effect.count_after) == (0, None)
    assert outlook_json(ask(place, grant))["changes"][0]["rows"]["after"]["count"] == 10


def test_names_that_are_about_to_be(place: Place) -> None:
    """A check takes tags, roles and databases as created where that is said."""
    statement = "GRANT SELECT ON DATABASE soon HAVING ATTRIBUTE new.tag TO ROLE newcomers"
    check = place.services.outlooks.check
    (refused,) = check(place.admin.caller, [statement])
    assert refused.problem is not None
    assumed = Assumed(
        frozenset({TagName("new", "tag")}), frozenset({"newcomers"}), frozenset({"soon"})
    )
    (admitted,) = check(place.admin.caller, [statement], assumed)
    assert admitted.problem is None
    with pytest.raises(InvalidRequest, match="at least one"):
        check(place.admin.caller, [])


# ---- who can see


def test_readers_of_a_column(place: Place) -> None:
    """By how they see it, with the permissions that decide; those who do not are named apart."""
    open_to = place.person("GRANT SELECT ON TABLE clinic.people WHERE age > 25")
    masked = place.person("GRANT SELECT ON TABLE clinic.people TRANSFORM pii.phone WITH mask()")
    hidden = place.person("GRANT SELECT ON TABLE clinic.people HAVING ATTRIBUTE NOT IN (pii.phone)")
    for person in (open_to, masked, hidden):
        scanned(place, person)
    name = DatasetName("clinic", "people")
    found = readers_json(place.services.readers.of_column(place.admin.caller, name, "phone"))
    seen = {s["user"]: r for r in found["readers"] for s in r["subjects"] if "user" in s}
    assert seen[open_to.user]["how"] == "in clear"
    assert seen[open_to.user]["rows"]["filter"] == "age > 25"
    assert seen[masked.user]["how"] == "mask()"
    assert seen[place.admin.user]["bypass"] is True
    (permission,) = seen[masked.user]["permissions"]
    assert "TRANSFORM pii.phone WITH mask()" in permission["sql"]
    assert {"user": hidden.user} in [{"user": s["user"]} for s in found["hidden"] if "user" in s]
    assert {masked.role} <= {s.get("role") for r in found["readers"] for s in r["subjects"]}


def test_only_stewards_look_ahead(place: Place) -> None:
    """Others are refused, alike for what is there and what is not, and that is on record."""
    reader = place.person("GRANT SELECT ON DATABASE clinic")
    offered = place.services
    told: list[str] = []
    stranger = place.person()
    for name in (DatasetName("clinic", "people"), DatasetName("clinic", "nothing")):
        with pytest.raises(NotFound) as refused:
            offered.readers.of_column(stranger.caller, name, "phone")
        told.append(refused.value.message.replace(str(name), "it"))
    assert told[0] == told[1]
    with pytest.raises(Forbidden, match="VIEW_COMPLETE_METADATA"):
        offered.readers.of_column(reader.caller, DatasetName("clinic", "people"), "phone")
    for ask_ahead in (offered.outlooks.what_if, offered.outlooks.check):
        with pytest.raises(Forbidden):
            ask_ahead(reader.caller, ["GRANT SELECT ON CATALOG TO ROLE public_role"])
    with pytest.raises(NotFound, match="does not exist"):
        offered.readers.of_column(place.admin.caller, DatasetName("clinic", "nothing"), "phone")
    with pytest.raises(NotFound, match="column"):
        offered.readers.of_column(place.admin.caller, DatasetName("clinic", "people"), "nothing")
    events = offered.audits.list(place.admin.caller)
    recorded = {(e.action, str(e.outcome)) for e in events}
    assert {("permission.what_if", "refused"), ("dataset.readers", "refused")} <= recorded


def test_who_sees_everything_of_an_object_looks_ahead_there(place: Place) -> None:
    """VIEW_COMPLETE_METADATA on a database is enough for what is on it, and for no more.

    Rows are not counted for them: filters of their own choice would read cells by counting.
    """
    owner = place.person("GRANT VIEW_COMPLETE_METADATA ON DATABASE clinic")
    grant = f"GRANT SELECT ON DATABASE clinic TO ROLE {owner.role}"
    outlook = place.services.outlooks.what_if(owner.caller, [grant])
    assert [e.count_after for e in outlook.effects] == [None]
    name = DatasetName("clinic", "people")
    assert place.services.readers.of_column(owner.caller, name, "phone").column.name == "phone"
    for wider in (
        grant.replace("DATABASE clinic", "CATALOG"),
        f"GRANT DROP ON CATALOG TO ROLE {owner.role}",
    ):
        with pytest.raises(Forbidden, match="CATALOG"):
            place.services.outlooks.what_if(owner.caller, [grant, wider])
    (refused,) = place.services.outlooks.check(
        owner.caller, [grant.replace(owner.role, place.person().role)]
    )
    assert refused.problem is not None
    assert "unknown role" in refused.problem.message


def test_roles_of_owners_are_nobody_elses(place: Place) -> None:
    """They are no role that anybody could hold alone, so that nothing is said of them."""
    owner = place.person("GRANT CREATE_AS_OWNER ON CATALOG")
    place.services.databases.create(owner.caller, place.unique("own"))
    roles = {r.name for r in place.platform.catalog.roles.list()}
    assert any(r.startswith("_owner_") for r in roles)
    outlook = ask(place, "GRANT SELECT ON DATABASE clinic TO ROLE public_role")
    named = {s.role for e in outlook.effects for s in e.subjects}
    assert not any(r.startswith("_owner_") for r in named)


def test_views_are_explained_with_what_is_behind_them(place: Place) -> None:
    """To whom may see that; and nobody sees a view whose maker may read what it needs no more."""
    offered, catalog = place.services, place.platform.catalog
    role = place.role(place.admin)
    place.grant("GRANT SELECT ON TABLE clinic.people WHERE age > 22", role)
    catalog.databases.create("shown", by="root")
    name = DatasetName("shown", "older")
    offered.views.create(place.admin.caller, name, "SELECT id, phone FROM clinic.people")
    reader = place.person("GRANT SELECT ON TABLE shown.older WHERE id < 8")
    place.scan(reader, str(name))
    told = offered.explanations.explain(place.admin.caller, name, reader.user)
    assert told.filter == "id < 8"
    assert [(b.dataset, b.filter) for b in told.behind] == [("clinic.people", "age > 22")]
    owner = place.person("GRANT VIEW_COMPLETE_METADATA ON DATABASE shown")
    assert offered.explanations.explain(owner.caller, name, reader.user).behind == ()
    assert offered.explanations.explain(reader.caller, name).behind == ()

    def seeing() -> set[str]:
        found = offered.readers.of_column(place.admin.caller, name, "phone")
        return {s.principal.user for _, each in found.readers for s in each}

    assert reader.user in seeing()
    catalog.roles.drop(role)
    assert reader.user not in seeing()


@pytest.fixture
def lent(place: Place) -> Iterator[tuple[Person, str, Person]]:
    """A reader of a view; the definer and their role, that was granted what the view is made of."""
    definer = place.person("GRANT SELECT ON TABLE clinic.people")
    database = place.unique("lent")
    place.grant("GRANT CREATE ON CATALOG", definer.role)
    place.services.databases.create(place.admin.caller, database)
    name = DatasetName(database, "older")
    text = "SELECT id, phone FROM clinic.people WHERE age > 22"
    place.services.views.create(definer.caller, name, text)
    reader = place.person(f"GRANT SELECT ON TABLE {name}")
    assert place.scan(reader, str(name)).num_rows == 7
    yield definer, str(name), reader
    place.platform.catalog.datasets.drop(name)


def effects_on(outlook: Outlook, name: str, user: str) -> list[Effect]:
    """What would change for somebody on a dataset."""
    return [
        e
        for e in outlook.effects
        if str(e.dataset) == name and user in {s.principal.user for s in e.subjects}
    ]


def test_a_view_is_lost_with_the_right_of_its_definer(
    place: Place, lent: tuple[Person, str, Person]
) -> None:
    """For whoever reads it, an administrator too; and for readers of a view of it."""
    definer, name, reader = lent
    second = DatasetName.parse(f"{name}_again")
    text = f"SELECT phone FROM {name}"
    place.grant(f"GRANT SELECT ON TABLE {name}", definer.role)
    place.services.views.create(definer.caller, second, text)
    place.scan(place.admin, str(second))
    revoke = f"REVOKE SELECT ON TABLE clinic.people FROM ROLE {definer.role}"
    outlook = ask(place, revoke)
    for view, user, columns in (
        (name, reader.user, ["id", "phone"]),
        (name, place.admin.user, ["id", "phone"]),
        (str(second), place.admin.user, ["phone"]),
    ):
        (effect,) = effects_on(outlook, view, user)
        changes = {c.name: c.direction for c in effect.change.columns}
        assert changes == dict.fromkeys(columns, Direction.LOSES)
        assert (effect.count_before, effect.count_after) == (7, 0)
    assert not effects_on(outlook, str(second), reader.user)
    place.services.permissions.revoke(place.admin.caller, revoked(revoke))
    with pytest.raises(NotFound):
        place.scan(reader, name)
    told = place.services.explanations.explain(
        place.admin.caller, DatasetName.parse(name), reader.user
    )
    assert any("may not read `age`, `id`, `phone` of `clinic.people`" in w for w in told.warnings)
    grant = revoke.replace("REVOKE", "GRANT").replace("FROM", "TO")
    (back,) = effects_on(ask(place, grant), name, reader.user)
    assert (back.count_before, back.count_after) == (0, 7)
    place.platform.catalog.datasets.drop(second)


def test_rows_and_cells_behind_a_view_change_it(
    place: Place, lent: tuple[Person, str, Person]
) -> None:
    """By safeguards of the definer or the reader; counts are those of a scan afterwards."""
    definer, name, reader = lent
    for role, others in ((definer.role, True), (reader.role, False)):
        fewer = f"RESTRICT SELECT ON TABLE clinic.people WHERE id < 5 FROM ROLE {role}"
        outlook = ask(place, fewer)
        (effect,) = effects_on(outlook, name, reader.user)
        assert (effect.count_before, effect.count_after) == (7, 2)
        assert (str(effect.change.rows_before), str(effect.change.rows_after)) == (
            "all",
            "all; of `clinic.people` only where id is less than 5",
        )
        assert effect.change.columns == ()
        assert bool(effects_on(outlook, name, place.admin.user)) is others
        place.safeguard(fewer.partition(" FROM ROLE")[0], role)
        assert place.scan(reader, name).num_rows == 2
        place.services.permissions.revoke(place.admin.caller, revoked(f"DROP {fewer}"))
    masked = (
        "RESTRICT SELECT ON TABLE clinic.people TRANSFORM pii.phone WITH mask()"
        f" FROM ROLE {definer.role}"
    )
    (effect,) = effects_on(ask(place, masked), name, reader.user)
    (change,) = effect.change.columns
    assert (change.name, change.direction) == ("phone", Direction.LOSES)
    assert str(change.after) == "in clear, made of `clinic.people.phone` mask()"
    assert (effect.count_before, effect.count_after) == (7, 7)


def test_a_view_is_told_of_to_whom_may_see_everything_of_it(
    place: Place, lent: tuple[Person, str, Person]
) -> None:
    """And what is behind it to whom may see everything of that."""
    definer, name, reader = lent
    owner = place.person("GRANT VIEW_COMPLETE_METADATA ON TABLE clinic.people")
    hidden = "DENY SELECT ON TABLE clinic.people HAVING ATTRIBUTE pii.phone FROM ROLE public_role"
    outlook = place.services.outlooks.what_if(owner.caller, [hidden])
    assert {str(e.dataset) for e in outlook.effects} == {"clinic.people"}
    people = DatasetName("clinic", "people")
    assert place.services.readers.of_column(owner.caller, people, "phone").through == ()
    place.grant(f"GRANT VIEW_COMPLETE_METADATA ON TABLE {name}", owner.role)
    outlook = place.services.outlooks.what_if(owner.caller, [hidden])
    (effect,) = effects_on(outlook, name, reader.user)
    assert (effect.count_before, effect.count_after) == (None, None)
    found = place.services.readers.of_column(owner.caller, people, "phone")
    through = {str(each.dataset): each for each in found.through}
    seeing = {s.principal.user for _, each in through[name].readers for s in each}
    assert reader.user in seeing
    assert reader.user in {s.principal.user for s in found.hidden}
    viewer = place.person(f"GRANT VIEW_COMPLETE_METADATA ON TABLE {name}")
    place.safeguard("RESTRICT SELECT ON TABLE clinic.people WHERE id < 5", definer.role)
    view = DatasetName.parse(name)
    for asker, rows in (
        (owner, "all; of `clinic.people` only where id is less than 5"),
        (viewer, "all"),
    ):
        (sight,) = [
            sight
            for sight, each in place.services.readers.of_column(asker.caller, view, "id").readers
            if reader.user in {s.principal.user for s in each}
        ]
        assert str(sight.rows) == rows


def test_a_holder_of_a_role_alone_reads_views_by_it(
    place: Place, lent: tuple[Person, str, Person]
) -> None:
    """Safeguards of that role bind behind the view, though nobody has it."""
    _, name, reader = lent
    place.safeguard("RESTRICT SELECT ON TABLE clinic.people WHERE id < 5", reader.role)
    found = place.services.readers.of_column(place.admin.caller, DatasetName.parse(name), "id")
    rows = {s.role: str(sight.rows) for sight, each in found.readers for s in each if s.role}
    assert rows[reader.role] == "all; of `clinic.people` only where id is less than 5"


def test_a_view_that_asks_who_reads_is_not_counted(
    place: Place, lent: tuple[Person, str, Person]
) -> None:
    """It has other rows for each of those who see the same change."""
    definer, name, reader = lent
    own = DatasetName.parse(f"{name}_own")
    text = "SELECT id FROM clinic.people WHERE phone = current_user"
    place.services.views.create(definer.caller, own, text)
    (effect,) = effects_on(
        ask(place, f"GRANT SELECT ON TABLE {own} TO ROLE {reader.role}"), str(own), reader.user
    )
    assert (effect.count_before, effect.count_after) == (None, None)
    place.platform.catalog.datasets.drop(own)


def revoked(text: str) -> Revoke:
    """A statement that removes a permission."""
    statement = parse(text)
    assert isinstance(statement, Revoke)
    return statement
