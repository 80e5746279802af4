"""The composition root: settings, wiring, lifetime."""

from privet.server.main import issue_token, serve
from privet.server.settings import Settings

__all__ = ["Settings", "issue_token", "serve"]
