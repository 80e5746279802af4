"""What definers lend, and what readers learn about what is behind a view."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from joserfc import jws
from joserfc.jws import JWSRegistry

from privet.model.errors import NotFound, PrivetError
from privet.model.names import DatasetName
from privet.model.principals import BearerToken
from privet.service import Caller
from query.platforms import Person, Place, open_place

PEOPLE = pa.table({"id": [1, 2, 3], "name": ["ada", "bob", "cid"], "phone": ["1", "2", "3"]})
TAGS = {"name": ["pii.name"], "phone": ["pii.phone"]}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A platform with `base.people`, and a database for views."""
    with open_place(tmp_path_factory.mktemp("lending")) as place:
        place.dataset(PEOPLE, "base.people", TAGS)
        place.platform.catalog.databases.create("v", by="root")
        yield place


def writer(place: Place, *grants: str) -> Person:
    """Somebody who may write views."""
    return place.person(*grants, "GRANT CREATE_AS_OWNER ON DATABASE v")


def view(place: Place, by: Caller, text: str) -> DatasetName:
    """A new view."""
    name = DatasetName("v", place.unique("view"))
    place.services.views.create(by, name, text)
    return name


def rows(place: Place, person: Person, name: object) -> object:
    """What a scan shows, or the code of its error."""
    try:
        return place.scan(person, str(name)).to_pylist()
    except PrivetError as error:
        return error.code


def resigned(place: Place, user: str, **claims: object) -> str:
    """A token as another issuer with our key would write it."""
    identity = place.platform.identity
    payload = identity.issue_token(user, frozenset()).split(".")[1]
    said = json.loads(base64.urlsafe_b64decode(payload + "=="))
    key = identity._keys.current()
    header = {"alg": key.algorithms[0], "kid": key.kid, "typ": "JWT"}
    registry = JWSRegistry(algorithms=list(key.algorithms))
    return jws.serialize_compact(header, json.dumps(said | claims), key.key, registry=registry)


def test_nobody_lends_what_a_view_in_between_hides_from_them(place: Place) -> None:
    """The safeguards of every definer on the way bind, not of the last one only."""
    inner = writer(place, "GRANT SELECT ON TABLE base.people")
    first = view(place, inner.caller, "SELECT id, name FROM base.people")
    outer = writer(place, f"GRANT SELECT ON TABLE {first}")
    table = "RESTRICT SELECT ON TABLE base.people"
    place.safeguard(f"{table} WHERE id = 3", outer.role)
    place.safeguard(f"{table} TRANSFORM pii.name WITH mask()", outer.role)
    second = view(place, outer.caller, f"SELECT id, name FROM {first}")
    own = [{"id": 3, "name": "XXX"}]
    assert rows(place, outer, second) == own
    friend = place.person(f"GRANT SELECT ON TABLE {second}")
    assert rows(place, friend, second) == own


def test_a_definer_is_in_all_groups_that_a_token_of_theirs_said(place: Place) -> None:
    """A safeguard that bound them when they wrote the view binds what they lend."""
    user = place.unique("definer")
    person = place.person("GRANT SELECT ON TABLE base.people", user=user)
    place.grant("GRANT CREATE_AS_OWNER ON DATABASE v", person.role)
    bound = place.unique("bound")
    place.platform.catalog.roles.create(bound, by="root")
    place.platform.catalog.roles.map_group(bound, "contractors")
    place.safeguard("RESTRICT SELECT ON TABLE base.people WHERE id = 3", bound)
    signed = resigned(place, user, all_groups=["contractors"])
    caller = Caller(BearerToken(signed), "test")
    name = view(place, caller, "SELECT id FROM base.people")
    assert rows(place, Person(user, person.role, caller), "base.people") == [
        {"id": 3, "name": "cid", "phone": "3"}
    ]
    reader = place.person(f"GRANT SELECT ON TABLE {name}")
    assert rows(place, reader, name) == [{"id": 3}]


def test_a_group_that_was_taken_away_is_not_lent(place: Place) -> None:
    """Groups change to and fro within an hour: what was seen last counts, not what was new."""
    user, role = place.unique("mia"), place.unique("finance")
    place.platform.catalog.roles.create(role, by="root")
    place.platform.catalog.roles.map_group(role, "finance")
    place.grant("GRANT SELECT ON TABLE base.people", role)
    place.grant("GRANT CREATE_AS_OWNER ON DATABASE v", role)
    without, within = place._caller(user), place._caller(user, "finance")
    place.services.datasets.list(without)
    name = view(place, within, "SELECT id FROM base.people")
    reader = place.person(f"GRANT SELECT ON TABLE {name}")
    assert isinstance(rows(place, reader, name), list)
    place.services.datasets.list(place._caller(user))
    assert rows(place, reader, name) == NotFound.code


@pytest.mark.parametrize(
    "text",
    [
        "SELECT column_name FROM (DESCRIBE base.people)",
        "SELECT 7 AS x UNION ALL SELECT id FROM base.people WHERE 1 = 0",
    ],
)
def test_a_view_that_needs_no_column_ends_with_the_right_too(place: Place, text: str) -> None:
    """It reads like an unknown name, in lists as in scans."""
    definer = writer(place, "GRANT SELECT ON TABLE base.people")
    name = view(place, definer.caller, text)
    reader = place.person(f"GRANT SELECT ON TABLE {name}")
    place.platform.catalog.roles.unmap_group(definer.role, f"user:{definer.user}")
    assert rows(place, reader, name) == NotFound.code
    assert place.services.datasets.list(reader.caller) == ()


def test_ones_own_audit_does_not_name_what_is_behind_a_view(place: Place) -> None:
    """The reader has no right to know of it."""
    definer = writer(place, "GRANT SELECT ON TABLE base.people")
    name = view(place, definer.caller, "SELECT id FROM base.people")
    reader = place.person(f"GRANT SELECT ON TABLE {name}")
    rows(place, reader, name)
    said = repr(place.services.audits.list(reader.caller))
    assert str(name) in said
    assert "base.people" not in said


def test_lineage_names_only_what_one_may_know_of(place: Place) -> None:
    """A right on one dataset is no right to know of those around it."""
    definer = writer(place, "GRANT SELECT ON TABLE base.people")
    name = view(place, definer.caller, "SELECT id FROM base.people")
    up = place.person("GRANT VIEW_COMPLETE_METADATA ON TABLE base.people")
    down = place.person(f"GRANT VIEW_COMPLETE_METADATA ON TABLE {name}")
    assert place.services.views.lineage(up.caller, DatasetName("base", "people")).children == ()
    found = place.services.views.lineage(down.caller, name)
    assert (found.parents, found.tables) == ((), ())


def test_what_if_does_not_count_rows_for_those_who_may_not_read(place: Place) -> None:
    """VIEW_COMPLETE_METADATA is no right to data; filters of one's own choice would be one."""
    asker = place.person("GRANT VIEW_COMPLETE_METADATA ON TABLE base.people")
    assert rows(place, asker, "base.people") == NotFound.code
    counts = []
    for phone in ("1", "7"):
        outlook = place.services.outlooks.what_if(
            asker.caller,
            [
                (
                    f"GRANT SELECT ON TABLE base.people WHERE name = 'ada' AND phone = '{phone}' "
                    "TO ROLE public_role POLICYPROPERTIES('reveals_filter'='accepted')"
                )
            ],
        )
        counts.append({(e.count_before, e.count_after) for e in outlook.effects})
    assert counts[0] == counts[1]


def test_a_definer_who_left_closes_no_list(tmp_path: Path) -> None:
    """What a provider says of a definer is not asked for: attributes are the reader's."""
    program = tmp_path / "look-up"
    program.write_text(f'#!/bin/sh\n[ -e "{tmp_path}/gone-$1" ] && exit 3\necho "{{}}"\n')
    program.chmod(0o755)
    settings = {"user_attributes_command": [str(program)], "user_attributes_cache_seconds": 0}
    with open_place(tmp_path / "place", **settings) as place:
        place.dataset(PEOPLE, "base.people", TAGS)
        place.platform.catalog.databases.create("v", by="root")
        definer = writer(place, "GRANT SELECT ON TABLE base.people")
        name = view(place, definer.caller, "SELECT id FROM base.people")
        reader = place.person(f"GRANT SELECT ON TABLE {name}")
        (tmp_path / f"gone-{definer.user}").touch()
        for caller in (reader.caller, place.admin.caller):
            assert name in {v.dataset.name for v in place.services.datasets.list(caller)}
        assert isinstance(rows(place, reader, name), list)
