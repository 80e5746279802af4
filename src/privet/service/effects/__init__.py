"""What a change of permissions would do, and who sees what: many decisions side by side."""

from privet.service.effects.forms import outlook_json, readers_json, verdict_json
from privet.service.effects.outlooks import Assumed, Outlook, Outlooks, StatementVerdict
from privet.service.effects.readers import ColumnReaders, Readers

__all__ = [
    "Assumed",
    "ColumnReaders",
    "Outlook",
    "Outlooks",
    "Readers",
    "StatementVerdict",
    "outlook_json",
    "readers_json",
    "verdict_json",
]
