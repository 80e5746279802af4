"""The light client: `privet.connect` and what it gives. Needs no server code."""

from privet.client.connection import Client, StatementResult, connect
from privet.client.errors import Insecure, Unreachable
from privet.client.rest import Rest
from privet.client.scans import Scan

__all__ = ["Client", "Insecure", "Rest", "Scan", "StatementResult", "Unreachable", "connect"]
