"""Proposed tags over HTTP."""

from privet.rest.proposals.routes import router

__all__ = ["router"]
