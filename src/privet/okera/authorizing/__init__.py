"""AuthorizeQuery: what a reader may see, said to an engine that reads by itself."""

from __future__ import annotations

from collections.abc import Mapping

from privet.okera.authorizing.requests import authorize, note
from privet.okera.calls import Handler

HANDLERS: Mapping[str, Handler] = {"AuthorizeQuery": authorize, "AuditQuery": note}
