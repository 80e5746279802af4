"""Proposed tags: working them out again, accepting and rejecting them."""

from privet.service.proposals.evaluating import (
    look_at_connected,
    look_at_files,
    look_in_catalog_at,
    note_proposals,
    proposed_now,
    rules_of,
    unanswered,
    without_rejected,
)
from privet.service.proposals.proposals import Evaluated, Proposals

__all__ = [
    "Evaluated",
    "Proposals",
    "look_at_connected",
    "look_at_files",
    "look_in_catalog_at",
    "note_proposals",
    "proposed_now",
    "rules_of",
    "unanswered",
    "without_rejected",
]
