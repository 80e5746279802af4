"""The HTTP door and its OpenAPI."""

from privet.rest.app import ServerInfo, create_app

__all__ = ["ServerInfo", "create_app"]
