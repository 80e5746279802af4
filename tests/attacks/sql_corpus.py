"""The written corpus of hostile statements, and what must hold of each."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from attacks.sql_worlds import SanitisedCopy, Worlds, difference
from doors.planted import TEXTS, found_in
from query.platforms import Got

PROVE = bool(os.environ.get("PRIVET_PROVE"))
ANSWERED, REFUSED = "answered", "refused"
_FILE = Path(__file__).with_name("sql_corpus.jsonl")
_OURS = re.compile(r"^[\s(]*EXPLAIN\b|\b(?:tokenize|mask|zero|sha2|fpt|n?fp_)", re.IGNORECASE)


@dataclass(frozen=True)
class Attack:
    """A statement, and its outcome: `answered` or `refused`; empty for either."""

    family: str
    sql: str
    parameters: Any = None
    outcome: str = ""

    @property
    def is_answered(self) -> bool:
        """Whether it is known to be answered."""
        return self.outcome == ANSWERED

    @property
    def is_ours(self) -> bool:
        """Whether a plain DuckDB does not have it, or says something else."""
        return _OURS.search(self.sql) is not None


def read_corpus() -> tuple[Attack, ...]:
    """Every written attack."""
    lines = map(json.loads, _FILE.read_text(encoding="utf-8").splitlines())
    return tuple(Attack(e["family"], e["sql"], e.get("parameters"), e["is"]) for e in lines)


def families() -> dict[str, list[Attack]]:
    """The written attacks by family."""
    return {
        family: list(some) for family, some in groupby(read_corpus(), lambda attack: attack.family)
    }


def planted_in(parts: Iterable[bytes], sql: str) -> set[str]:
    """What was planted and came back, but for what the statement said itself."""
    return set(found_in(parts)) - {text for text in TEXTS if text in sql.upper()}


def check(worlds: Worlds, copy: SanitisedCopy, attack: Attack) -> Iterator[str]:
    """What is wrong with how an attack is met; nothing, in the end."""
    hiding, bare = worlds.ask(attack.sql, attack.parameters)
    if not hiding.like(bare):
        yield f"hidden things tell: {_said(hiding)} but without them {_said(bare)}"
    if found := planted_in(hiding.received(), attack.sql):
        yield f"planted values came back: {found}"
    outcome = REFUSED if hiding.error else ANSWERED
    if attack.outcome not in {"", outcome}:
        yield f"not {attack.outcome}: {_said(hiding)}"
    if (error := hiding.error) and not (error.message and error.hint):
        yield f"an error without a sentence or a hint: {error!r}"
    if hiding.table is not None and not attack.is_ours:
        try:
            copied = copy.ask(attack.sql, attack.parameters)
        except duckdb.Error as error:
            yield f"answered, and fails over the copy: {error}"
        else:
            if odd := difference(hiding.table, copied):
                yield f"not the answer over the copy: {odd}"


def _said(got: Got) -> str:
    return repr(got.told())[:300] if got.error else repr(got.rows[:3])[:300]


def complaints(worlds: Worlds, copy: SanitisedCopy, attacks: Iterable[Attack]) -> str:
    """Everything that is wrong with how some attacks are met."""
    return "\n".join(
        f"{attack.sql[:200]}\n    {wrong}"
        for attack in attacks
        for wrong in check(worlds, copy, attack)
    )
