"""Step 12, by the protection officer: who sees what and why, and who did what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import privet
from privet.demo.checks import claim
from privet.demo.stage import ADMIN, ANALYST, ANALYST_GROUP, DATASET, VISITOR, Stage, issue_token
from privet.demo.views import print_table
from privet.model.errors import InvalidRequest, NotFound, PrivetError

_EVENTS = 200


def review(stage: Stage) -> None:
    """Do the step."""
    with stage.step(12, "Refused attempts, the reasons, and the audit trail"):
        _be_refused(stage)
        _explain(stage)
        _read_audit(stage)


def _be_refused(stage: Stage) -> None:
    """Two who ask for what they have no right to; both must be refused."""
    stage.tokens[VISITOR] = issue_token(stage, VISITOR, ("visitors",))
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
    stage.say(f"What {ANALYST} gets of {DATASET}, and why:")
    print(answer)


def _read_audit(stage: Stage) -> None:
    events = list(reversed(stage.admin.items("/v1/audit", limit=_EVENTS)))
    _check_audit(events)
    print_table(
        stage.console,
        ("when", "who", "what", "on", "outcome", "policies", "rows read#", "returned#"),
        [_row(event) for event in events],
        title="The audit trail",
    )


def _row(event: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        str(event["at"])[11:23],
        event["user"],
        event["action"],
        event["object"],
        event["outcome"],
        ", ".join(event["permissions"]) or ("bypass" if event["bypass"] else ""),
        _number(event["rows_read"]),
        _number(event["rows_returned"]),
    )


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _check_audit(events: Sequence[Mapping[str, Any]]) -> None:
    del events
