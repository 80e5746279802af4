"""Privet: the hedge around a data lake. See ARCHITECTURE.md for the map of the rooms."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from privet.client import Client, connect

__all__ = ["Client", "__version__", "connect"]
__version__ = "0.1.0.dev0"


def __getattr__(name: str) -> Any:
    """Load the client on first use, so that importing one room does not load the others."""
    if name in {"Client", "connect"}:
        from privet import client

        return getattr(client, name)
    raise AttributeError(f"module `privet` has no attribute `{name}`")
