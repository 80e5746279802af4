"""The light client: `privet.connect` and what it gives. Needs no server code."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from privet.client.connection import Client, StatementResult, connect
    from privet.client.errors import Insecure, Unreachable
    from privet.client.rest import Rest
    from privet.client.scans import Query, Scan

__all__ = [
    "Client",
    "Insecure",
    "Query",
    "Rest",
    "Scan",
    "StatementResult",
    "Unreachable",
    "connect",
]

_HOMES = {
    "Client": "connection",
    "Insecure": "errors",
    "Query": "scans",
    "Rest": "rest",
    "Scan": "scans",
    "StatementResult": "connection",
    "Unreachable": "errors",
    "connect": "connection",
}


def __getattr__(name: str) -> Any:
    """Load on first use: the command line needs HTTP and no Arrow, which takes longer to load."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"privet.client.{_HOMES[name]}"), name)
    raise AttributeError(f"module `privet.client` has no attribute `{name}`")
