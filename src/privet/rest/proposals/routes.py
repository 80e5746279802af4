"""Proposed tags: the queue, answers to it, and what was rejected."""

from __future__ import annotations

from fastapi import APIRouter, status

from privet.model.names import DatasetName, FieldPath, TagName, fold, parse_path
from privet.rest.bodies import Body, items
from privet.rest.callers import CallerDep, ServicesDep
from privet.rest.strict import StrictRoute
from privet.service.forms import Json
from privet.service.proposals.forms import evaluated_json, proposal_json, rejection_json

router = APIRouter(route_class=StrictRoute, prefix="/v1", tags=["proposals"])
_GONE = status.HTTP_204_NO_CONTENT


def _dataset(database: str, name: str) -> DatasetName:
    return DatasetName(fold(database, "database name"), fold(name, "dataset name"))


class Answer(Body):
    """Which proposal, of which dataset; `path` is the field's.

    It has `.` between its parts; those that are no identifiers stand in back quotes.
    """

    database: str
    name: str
    path: str
    tag: str

    def parsed(self) -> tuple[DatasetName, FieldPath, TagName]:
        """Its parts.

        Raises:
            InvalidRequest: one of them is not a name.
        """
        return (
            _dataset(self.database, self.name),
            parse_path(self.path),
            TagName.parse(self.tag),
        )


@router.get("/proposals")
def list_proposals(caller: CallerDep, services: ServicesDep) -> Json:
    """Proposals that wait for an answer, of datasets that the caller may alter."""
    return items([proposal_json(p, outdated=o) for p, o in services.proposals.list(caller)])


@router.post("/datasets/{database}/{name}/proposals")
def evaluate_proposals(caller: CallerDep, services: ServicesDep, database: str, name: str) -> Json:
    """Try the rules on a dataset as it is now."""
    return evaluated_json(services.proposals.evaluate(caller, _dataset(database, name)))


@router.post("/proposals/accept", status_code=_GONE)
def accept_proposal(caller: CallerDep, services: ServicesDep, body: Answer) -> None:
    """Put a proposed tag on its field."""
    services.proposals.accept(caller, *body.parsed())


@router.post("/proposals/reject", status_code=_GONE)
def reject_proposal(caller: CallerDep, services: ServicesDep, body: Answer) -> None:
    """Remember that a tag is wrong there, and take it off if a rule put it on."""
    services.proposals.reject(caller, *body.parsed())


@router.post("/proposals/reconsider", status_code=_GONE)
def reconsider_proposal(caller: CallerDep, services: ServicesDep, body: Answer) -> None:
    """Forget that a tag was rejected."""
    services.proposals.reconsider(caller, *body.parsed())


@router.get("/rejections")
def list_rejections(caller: CallerDep, services: ServicesDep) -> Json:
    """What was rejected, as cases to try rules on."""
    return items([rejection_json(r) for r in services.proposals.rejections(caller)])
