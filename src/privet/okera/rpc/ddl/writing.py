"""Texts of the original, as our policy language writes the same."""

from __future__ import annotations

import re

from privet.model.names import RESERVED_ROLE_PREFIX
from privet.okera.rpc.files import LOCAL

_LITERALS = re.compile(r"'(?:[^'\\]|\\.|'')*'|\"((?:[^\"\\]|\\.)*)\"|`[^`]*`", re.DOTALL)
_STORES = re.compile(r"(?i)^(['\"`]?)s3[an]://")
_FILES = re.compile(r"(?i)'file:/+(?=opt/okera/)")
_SUFFIX = re.compile(r"(?i)\s+(?:do\s+not\s+)?cascade\s*$")
_ON_VIEW = re.compile(r"(?i)^\s*(?:create|alter)\s+(?:external\s+)?view\b")
_TAGGING = re.compile(
    r"(?is)^\s*alter\s+(?:table|view|database)\s+\S+\s+(?:add|drop)\s+.*\battribute\b"
)


_GRANTING = re.compile(r"(?i)^\s*(?:drop\s+)?(?:grant|revoke|deny|restrict)\b")
_IN_LIST = re.compile(r"(?i)\bin\s*\(([^()]*)\)")
_TRUE = re.compile(r"(?i)\s*(?:!=\s*false|=\s*true)\b")


_OWNERS = re.compile(r"(?i)\b_okera_internal_role_(?=\w)")


def _plain_list(found: re.Match[str]) -> str:
    """A list of tags without what says only that they are there."""
    return f"IN ({_TRUE.sub('', found[1])})"


def in_ours(text: str) -> str:
    """A statement without what only the original writes: its quotes, stores and endings."""
    written = text.strip().rstrip(";").rstrip()
    if _ON_VIEW.match(written):
        return written
    written = _OWNERS.sub(RESERVED_ROLE_PREFIX, _LITERALS.sub(_literal, written))
    written = _IN_LIST.sub(_plain_list, written) if _GRANTING.match(written) else written
    if _TAGGING.match(written):
        written = _SUFFIX.sub("", written)
    return written


def _literal(found: re.Match[str]) -> str:
    text = found[0]
    if text.startswith('"'):
        text = "'" + found[1].replace("'", "''") + "'"
    return _STORES.sub(r"\1s3://", text)


def of_their_machine(text: str) -> str:
    """A statement with what lies in files of the original's machine where it lies here."""
    return _FILES.sub(f"'{LOCAL}/", text)
