"""Connections to databases: where they are and by whose name, never the secrets themselves."""

from privet.catalog.connections.connections import Connections, DataConnection

__all__ = ["Connections", "DataConnection"]
