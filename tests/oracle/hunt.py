"""Look for a case in which an engine breaks the law: the program that mutants are shown to.

`python hunt.py CASES` ends with 1 and names what it found, or ends with 0.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

CASES = int(sys.argv[1])
os.environ["PRIVET_ORACLE_CASES"] = str(CASES * 10)

import test_engine_agrees as agreement  # noqa: E402 - it reads the environment
import test_nested_agrees  # noqa: E402
import test_properties as properties  # noqa: E402
from generate import world_of  # noqa: E402

CHECKS: tuple[Callable[[], None], ...] = (
    test_nested_agrees.test_the_engine_answers_as_the_law_says,
    properties.test_roles_are_asked_for_only_where_that_cannot_be_negated,
    properties.test_no_buffer_holds_a_hidden_value,
    properties.test_what_is_hidden_changes_no_byte,
)


def hunt() -> str:
    """What breaks the law, or nothing."""
    for seed in range(CASES):
        world = world_of(seed)
        found = agreement.disagreement(world)
        if found and (found.startswith("broken") or not agreement.foreseen_by_one_only(world)):
            return f"case {seed}: {found[:300]}"
    for check in CHECKS:
        try:
            check()
        except AssertionError as error:
            return f"{check.__name__}: {str(error)[:300]}"
    return ""


if __name__ == "__main__":
    caught = hunt()
    print(caught)
    sys.exit(1 if caught else 0)
