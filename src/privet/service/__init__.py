"""The use cases, one module per noun. Doors call these and nothing beneath."""

from privet.service.platform import Caller, Platform
from privet.service.services import Services

__all__ = ["Caller", "Platform", "Services"]
