"""Errors in the original's words, for the mode in which its own tests run.

Everywhere else our words are the answer: they read alike for hidden and for absent, and so do
these, since they only have more around them.
"""

from __future__ import annotations

import re

from privet.model.errors import Forbidden, NotFound, PrivetError, SourceInvalid

ADMINS = frozenset({"", "okera", "root"})
_TEXTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), told)
    for pattern, told in (
        (r"(?i)^grant already exists", r"Grant already exists"),
        (r"^DENY must specify", r"must specify attribute expression"),
        (r"^DENY .*WHERE", r"do not support filters"),
        (r"^RESTRICT must", r"RESTRICT privileges must specify"),
        (r"^`enabled` must be", r"enabled must a boolean string"),
        (
            r"^`(start|end)_datetime` must be a Unix",
            r"\1_datetime must a positive long value representing a Unix epoch time",
        ),
        (r"^`start_datetime` must be before", r"start_datetime must be before end_datetime"),
        (r"^this needs DROP on ROLE", r"USER does not have privileges to DROP this role"),
        (r"^this needs CREATE_ROLE_AS_OWNER", r"USER not have privileges to CREATE this role"),
        (
            r"^this needs MANAGE_PERMISSIONS",
            r"USER does not have privileges to GRANT, and does not have privileges to REVOKE",
        ),
        (r"^this needs MANAGE_GROUPS", r"USER cannot GRANT/REVOKE this role to groups."),
        (
            r"is not a valid connection name",
            r"Connection names can only contain characters, numbers and '_'",
        ),
        (r"^connection `([^`]*)` does not exist", r"Connection does not exist: \1"),
        (r"^connection `([^`]*)` already exists", r"Connection already exists: \1"),
        (r"^role `([^`]*)` does not exist", r"Role '\1' does not exist"),
        (
            r"^no covered dataset has a (?:column|field)",
            r"Verify that both table and columns exist",
        ),
        (
            r"^column `([^`]*)` does not exist, or you have no access",
            (
                r"Could not resolve column/field reference: '\1', "
                r"or user USER does not have privileges to it"
            ),
        ),
        (r"^no access to this address", r"User USER does not have access to this path"),
        (
            r"^dataset `([^`]*)` does not exist",
            (
                r"Could not resolve table reference: '\1'. Table does not exist, "
                r"or user USER does not have privileges to it. Access to this dataset is denied"
            ),
        ),
    )
)


def in_their_words(user: str, error: Exception) -> Exception:
    """The same error, with the original's words around ours."""
    if not isinstance(error, PrivetError):
        return error
    for pattern, template in _TEXTS:
        if found := pattern.search(error.message):
            told = found.expand(template).replace("USER", f"'{user}'")
            error.message = f"{told} ({error.message})"
            return error
    if isinstance(error, SourceInvalid):
        # With the original a worker that cannot read its part of a file says no more than this.
        error.message = f"Task failed due to an internal error. ({error.message})"
    if isinstance(error, NotFound | Forbidden) and user not in ADMINS:
        error.message = f"User '{user}' does not have privileges to this: {error.message}"
    return error
