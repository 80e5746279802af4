"""Proposals and rejections as the JSON that every door sends."""

from __future__ import annotations

from privet.model.datasets import FieldTag, TagOrigin
from privet.model.tagging.proposals import Proposal, Rejection
from privet.service.forms import Json, field_tag_json, moment
from privet.service.proposals.proposals import Evaluated


def proposal_json(proposal: Proposal, *, outdated: bool = False) -> Json:
    """A proposal; `outdated` says that rules changed since."""
    return {
        "dataset": str(proposal.dataset),
        **field_tag_json(proposal.tag),
        "at": moment(proposal.at),
        "outdated": outdated,
    }


def evaluated_json(evaluated: Evaluated) -> Json:
    """What rules say of a dataset now."""
    return {
        "items": [proposal_json(p) for p in evaluated.waiting],
        "unsupported": [field_tag_json(t) for t in evaluated.unsupported],
    }


def rejection_json(rejection: Rejection) -> Json:
    """A rejection as a case to try rules on: what the column was, and that the tag is wrong."""
    tag = FieldTag(rejection.path, rejection.tag, TagOrigin.RULE, rejection.evidence)
    return {
        "dataset": None if rejection.dataset is None else str(rejection.dataset),
        "source": rejection.uri,
        "column": rejection.column.source_name,
        "comment": rejection.column.comment,
        "type": rejection.column.type,
        **field_tag_json(tag),
        "verdict": "rejected",
        "by": rejection.by,
        "at": moment(rejection.at),
    }


def contradiction_text(rejection: Rejection) -> str:
    """What a rule would propose although it was rejected, in a sentence."""
    of = str(rejection.dataset or rejection.uri)
    field = ".".join(rejection.path)
    return f"`{rejection.tag}` was rejected for `{field}` of `{of}`, which the rule finds"
