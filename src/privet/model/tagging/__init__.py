"""Proposed tags: why, and what people said to them."""

from privet.model.tagging.evidence import Evidence

__all__ = ["Evidence"]
