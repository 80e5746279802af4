"""Look for a lake in which reading through views breaks the law.

`python hunt_views.py CASES` ends with 1 and names what it found, or ends with 0.
"""

from __future__ import annotations

import os
import sys

CASES = int(sys.argv[1])
os.environ["PRIVET_ORACLE_CASES"] = str(CASES * 2)

import test_views_agree as agreement  # noqa: E402 - it reads the environment
from lakes import lake_of  # noqa: E402

CHECKS = (
    agreement.test_a_definer_without_grants_hides_the_view,
    agreement.test_who_else_may_read_what_is_behind_changes_nothing,
)


def hunt() -> str:
    """What breaks the law, or nothing."""
    for seed in range(CASES):
        if found := agreement.disagreement(lake_of(seed)):
            return f"view case {seed}: {found[:300]}"
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
