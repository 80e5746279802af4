"""The corpus of hostile statements through the doors: refused there too, and no byte too much."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice

import duckdb
import pyarrow as pa
import pytest

from attacks.sql_corpus import PROVE, Attack, families, planted_in
from attacks.sql_doors import ALL_SQL_DOORS, EXACT, WITHOUT_VALUES
from attacks.sql_shapes import LARGE, hidden_columns
from attacks.sql_worlds import (
    TOWN_GRANT,
    TOWN_TABLE,
    TOWNS,
    VISITS,
    SanitisedCopy,
    difference,
)
from doors.doors import BROKEN, DOORS, Answer, Wanted, by_thrift
from doors.planted import GRANT, TAGS, planted
from doors.servers import TrialServer
from doors.steward import Reader, Steward, write
from privet.model.principals import Principal
from privet.model.requests import QueryRequest
from privet.model.sql_text import is_query
from privet.okera.dialect import understood

pytestmark = pytest.mark.service
EVERY = 1 if PROVE else 3
"""One statement of so many goes through a door, and the next one through the next door."""
ROUND = int(os.environ.get("PRIVET_CORPUS_ROUND", "0"))
"""Another pairing of statements and doors."""


@pytest.fixture(scope="module")
def analyst(steward: Steward) -> Reader:
    """The worlds' datasets on the shared server, and who reads them within the same grants."""
    for tag in ("phi.mrn", "security.hidden"):
        steward.ensure_tag(tag)
    tables = {VISITS: planted(), TOWNS: TOWN_TABLE, "clinic.vault": planted()}
    tables["secret.t"] = pa.table({"id": [1], "word": [planted().column("phone")[0].as_py()]})
    for name in ("clinic", "secret"):
        steward.database(name)
    for name, table in tables.items():
        database, _, dataset = name.partition(".")
        path = steward.server.lake / f"corpus_{dataset}" / "part.parquet"
        write(table, path)
        held = [{"name": c, "tags": t} for c, t in TAGS.items() if c in table.column_names]
        steward.register(steward.crawl(path.parent), database, name=dataset, columns=held)
    return steward.reader(GRANT.format(VISITS), TOWN_GRANT)


@pytest.fixture(scope="module")
def seen(server: TrialServer, analyst: Reader) -> Iterator[SanitisedCopy]:
    """A plain database of what the analyst's scans show."""
    tables: dict[str, pa.Table] = {}
    for name in (VISITS, TOWNS):
        table = DOORS["flight path"](server, analyst.token, Wanted(name), None).table
        assert table is not None
        tables[name] = table
    copy = SanitisedCopy(tables, analyst.user)
    yield copy
    copy.close()


def attacks() -> list[Attack]:
    """All families, mixed so that every door meets some of each."""
    written = [attack for some in families().values() for attack in some]
    made = [Attack("hidden columns", sql, None, "refused") for sql in hidden_columns()]
    return [*written, *made]


@pytest.mark.parametrize("door", sorted(ALL_SQL_DOORS))
def test_attacks_at_every_door(
    server: TrialServer, analyst: Reader, seen: SanitisedCopy, door: str
) -> None:
    """Each statement is met as in the service, and what is received holds nothing planted."""
    number = sorted(ALL_SQL_DOORS).index(door) + ROUND
    step = 1 if PROVE else len(ALL_SQL_DOORS) * EVERY
    chosen = list(islice(attacks(), number if step > 1 else 0, None, step))
    wrong: list[str] = []
    for attack in chosen:
        if attack.parameters and door in WITHOUT_VALUES:
            continue
        try:
            answer = ALL_SQL_DOORS[door](server, analyst.token, attack.sql, attack.parameters)
        except pa.ArrowException:
            # Frames do not go back to Arrow from every value: it was answered, so much is known.
            answer = Answer(pa.table({}))
        wrong += (f"{attack.sql[:200]}\n    {odd}" for odd in _odd(seen, door, attack, answer))
    assert len(chosen) > 20
    assert not wrong, "\n".join(wrong)


OWN_NAME = 'SELECT "user"'
"""Says who asks, where a plain database says its own."""


def test_attacks_at_the_okera_door(
    server: TrialServer, analyst: Reader, seen: SanitisedCopy
) -> None:
    """Read in another dialect; what is answered is what the translation says over the copy."""
    who = Principal(analyst.user, frozenset({analyst.group}))
    step = 1 if PROVE else EVERY
    wrong: list[str] = []
    answered = 0
    for attack in islice(attacks(), ROUND % step, None, step):
        if attack.parameters:
            continue
        answer = by_thrift(server, analyst.token, attack.sql)
        if found := planted_in([*answer.received, answer.message.encode()], attack.sql):
            wrong.append(f"{attack.sql[:200]}\n    planted values came back: {found}")
        if answer.code in {"internal", BROKEN}:
            wrong.append(f"{attack.sql[:200]}\n    {answer.code}: {answer.message}")
        if answer.table is None or attack.is_ours:
            continue
        answered += 1
        meant = understood(attack.sql, who)
        if not isinstance(meant, QueryRequest):
            scanned = DOORS["thrift"](server, analyst.token, Wanted(str(meant.dataset)), None)
            assert scanned.table is not None
            assert (
                scanned.table.slice(0, min(10**6 if meant.limit is None else meant.limit, 10**6))
                == answer.table
            )
            continue
        text = meant.text
        if text == OWN_NAME:
            continue
        try:
            odd = difference(answer.table, seen.ask(text))
        except duckdb.Error as error:
            odd = f"answered, and fails over the copy: {error}"
        if odd:
            wrong.append(f"{text[:200]}\n    not the answer over the copy: {odd}")
    assert answered > 20
    assert not wrong, "\n".join(wrong)


def _odd(seen: SanitisedCopy, door: str, attack: Attack, answer: Answer) -> Iterator[str]:
    if found := planted_in([*answer.received, answer.message.encode()], attack.sql):
        yield f"planted values came back: {found}"
    if answer.code in {"internal", BROKEN}:
        yield f"ended as {answer.code}: {answer.message}"
    if not is_query(attack.sql):
        return
    if answer.table is not None and not attack.is_answered:
        yield f"answered: {answer.table.slice(0, 3).to_pylist()}"
    if answer.table is None and attack.is_answered and door in EXACT:
        yield f"refused: {answer.code} {answer.message}"
    if answer.table is not None and door in EXACT and not attack.is_ours:
        try:
            copied = seen.ask(attack.sql, attack.parameters)
        except duckdb.Error as error:
            yield f"answered, and fails over the copy: {error}"
        else:
            if odd := difference(answer.table, copied):
                yield f"not the answer over the copy: {odd}"


@pytest.mark.parametrize("what", ["parentheses", "too long", "text"])
def test_large_statements_at_every_door(server: TrialServer, analyst: Reader, what: str) -> None:
    """Answered or refused, everywhere, and told why."""
    for door, ask in ALL_SQL_DOORS.items():
        answer = ask(server, analyst.token, LARGE[what])
        assert answer.code not in {"internal", BROKEN, "not_found", "busy"}, door
        assert planted_in(answer.received, LARGE[what]) == set(), door
