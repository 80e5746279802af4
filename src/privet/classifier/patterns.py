"""Regular expressions that run in linear time, whoever wrote them."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import re2

from privet.classifier.checks import is_check
from privet.classifier.guards import GUARDS
from privet.model.datasets import Rule
from privet.model.errors import InvalidRequest

_PATTERN_LIMIT = 1000
_MEMORY = 1 << 20


class Pattern(Protocol):
    """A compiled regular expression; both answers are None where nothing matches."""

    def search(self, text: str, /) -> object | None:
        """Find the pattern anywhere in `text`."""
        ...

    def fullmatch(self, text: str, /) -> object | None:
        """Match the whole of `text`."""
        ...


def options(*, ignore_case: bool, memory: int = _MEMORY) -> re2.Options:
    """How patterns are compiled: silent about errors, in so many bytes at most."""
    chosen = re2.Options()
    chosen.log_errors = False
    chosen.max_mem = memory
    chosen.case_sensitive = not ignore_case
    return chosen


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str, *, ignore_case: bool) -> Pattern:
    """Compile a pattern in RE2's dialect: no look-around, no back-references.

    Raises:
        InvalidRequest: it is empty, too long, malformed, or would need too much memory.
    """
    if not pattern:
        raise InvalidRequest("a rule's pattern must not be empty")
    if len(pattern) > _PATTERN_LIMIT:
        raise InvalidRequest(f"a rule's pattern may hold at most {_PATTERN_LIMIT} characters")
    try:
        return re2.compile(pattern, options(ignore_case=ignore_case))
    except (re2.error, UnicodeError) as error:
        raise InvalidRequest(
            f"`{pattern[:64]}` is not a regular expression that a rule can use",
            hint="write it in the syntax of RE2: no look-around, no back-references",
        ) from error


def check_rule(rule: Rule) -> None:
    """Check what somebody wrote into a rule.

    Raises:
        InvalidRequest: it could not be run, or could never mean anything.
    """
    compile_pattern(rule.pattern, ignore_case=True)
    if not rule.targets:
        raise InvalidRequest(
            f"the rule `{rule.name}` looks at nothing",
            hint="choose column names, column comments or cell contents",
        )
    if not 0 < rule.match_rate <= 1:
        raise InvalidRequest(
            f"the match rate of the rule `{rule.name}` is not above 0 and at most 1",
            hint="0.8 means that four of five cells must match",
        )
    if rule.min_rows < 1:
        raise InvalidRequest(f"the minimum of rows of the rule `{rule.name}` is not at least 1")
    if not (is_check(rule.check) or rule.check in GUARDS):
        raise InvalidRequest(f"the rule `{rule.name}` names an unknown check `{rule.check[:64]}`")
