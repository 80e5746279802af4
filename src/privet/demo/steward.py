"""Steps 1 to 7, by the steward: meaning first, then the policy, and the data last."""

from __future__ import annotations

import time
from typing import Any

from privet.demo.checks import claim
from privet.demo.stage import ANALYST_GROUP, CRAWLER, DATABASE, DATASET, ROLE, SOURCE, Stage
from privet.demo.views import print_block, print_table

POLICY = (
    f"GRANT SELECT ON DATABASE {DATABASE} HAVING ATTRIBUTE NOT IN (phi.phone_number)"
    f" TRANSFORM phi.mrn WITH tokenize() WHERE opted_out != 1 TO ROLE {ROLE}"
)
_CRAWL_SECONDS = 60.0


def prepare(stage: Stage) -> None:
    """Do the steps in their order."""
    _create_tag(stage)
    _create_rules(stage)
    _map_group(stage)
    _create_database(stage)
    _grant(stage)
    _crawl(stage)
    _register(stage)


def _create_tag(stage: Stage) -> None:
    with stage.step(1, "The steward creates the tag phi.mrn"):
        tag = {"tag": "phi.mrn", "description": "a patient's medical record number"}
        stage.admin.post("/v1/tags", tag)
        names = {item["tag"] for item in stage.admin.items("/v1/tags")}
        claim({"phi.mrn", "phi.phone_number"} <= names, "both tags of the policy exist")
        stage.say(f"There are {len(names)} tags now; phi.phone_number was there from the start.")


def _create_rules(stage: Stage) -> None:
    with stage.step(2, "... and two rules that find the tags by the names of columns"):
        for name, tag in (("mrn", "phi.mrn"), ("phone", "phi.phone_number")):
            rule = {"name": name, "tag": tag, "pattern": name, "targets": ["column_name"]}
            stage.admin.post("/v1/rules", rule)
            stage.say(f"Rule {name}: a column whose name contains {name!r} is tagged {tag}.")


def _map_group(stage: Stage) -> None:
    with stage.step(3, f"... gives the role {ROLE} to a group"):
        stage.admin.put(f"/v1/roles/{ROLE}/groups/{ANALYST_GROUP}")
        stage.say(f"Whoever's token names {ANALYST_GROUP} has the role. No user is in any policy.")


def _create_database(stage: Stage) -> None:
    with stage.step(4, f"... creates the database {DATABASE}, still without any data"):
        stage.admin.post("/v1/databases", {"name": DATABASE})


def _grant(stage: Stage) -> None:
    with stage.step(5, "... and writes the policy, before there is data to protect"):
        answer = stage.admin.post("/v1/permissions", {"sql": POLICY})
        stage.short(answer["id"])
        stage.say("In SQL:")
        print_block(stage.console, answer["sql"])
        stage.say("In English:")
        print_block(stage.console, answer["english"])


def _crawl(stage: Stage) -> None:
    with stage.step(6, f"A crawler looks at {SOURCE}"):
        stage.admin.post("/v1/crawls", {"name": CRAWLER, "source": SOURCE})
        crawl = _wait_for_crawl(stage)
        claim(crawl["status"] == "completed", f"the crawl completes: {crawl['error']}")
        found = {item["name"]: item for item in crawl["datasets"]}
        claim(set(found) == {"medical_costs"}, "the crawl finds medical_costs and nothing else")
        dataset = found["medical_costs"]
        stage.say(f"Found {dataset['name']}: {dataset['format']}, {dataset['bytes']:,} bytes.")
        rows: list[tuple[str, str, str, str]] = []
        for column in dataset["columns"]:
            about = (column["name"], column["type"])
            found_tags = [(tag["tag"], _evidence(tag)) for tag in column["tags"]]
            rows.extend((*about, *tag) for tag in found_tags or [("", "")])
        print_table(stage.console, ("column", "type", "tag", "evidence"), rows)
        tagged = {(row[0], row[2]) for row in rows}
        claim(("mrn", "phi.mrn") in tagged, "the column mrn was tagged phi.mrn")
        claim(("phone", "phi.phone_number") in tagged, "the column phone was tagged")


def _wait_for_crawl(stage: Stage) -> dict[str, Any]:
    deadline = time.monotonic() + _CRAWL_SECONDS
    shown = ""
    while True:
        crawl = stage.admin.get(f"/v1/crawls/{CRAWLER}")
        progress = f"{crawl['status']}, {crawl['objects_seen']} object(s) seen"
        if progress != shown:
            stage.say(progress)
            shown = progress
        if crawl["status"] != "running":
            return crawl
        claim(
            time.monotonic() < deadline, f"a crawl of one file ends within {_CRAWL_SECONDS:.0f} s"
        )
        time.sleep(0.1)


def _evidence(tag: dict[str, Any]) -> str:
    evidence = tag["evidence"]
    if not evidence:
        return ""
    words = f"rule {evidence['rule']} on {evidence['target'].replace('_', ' ')}"
    if evidence["sampled"]:
        words += f": {evidence['matched']} of {evidence['sampled']} cells match"
    return words


def _register(stage: Stage) -> None:
    with stage.step(7, f"The steward registers it as {DATASET}"):
        body = {"dataset": "medical_costs", "database": DATABASE}
        stage.admin.post(f"/v1/crawls/{CRAWLER}/register", body)
        stage.say(
            "The policy of step 5 holds for it from this moment; nothing else was to be done."
        )
