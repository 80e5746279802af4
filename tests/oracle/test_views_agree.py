"""Views keep the law: reading through them gives what the slow interpreter gives.

`PRIVET_ORACLE_SEED` and `PRIVET_ORACLE_CASES` choose other cases, and more of them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import engine
import lake as law
import lake_engine
from lake import Lake, world_at
from lakes import lake_of
from law import visible
from showing import Keyed
from test_engine_agrees import alike_but_for_foresight
from world import safeguards_heard

from privet.model.names import DatasetName
from privet.model.permissions import Effect, Permission, Scope, ScopeKind
from privet.model.principals import Principal
from privet.service.deciding import Decided

SEED = int(os.environ.get("PRIVET_ORACLE_SEED", "0"))
CASES = max(1, int(os.environ.get("PRIVET_ORACLE_CASES", "10000")) // 8)
_KEYED = Keyed(engine.derive)
AT_LEAST = {
    "something is visible": 0.20,
    "its definer may not read what it needs": 0.10,
    "a view of a view": 0.20,
    "two datasets in one view": 0.04,
    "a safeguard of the definer or on the way": 0.03,
    "a safeguard of the reader behind the view": 0.03,
    "a safeguard of somebody between": 0.005,
    "a tag of a part": 0.05,
    "rows": 0.10,
}
"""The least share of cases that have each trait."""


def disagreement(lake: Lake) -> str:
    """What engine and law disagree on, or nothing; that the engine breaks is one too."""
    right = law.answer(lake, _KEYED)
    try:
        found = lake_engine.answer(lake)
    except Exception as error:  # noqa: BLE001 - whatever it is, a policy never fails a scan
        return f"broken: {error!r}"
    difference = engine.difference(found, right)
    return "" if difference and alike_but_for_foresight(found, right) else difference


def lakes() -> Iterator[tuple[str, Lake, Random]]:
    """The cases, each with dice of its own for what is done to it."""
    for case in range(SEED, SEED + CASES):
        yield f"view case {case}", lake_of(case), Random(f"view properties {case}")


def test_views_answer_what_the_law_says() -> None:
    """On every case columns, their order and types, rows in order and every cell are equal."""
    seen: Counter[str] = Counter()
    for case, lake, _ in lakes():
        found = disagreement(lake)
        assert not found, f"{case}: {found}\n{lake}"
        seen.update(["cases", *traits(lake)])
    shares = {name: seen[name] / seen["cases"] for name in AT_LEAST}
    print("\n".join(f"{share:6.1%}  {name}" for name, share in shares.items()))
    dull = {name: share for name, share in shares.items() if share < AT_LEAST[name]}
    assert not dull or seen["cases"] < 1000, dull


def traits(lake: Lake) -> set[str]:
    """What is interesting about a case."""
    view = lake.views[lake.asked]
    answer = law.answer(lake, _KEYED)
    open_ = bool(visible(world_at(lake, lake.asked, ())))
    definer = lake.people[view.definer]
    deep = [p.base for p in view.parts if p.base in lake.views]
    tests = {
        "something is visible": answer is not None,
        "rows": answer is not None and bool(answer.rows),
        "its definer may not read what it needs": open_ and answer is None,
        "a view of a view": bool(deep),
        "two datasets in one view": len(view.parts) > 1,
        "a tag of a part": any(
            c.inner_tags for c in world_at(lake, lake.asked, ()).dataset.columns
        ),
    }
    found = {name for name, held in tests.items() if held}
    if answer is None:
        return found
    for part in view.parts:
        found |= _bound(lake, part.base, (definer,))
        inner = lake.views.get(part.base)
        if inner is not None:
            through = (definer, lake.people[inner.definer])
            found |= {t for p in inner.parts for t in _bound(lake, p.base, through)}
    return found


def _bound(lake: Lake, name: DatasetName, through: tuple[Principal, ...]) -> set[str]:
    """Whose safeguards bind there."""
    nobody = replace(lake, reader=replace(lake.reader, admin=True))
    heard, own, lent, last = (
        {p.id for p in safeguards_heard(world_at(where, name, lenders))}
        for where, lenders in ((lake, through), (lake, ()), (nobody, through), (lake, through[-1:]))
    )
    tests = {
        "a safeguard of the definer or on the way": heard - own,
        "a safeguard of the reader behind the view": heard - lent,
        "a safeguard of somebody between": heard - last,
    }
    return {trait for trait, held in tests.items() if held}


# ---- what must hold whatever the facts


def test_a_safeguard_of_a_definer_shows_no_more() -> None:
    """What their views may read is less, or as much; a view is no column wider, or it is gone."""
    closed = taking = 0
    for case, lake, random in lakes():
        who = random.choice(_definers(lake, lake.asked))
        role = "made_role"
        roles = {**lake.roles, role: frozenset({(who.issuer, f"user:{who.user}")})}
        guards = [p for p in lake.permissions if p.effect is not Effect.GRANT]
        if not guards:
            continue
        everywhere = Scope(ScopeKind.CATALOG)
        guard = replace(random.choice(guards), role=role, scope=everywhere, id="one more")
        more = replace(lake, roles=roles)
        less = replace(more, permissions=(*lake.permissions, guard))
        seen, fewer = lake_engine.decided_of(more), lake_engine.decided_of(less)
        assert set(_shown(fewer)) <= set(_shown(seen)), case
        closed += bool(seen.bases) and not fewer.bases
        taking += _narrower(fewer, seen, less, case)
    assert closed > CASES // 200, "hardly a view was closed"
    assert taking > CASES // 50, "hardly a safeguard takes anything"


def _definers(lake: Lake, name: DatasetName) -> list[Principal]:
    view = lake.views.get(name)
    if view is None:
        return []
    behind = [who for part in view.parts for who in _definers(lake, part.base)]
    return [lake.people[view.definer], *behind]


def _shown(decided: Decided) -> list[str]:
    return [c.column.name for c in decided.decision.visible]


def _narrower(less: Decided, more: Decided, lake: Lake, case: str) -> bool:
    """Whether what is behind a view is less; it is never more."""
    taking = False
    for name in less.bases.keys() & more.bases.keys():
        fewer, seen = less.bases[name], more.bases[name]
        assert set(_shown(fewer)) <= set(_shown(seen)), case
        if name in lake.tables:
            rows, all_rows = (lake_engine.by_row(d, lake) for d in (fewer, seen))
            for some, every in zip(rows, all_rows, strict=True):
                assert some.keys() <= every.keys(), case
                assert all(c is None or every[n] is not None for n, c in some.items()), case
            taking = taking or rows != all_rows
        taking = _narrower(fewer, seen, lake, case) or taking
    return taking


def test_a_definer_without_grants_hides_the_view() -> None:
    """Nobody reads it, an administrator neither, and a reader's own grants are no help."""
    hidden = 0
    for case, lake, random in lakes():
        reader = replace(lake.reader, admin=random.random() < 0.5)
        on = Scope(ScopeKind.CATALOG)
        own = replace(
            lake,
            reader=reader,
            roles={"own_role": frozenset({(reader.issuer, f"user:{reader.user}")})},
            permissions=(Permission(on, "own_role", id="own"),),
        )
        definer = lake.people[lake.views[lake.asked].definer]
        if (definer.issuer, definer.user) == (reader.issuer, reader.user):
            continue
        decided = lake_engine.decided_of(own)
        assert not decided.decision.allowed, case
        assert decided.lacking is not None, case
        everybody = replace(
            own, permissions=(*own.permissions, Permission(on, "public_role", id="everybody"))
        )
        hidden += lake_engine.decided_of(everybody).decision.allowed
    assert hidden > CASES // 2, "hardly a view was there to be hidden"


def test_who_else_may_read_what_is_behind_changes_nothing() -> None:
    """A grant to the reader on what a view is made of is not lent to them by the view."""
    for case, lake, _ in lakes():
        reader = lake.reader
        if any(
            (who.issuer, who.user) == (reader.issuer, reader.user) for who in lake.people.values()
        ):
            continue
        roles = {**lake.roles, "own_role": frozenset({(reader.issuer, f"user:{reader.user}")})}
        grants = [
            Permission(
                Scope(ScopeKind.TABLE, name.database, name.name), "own_role", id=f"own {name}"
            )
            for name in lake.datasets
            if name != lake.asked
        ]
        less, more = (
            replace(lake, roles=roles, permissions=(*lake.permissions, *own))
            for own in ((), grants)
        )
        assert engine.difference(lake_engine.answer(more), lake_engine.answer(less)) == "", case
