"""A decision and a request become an EnforcedPlan; nothing else can be run."""

from privet.enforcement.evaluate import passing_rows
from privet.enforcement.plan import EnforcedPlan, enforce
from privet.enforcement.seal import Seal, TicketInvalid

__all__ = [
    "EnforcedPlan",
    "Seal",
    "TicketInvalid",
    "enforce",
    "passing_rows",
]
