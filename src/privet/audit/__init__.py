"""The append-only record of what was asked for and how it ended."""

from privet.audit.events import to_dict
from privet.audit.log import AuditLog

__all__ = ["AuditLog", "to_dict"]
