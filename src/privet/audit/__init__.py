"""The append-only record of what was asked for and how it ended."""

from privet.audit.events import to_dict
from privet.audit.log import AuditLog
from privet.audit.reach import Reach

__all__ = ["AuditLog", "Reach", "to_dict"]
