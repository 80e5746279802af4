"""The use cases, one module per noun. Doors call these and nothing beneath."""

from privet.audit import to_dict as event_dict
from privet.identity import read_authorization
from privet.policy import filter_of
from privet.service.connecting import catalog_endpoints, endpoints
from privet.service.platform import Caller, Platform
from privet.service.services import Services

__all__ = [
    "Caller",
    "Platform",
    "Services",
    "catalog_endpoints",
    "endpoints",
    "event_dict",
    "filter_of",
    "read_authorization",
]
