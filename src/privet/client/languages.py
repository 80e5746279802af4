"""Which of the two languages a statement looks like.

The server decides what it is; this is for hints, and for what is asked for beside it.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager

from privet.model.errors import InvalidRequest
from privet.model.sql_text import BLANK, is_query

_POLICY = re.compile(
    rf"{BLANK}*+(?:grant|revoke|create|drop|show|describe)\b", re.IGNORECASE | re.DOTALL
)


def governs(statement: str) -> bool:
    """Whether it begins as statements of the policy language do."""
    return _POLICY.match(statement) is not None


@contextmanager
def pointing_to_execute(statement: str) -> Generator[None]:
    """Add to the refusal of a policy statement where those go."""
    try:
        yield
    except InvalidRequest as error:
        if governs(statement):
            error.hint = "policy statements are run with `execute`; `sql` is for queries"
        raise


@contextmanager
def pointing_to_sql(statement: str) -> Generator[None]:
    """Add to the refusal of a query where those go."""
    try:
        yield
    except InvalidRequest as error:
        if is_query(statement):
            error.hint = "queries are run with `sql`; `execute` is for policy statements"
        raise
