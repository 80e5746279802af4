"""Which language a statement is of, by how it begins.

There are two: SQL that asks, which an engine reads, and the policy language, which is ours.
"""

from __future__ import annotations

import re

BLANK = r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)"
"""White space or a comment, as a pattern that needs `re.DOTALL`."""
_QUERY = re.compile(
    rf"(?:{BLANK}|;)*+(?:\(|(?:SELECT|WITH|FROM|VALUES|TABLE|PIVOT|UNPIVOT|SUMMARIZE|EXPLAIN)\b"
    rf"|DESCRIBE{BLANK}*+(?:\(|(?:SELECT|WITH|FROM|VALUES|TABLE)\b))",
    re.IGNORECASE | re.DOTALL,
)
EXPLAIN = re.compile(rf"(?:{BLANK}|;)*+(EXPLAIN)\b", re.IGNORECASE | re.DOTALL)
"""The word, as its group 1, with all that may stand before it."""


def is_query(text: str) -> bool:
    """Whether a statement is for the engine; all others are of the policy language."""
    return _QUERY.match(text) is not None
