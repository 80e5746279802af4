"""Token domains over HTTP."""

from privet.rest.domains.routes import router

__all__ = ["router"]
