"""Step 12, by the protection officer: who sees what and why, and who did what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import privet
from privet.demo.checks import claim
from privet.demo.stage import ADMIN, ANALYST, ANALYST_GROUP, DATASET, VISITOR, Stage, issue_token
from privet.demo.views import print_table
from privet.model.errors import InvalidRequest, NotFound, PrivetError

_EVENTS = 200
_ADMINISTRATION = (
    *("tag.create", "rule.create", "role.grant", "database.create", "permission.create"),
    *("crawl.start", "dataset.register", "token.issue"),
)


def review(stage: Stage) -> None:
    """Do the step."""
    with stage.step(12, "Refused attempts, the reasons, and the audit trail"):
        _be_refused(stage)
        _explain(stage)
        _read_audit(stage)


def _be_refused(stage: Stage) -> None:
    """Two who ask for what they have no right to; both must be refused."""
    issue_token(stage, VISITOR, ("visitors",))
    _refused(stage, VISITOR, None, f"{VISITOR}, who has no role, scans {DATASET}")
    _refused(stage, ANALYST, ["id", "phone"], f"{ANALYST} asks for the column phone by its name")


def _refused(stage: Stage, user: str, columns: Sequence[str] | None, what: str) -> None:
    where = stage.addresses
    try:
        with privet.connect(where.flight, stage.tokens[user], ca=where.ca) as client:
            client.scan(DATASET, columns=columns, progress=False).to_arrow()
    except (NotFound, InvalidRequest) as error:
        stage.done(f"{what}: {error.message}")
    except PrivetError as error:
        claim(holds=False, sentence=f"{what} is refused for the right reason: {error}")
    else:
        claim(holds=False, sentence=f"{what} is refused")


def _explain(stage: Stage) -> None:
    where = stage.addresses
    with privet.connect(where.flight, stage.tokens[ADMIN], ca=where.ca) as client:
        answer = client.explain(DATASET, user=ANALYST, groups=[ANALYST_GROUP])
    verdicts = {column["name"]: column["verdict"] for column in answer["columns"]}
    claim(verdicts["phone"] == "hidden", "explain says that phone is hidden")
    claim(verdicts["mrn"] == "transformed", "explain says that mrn is transformed")
    stage.console.print()
    stage.say(f"What {ANALYST} gets of {DATASET}, and why: {answer['filter']['english']}.")
    columns = [_explained(stage, column) for column in answer["columns"]]
    print_table(stage.console, ("column", "tags", "verdict", "why", "policy"), columns)


def _explained(stage: Stage, column: Mapping[str, Any]) -> tuple[str, ...]:
    reasons = column["reasons"]
    fired = [reason["permission"]["id"] for reason in reasons if reason["permission"]]
    return (
        column["name"],
        ", ".join(column["tags"]),
        column["verdict"],
        "; ".join(f"{reason['effect']}: {reason['detail']}" for reason in reasons),
        ", ".join(stage.short(name) for name in fired),
    )


def _read_audit(stage: Stage) -> None:
    events = list(reversed(stage.admin.items("/v1/audit", limit=_EVENTS)))
    accesses = [_Access(event, _ends(event, events)) for event in events if not event["parent"]]
    _check_audit(stage, accesses)
    stage.say("The audit trail; what was asked for, and how it ended:")
    headers = ("when", "who", "what", "of", "door", "outcome", "policy", "read#", "returned#")
    print_table(stage.console, headers, [access.row(stage) for access in accesses])
    for name, alias in stage.aliases.items():
        stage.say(f"{alias} is permission {name}, the policy of step 5.")


@dataclass(frozen=True, slots=True)
class _Access:
    """What somebody asked for, with the events that say how it ended."""

    asked: Mapping[str, Any]
    ends: Sequence[Mapping[str, Any]]

    @property
    def outcome(self) -> str:
        return (self.ends[-1] if self.ends else self.asked)["outcome"]

    def counted(self, key: str) -> int | None:
        return self.ends[-1][key] if self.ends else None

    def row(self, stage: Stage) -> tuple[str, ...]:
        asked = self.asked
        policies = [stage.short(name) for name in asked["permissions"]]
        return (
            str(asked["at"])[11:19],
            asked["user"],
            asked["action"],
            asked["object"],
            asked["door"],
            self.outcome,
            "bypass" if asked["bypass"] else ", ".join(policies),
            _number(self.counted("rows_read")),
            _number(self.counted("rows_returned")),
        )


def _ends(event: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [other for other in events if other["parent"] == event["id"]]


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _check_audit(stage: Stage, accesses: Sequence[_Access]) -> None:
    """Every access of this demo is there, with its outcome, policies and counts."""
    actions = [access.asked["action"] for access in accesses]
    claim(set(_ADMINISTRATION) <= set(actions), "every act of the steward is in the audit trail")
    for user, policies in ((ANALYST, list(stage.aliases)), (ADMIN, [])):
        scans = [a for a in accesses if a.asked["user"] == user and a.outcome == "completed"]
        scans = [a for a in scans if a.asked["action"] == "scan.start"]
        claim(scans, f"the audit trail has the scans of {user}")
        for scan in scans:
            rows = len(stage.frames[user])
            claim(scan.counted("rows_returned") == rows, f"it counts the rows of {user}")
            claim((scan.counted("rows_read") or 0) >= rows, f"it counts what was read for {user}")
            claim(scan.asked["permissions"] == policies, f"it names the policies for {user}")
            claim(scan.asked["bypass"] == (user == ADMIN), "it marks what passes by the policies")
    for user in (VISITOR, ANALYST):
        refused = [a for a in accesses if a.asked["user"] == user and a.outcome == "refused"]
        claim(refused, f"the refused attempt of {user} is in the audit trail")
