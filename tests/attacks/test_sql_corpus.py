"""Hostile SELECTs are refused with an error of ours, or answered as over a sanitised copy.

Each is asked twice: where something is hidden, and where it never existed. Nobody may tell the two
apart, by rows, sizes or words. What was planted among the hidden values never comes back.
"""

from __future__ import annotations

import pytest

from attacks.sql_corpus import PROVE, Attack, complaints, families
from attacks.sql_shapes import LARGE, PLACES, REFERENCES, hidden_columns
from attacks.sql_worlds import SanitisedCopy, Worlds

FAMILIES = families()
LIMITED = {"", "resources_exceeded", "invalid_request", "parse_failed", "unknown_name"}


@pytest.mark.parametrize("family", list(FAMILIES))
def test_written_attacks(worlds: Worlds, copy: SanitisedCopy, family: str) -> None:
    """Every statement of the corpus."""
    assert not (wrong := complaints(worlds, copy, FAMILIES[family])), wrong


def test_hidden_columns_in_every_place(worlds: Worlds, copy: SanitisedCopy) -> None:
    """However it is named and wherever: like a column that does not exist."""
    statements = list(hidden_columns())
    chosen = statements if PROVE else statements[:: len(REFERENCES) // 2]
    assert len(chosen) > len(PLACES)
    attacks = [Attack("hidden columns", sql) for sql in chosen]
    assert not (wrong := complaints(worlds, copy, attacks)), wrong


@pytest.mark.parametrize("what", LARGE)
def test_large_statements(worlds: Worlds, what: str) -> None:
    """Answered, or refused within the limits; the next statement is answered."""
    got = worlds.hiding.ask(LARGE[what])
    assert got.code in LIMITED, got.error
    assert worlds.hiding.ask("SELECT count(*) FROM clinic.visits").rows == [(2000,)]


def test_the_corpus_is_broad() -> None:
    """Hundreds of statements, in every family some; and not all of them are refused."""
    attacks = [attack for some in FAMILIES.values() for attack in some]
    assert len({attack.sql for attack in attacks}) >= 850
    assert len(FAMILIES) >= 17
    assert sum(attack.outcome == "answered" for attack in attacks) >= 200
    assert len(REFERENCES) * len(PLACES) >= 450
