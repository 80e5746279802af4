"""Delegated administration over HTTP and on the command line."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from doors.doors import Run
from doors.servers import TrialServer
from doors.steward import Steward, unique

pytestmark = pytest.mark.service
TABLE = pa.table({"id": [1, 2], "name": ["a", "b"]})


def test_a_team_runs_its_own_database(server: TrialServer, steward: Steward) -> None:
    """From an empty catalog to a reader, without an administrator."""
    lead = steward.reader(
        "GRANT CREATE_AS_OWNER ON CATALOG",
        "GRANT CREATE_ROLE_AS_OWNER ON CATALOG",
        "GRANT CREATE_CRAWLER_AS_OWNER ON CATALOG",
        f"GRANT SELECT ON URI 'file://{server.lake}'",
    )
    rest, name = server.rest(lead.token), unique("team")
    rest.post("/v1/databases", {"name": name})
    steward.sql(f"GRANT MANAGE_GRANTS ON DATABASE {name} TO ROLE {lead.role}")
    mine = Steward(server)
    mine.rest = rest
    dataset = mine.dataset(TABLE, database=name)
    role, group = unique("role"), unique("group")
    rest.post("/v1/roles", {"name": role})
    rest.put(f"/v1/roles/{role}/groups/{group}")
    rest.post("/v1/permissions", {"sql": f"GRANT SELECT(id) ON TABLE {dataset} TO ROLE {role}"})
    reader = server.rest(server.token(unique("reader"), group))
    (seen,) = reader.items("/v1/datasets", database=name)
    assert [column["name"] for column in seen["columns"]] == ["id"]
    assert {item["name"] for item in rest.items("/v1/roles")} >= {role}
    events = server.events(user=lead.user, action="permission.create")
    assert all(event["permissions"] and not event["bypass"] for event in events)


def test_what_is_not_delegated_is_refused(server: TrialServer, steward: Steward) -> None:
    """403 with the right that is missing where the object is known, 404 where it is not."""
    dataset = steward.dataset(TABLE)
    path = f"/v1/datasets/{dataset.replace('.', '/')}"
    knowing = steward.reader(f"GRANT SHOW ON TABLE {dataset}")
    stranger = steward.reader()
    with server.http(knowing.token) as http:
        refused = http.delete(path)
        assert (refused.status_code, refused.json()["detail"]) == (
            403,
            f"this needs DROP on TABLE {dataset}",
        )
    with server.http(stranger.token) as http:
        hidden = http.delete(path).json()
        absent = http.delete("/v1/datasets/no/where").json()
    assert hidden["detail"].replace(dataset, "no.where") == absent["detail"]
    assert (hidden["status"], hidden["hint"]) == (404, absent["hint"])


def test_the_history_of_a_role_is_told(server: TrialServer, steward: Steward, command: Run) -> None:
    """By both: the latest change first, with who made it, page by page."""
    person = steward.reader("GRANT CREATE_ROLE_AS_OWNER ON CATALOG")
    role = unique("role")
    with server.http(person.token) as http:
        assert http.post("/v1/roles", json={"name": role}).status_code == 201
        assert http.put(f"/v1/roles/{role}/groups/g").status_code == 204
        first = http.get(f"/v1/roles/{role}/history", params={"limit": 1}).json()
        (change,) = first["items"]
        assert (change["action"], change["group"], change["user"]) == (
            "role.grant",
            "g",
            person.user,
        )
        query = {"limit": 1, "before": first["next"]}
        second = http.get(f"/v1/roles/{role}/history", params=query).json()
        assert [c["action"] for c in second["items"]] == ["role.create"]
    shown = command("role", "history", role)
    assert shown.exit_code == 0, shown.output
    assert person.user in shown.stdout
    listed = json.loads(command("role", "history", role, "--json").stdout)
    assert [c["action"] for c in listed] == ["role.grant", "role.create"]
    refused = command("role", "history", role, PRIVET_TOKEN=steward.reader().token)
    assert refused.exit_code == 4
    assert "does not exist" in refused.output


def test_rights_work_on_the_command_line(steward: Steward, command: Run) -> None:
    """As for an administrator, within them."""
    person = steward.reader("GRANT CREATE ON ATTRIBUTE NAMESPACE phi")
    done = command("tag", "create", f"phi.{unique('tag')}", PRIVET_TOKEN=person.token)
    assert done.exit_code == 0, done.output
    refused = command("tag", "create", "pii.tag", PRIVET_TOKEN=person.token)
    assert refused.exit_code == 1
    assert "this needs CREATE on ATTRIBUTE NAMESPACE pii" in refused.output
