"""`privet tokens` against a real server: domains, the matrix, reports, maps and values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from doors.doors import Run
from doors.servers import TrialServer
from doors.steward import Steward, unique
from privet import connect
from privet.model.errors import Forbidden, KeyVersionRetired, RateLimited

pytestmark = pytest.mark.service
NUMBERS = [f"N-{n:07d}" for n in range(30)]
TABLE = pa.table({"n": NUMBERS, "sex": ["f", "m"] * 15})
WHY = "a recall"


def read(done: Any) -> Any:
    """What a successful command printed as JSON, and nothing else."""
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture
def tag(steward: Steward) -> str:
    """A tag of one's own."""
    name = f"{unique('ns')}.id"
    steward.ensure_tag(name)
    return name


@pytest.fixture
def dataset(steward: Steward, tag: str) -> str:
    """A dataset with the tag."""
    return steward.dataset(TABLE, tags={"n": [tag]})


def test_a_domain_from_its_beginning_to_its_end(command: Run, dataset: str, tag: str) -> None:
    """Declared, filled, shown, rotated, emptied, retired; each says what it did."""
    name = unique("people")
    made = read(
        command("tokens", "domain", "create", name, "--tag", tag, "--purpose", "p", "--json")
    )
    assert (made["name"], made["tags"], made["version"]) == (name, [tag], 1)
    assert (made["default"], made["purpose"], made["datasets"]) == (False, "p", [])
    done = command("tokens", "domain", "admit", name, dataset)
    assert done.stdout == f"admitted {dataset} to token domain {name}\n"
    shown = command("tokens", "domain", "show", name).stdout
    assert dataset in shown
    assert "key version: 1" in shown
    (group,) = read(command("tokens", "matrix", "--domain", name, "--json"))
    assert [(c["dataset"], c["column"]) for c in group["columns"]] == [(dataset, "n")]
    assert f"{dataset}.n" in command("tokens", "matrix").stdout
    done = command("tokens", "domain", "rotate", name)
    assert done.stdout == f"token domain {name} is at key version 2\n"
    refused = command("tokens", "domain", "retire", name)
    assert refused.exit_code == 5
    assert "expel them first" in refused.stderr
    assert read(command("tokens", "domain", "expel", name, dataset, "--json"))["datasets"] == []
    assert read(command("tokens", "domain", "retire", name, "--json"))["retired_at"]
    listed = {d["name"]: d for d in read(command("tokens", "domain", "list", "--json"))}
    assert listed[tag]["default"]
    assert listed[name]["retired_at"]


def test_writers_are_refused_until_accepted(
    command: Run, steward: Steward, dataset: str, tag: str
) -> None:
    """With what to do next."""
    steward.reader(
        f"GRANT SELECT ON TABLE {dataset} TRANSFORM {tag} WITH tokenize()",
        f"GRANT ALTER ON TABLE {dataset}",
    )
    command("tokens", "domain", "expel", tag, dataset)
    refused = command("tokens", "domain", "admit", tag, dataset)
    assert refused.exit_code == 5
    assert "can write to" in refused.stderr
    assert "--accept-writers" in refused.stderr
    assert "audit: " in refused.stderr
    done = command("tokens", "domain", "admit", tag, dataset, "--accept-writers")
    assert done.exit_code == 0


def test_a_report_of_a_column(command: Run, dataset: str) -> None:
    """In words, and for programs; counts and no values."""
    told = command("tokens", "risk", f"{dataset}.n").stdout
    assert "100 % of the rows have a value of their own" in told
    assert not any(n in told for n in NUMBERS)
    report = read(command("tokens", "risk", f"{dataset}.sex", "--json"))
    assert (report["rows"], report["distinct"], report["small"]) == (30, 2, 2)
    assert report["top"] == [15, 15]
    assert command("tokens", "risk", dataset).exit_code == 2
    assert command("tokens", "risk", f"{dataset}.absent").exit_code == 4


def test_values_by_every_way(
    command: Run, server: TrialServer, steward: Steward, dataset: str, tag: str
) -> None:
    """The command, standard input, REST and the Python client give the same, for one's right."""
    clause = f"TRANSFORM {tag} WITH tokenize()"
    reader = steward.reader(
        f"GRANT SELECT ON TABLE {dataset} {clause}", f"GRANT DETOKENIZE ON TOKEN DOMAIN {tag}"
    )
    with connect(server.flight_url, reader.token, ca=server.ca) as client:
        tokens = client.scan(dataset, ["n"], limit=3).to_arrow()["n"].to_pylist()
        assert client.detokenize(tag, tokens, WHY) == NUMBERS[:3]
        with pytest.raises(KeyVersionRetired):
            client.detokenize(tag, tokens, WHY, version=2)
        for _ in range(9):
            client.detokenize(tag, tokens[:1] * 1000, WHY)
        with pytest.raises(RateLimited):
            client.detokenize(tag, tokens[:1] * 1000, WHY)
    arguments = ("tokens", "detokenize", tag, "--purpose", WHY)
    asked = command(*arguments, *tokens, "x", "--json")
    assert read(asked)["values"] == [*NUMBERS[:3], None]
    shown = command(*arguments, "-", text="\n".join([*tokens, "x"]))
    assert NUMBERS[2] in shown.stdout
    assert "(none" in shown.stdout
    many = "\n".join(tokens[:1] * 1000)
    limited = command(*arguments, "-", text=many, PRIVET_TOKEN=reader.token)
    assert limited.exit_code == 1
    assert "again after" in limited.stderr
    nobody = steward.reader()
    with (
        connect(server.flight_url, nobody.token, ca=server.ca) as client,
        pytest.raises(Forbidden, match=f"DETOKENIZE on TOKEN DOMAIN {tag}"),
    ):
        client.detokenize(tag, tokens, WHY)
    with server.http(nobody.token) as http:
        for purpose in ("", WHY):
            body = {"tokens": tokens, "purpose": purpose}
            answer = http.post(f"/v1/token-domains/{tag}/detokenize", json=body)
            assert answer.status_code == 403
    (event, *_) = server.events(action="token.detokenize", user=reader.user)
    assert event["object"] == tag


def test_a_map_of_old_tokens(command: Run, dataset: str, tag: str) -> None:
    """Waited for; the file lies on the server, and jobs list it."""
    never = command("tokens", "retoken", tag, "--wait")
    assert never.exit_code == 5
    assert "never rotated" in never.stderr
    command("tokens", "domain", "rotate", tag)
    job = read(command("tokens", "retoken", tag, "--wait", "--json"))
    assert (job["status"], job["from_version"], job["to_version"]) == ("completed", 1, 2)
    assert pq.read_table(Path(job["file"])).num_rows == job["pairs"] == 2 * len(NUMBERS)
    assert job["id"] in {j["id"] for j in read(command("tokens", "jobs", "--json"))}
    assert dataset


def test_few_to_hide_among_are_refused_at_the_door(
    command: Run, steward: Steward, tag: str
) -> None:
    """By the sample of the crawl, with the position of the transform and the way out."""
    dataset = steward.dataset(TABLE, tags={"sex": [tag]})
    role = steward.reader().role
    grant = f"GRANT SELECT ON TABLE {dataset} TRANSFORM {tag} WITH tokenize() TO ROLE {role}"
    refused = command("sql", grant)
    assert refused.exit_code == 1
    assert f"`{dataset}.sex`" in refused.stderr
    assert "small_domain" in refused.stderr
    allowed = f"{grant} POLICYPROPERTIES('small_domain'='allow')"
    assert command("sql", allowed).exit_code == 0


def test_the_interface_is_described(server: TrialServer) -> None:
    """Every route of token domains is in OpenAPI, with its body."""
    with server.http() as http:
        paths = http.get("/openapi.json").json()["paths"]
    assert {
        "/v1/token-domains",
        "/v1/token-domains/{domain}/rotate",
        "/v1/token-domains/{domain}/datasets/{database}/{name}",
        "/v1/token-domains/{domain}/detokenize",
        "/v1/token-domains/{domain}/maps",
        "/v1/token-maps/{identifier}",
        "/v1/token-joins",
        "/v1/datasets/{database}/{name}/columns/{column}/token-risk",
    } <= set(paths)
    assert "requestBody" in paths["/v1/token-domains/{domain}/detokenize"]["post"]
