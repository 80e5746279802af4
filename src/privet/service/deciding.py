"""Deciding about a dataset, and about all that is behind it if it is a view.

A view is a dataset with grants of its own. What it may read is decided by the grants of its
definer, who is no administrator there, at each reading; about rows and cells it asks of the reader.
The safeguards of both bind. Where its definer may not read what it needs, there is no such view.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, partial

from privet.model.datasets import COPIED, Dataset, Format, View
from privet.model.decisions import ColumnDecision, Decision, Definer, Facts, Reason, Verdict
from privet.model.names import DatasetName
from privet.model.principals import Principal
from privet.policy import Same, carry, decide
from privet.service.platform import Platform

_DEEPEST = 16
Chain = tuple[tuple[str, str], ...]
"""The definers of the views on the way, the outermost first."""
Found = Mapping[tuple[DatasetName, Principal], Facts]


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, and those about what a view reads, by name; no file of a view is anywhere.

    Where a view is closed because its definer may not read something, `lacking` says what: columns
    of a dataset.
    """

    decision: Decision
    bases: Mapping[DatasetName, Decided] = field(default_factory=dict[DatasetName, "Decided"])
    lacking: tuple[DatasetName, frozenset[str]] | None = None

    def behind(self) -> Iterator[Decision]:
        """The decisions about everything behind a view, each once, however many ways lead there."""
        waiting, seen = list(self.bases.values()), set[int]()
        while waiting:
            base = waiting.pop()
            if id(base) not in seen:
                seen.add(id(base))
                waiting += base.bases.values()
                yield base.decision


@dataclass(frozen=True, slots=True)
class Sources:
    """Where deciding finds what it rests on.

    Attributes:
        facts: about each of some datasets, for each of some principals.
        definer: whoever made a view, by issuer and name; no administrator.
    """

    facts: Callable[[Collection[DatasetName], Collection[Principal]], Found]
    definer: Callable[[tuple[str, str]], Principal]


def decide_by_name(platform: Platform, principal: Principal, name: DatasetName) -> Decided:
    """Decide what a principal gets of a dataset now."""
    return decide_on(platform, principal, platform.catalog.facts(name, principal))


def decide_on(platform: Platform, principal: Principal, facts: Facts) -> Decided:
    """Decide what a principal gets of the dataset of some facts now."""
    return Deciding(_now(platform), principal, platform.clock()).on(facts)


def definer_of(platform: Platform, definer: tuple[str, str]) -> Principal:
    """Whoever made a view, with the groups they were last seen with; no administrator."""
    issuer, user = definer
    seen = platform.catalog.principals.find(user, issuer)
    groups, others = (seen.groups, seen.other_groups) if seen else (frozenset[str](),) * 2
    # About attributes the reader is asked, never the definer.
    described = platform.identity.describe(user, groups, other_groups=others, attributes=False)
    return replace(described, issuer=issuer, admin=False)


def decide_each(
    platform: Platform, principal: Principal, facts: Iterable[Facts]
) -> Iterator[Decision]:
    """Decide what a principal gets of many datasets now."""
    now = platform.clock()
    deciding = Deciding(_now(platform), principal, now)
    for each in facts:
        if each.dataset is None or _stands_alone(each.dataset):
            # Of most there are many, and this is all that is done about them.
            yield decide(principal, each, now)
        else:
            yield deciding.on(each).decision


def _stands_alone(dataset: Dataset) -> bool:
    """Whether nothing is behind it: it is no view, and no copy of anything."""
    source = dataset.source
    return source.format is not Format.VIEW and COPIED not in source.options


def _now(platform: Platform) -> Sources:
    return Sources(platform.catalog.facts_among, cache(partial(definer_of, platform)))


@dataclass(frozen=True, slots=True)
class Deciding:
    """Decisions for one reader at one time."""

    sources: Sources
    reader: Principal
    now: datetime
    known: dict[tuple[DatasetName, Chain], Decided] = field(
        default_factory=dict[tuple[DatasetName, "Chain"], Decided]
    )
    """What was decided behind views: they may share much."""

    def on(self, facts: Facts, depth: int = _DEEPEST, through: Chain = ()) -> Decided:
        """Decide on the dataset of some facts.

        Args:
            facts: about it.
            depth: how many views deep to look.
            through: the definers of the views on the way to it.
        """
        # Behind a view nobody is an administrator.
        reader = replace(self.reader, admin=False) if facts.through else self.reader
        decision = decide(reader, self._with_origins(facts, through), self.now)
        dataset = decision.dataset
        if dataset is None or dataset.source.format is not Format.VIEW or not decision.allowed:
            return Decided(decision)
        assert dataset.view is not None
        bases, lacking = self._bases(dataset, dataset.view, depth, through)
        if lacking is not None:
            return Decided(_closed(decision), lacking=lacking)
        return Decided(decision, bases)

    def _with_origins(self, facts: Facts, through: Chain) -> Facts:
        """The facts; about a copy with the safeguards on what it was made of."""
        copy = facts.dataset.copy if facts.dataset else None
        if copy is None:
            return facts
        bound = [self.sources.definer(definer) for definer in through]
        if not self.reader.admin:
            bound.append(self.reader)
        origins = map(Same, self.sources.facts(copy.origins, bound).values())
        return carry(Same(facts), tuple(origins), frozenset(each.user for each in bound))

    def _bases(
        self, dataset: Dataset, view: View, depth: int, through: Chain
    ) -> tuple[dict[DatasetName, Decided], tuple[DatasetName, frozenset[str]] | None]:
        """What a view reads, and what of it its definer may not."""
        chain = through if view.definer in through[-1:] else (*through, view.definer)
        definers = {definer: self.sources.definer(definer) for definer in chain}
        asked = self._ask(view, chain, definers.values())
        found: dict[DatasetName, Decided] = {}
        for name, columns in view.reads.items():
            if name == dataset.name or not depth:
                return {}, (name, columns)
            key = (name, chain)
            if key not in self.known:
                definer = definers[view.definer]
                facts = self._facts(asked, name, definer, tuple(definers.values()))
                self.known[key] = self.on(facts, depth - 1, chain)
            base = found[name] = self.known[key]
            visible = {c.column.name for c in base.decision.visible}
            if not visible or not columns <= visible:
                return {}, (name, columns - visible)
        return found, None

    def _ask(self, view: View, chain: Chain, definers: Iterable[Principal]) -> Found:
        """The facts about all that a view reads and that was not decided on."""
        fresh = [name for name in view.reads if (name, chain) not in self.known]
        return self.sources.facts(fresh, (*definers, self.reader))

    def _facts(
        self, asked: Found, name: DatasetName, definer: Principal, chain: Sequence[Principal]
    ) -> Facts:
        """What the definer was granted, and what takes away from anybody on the way.

        Who wrote a view over this one lends no more than they see themselves.
        """
        granted, own = asked[name, definer], asked[name, self.reader]
        guards = {p.id: p for each in chain for p in asked[name, each].safeguards}
        if not self.reader.admin:
            guards |= {p.id: p for p in own.safeguards}
        return replace(
            granted,
            safeguards=tuple(guards.values()),
            through=Definer(definer.user, own.roles, frozenset(each.user for each in chain)),
        )


def _closed(decision: Decision) -> Decision:
    """The decision about a view whose definer may not read what it needs: nothing is visible."""
    why = (Reason("hides", detail="whoever made the view may not read what it is made of"),)
    hidden = tuple(ColumnDecision(c.column, Verdict.HIDDEN, (), why) for c in decision.columns)
    return replace(decision, columns=hidden, bypass=False)
