"""Proposed tags that wait for an answer, and those that were rejected."""

from privet.catalog.proposals.proposals import Proposals

__all__ = ["Proposals"]
