"""The use cases, one module per noun. Doors call these and nothing beneath.

The values that use cases give, and the forms in which a door writes them, are named here too.
"""

from privet.audit import to_dict as event_dict
from privet.catalog import Database, Role, Tag
from privet.policy import to_english, to_json, to_sql
from privet.service.platform import Caller, Platform
from privet.service.services import Services

__all__ = [
    "Caller",
    "Database",
    "Platform",
    "Role",
    "Services",
    "Tag",
    "event_dict",
    "to_english",
    "to_json",
    "to_sql",
]
