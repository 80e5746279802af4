"""Proposes tags for columns, each with why."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa
import pyarrow.types as pat

from privet.classifier.cells import Leaf, leaves_of
from privet.classifier.checks import find_check
from privet.classifier.guards import GUARDS
from privet.classifier.library import tags
from privet.classifier.masking import formats_of
from privet.classifier.names import meaning_of
from privet.classifier.patterns import compile_pattern
from privet.classifier.scanning import CELL_LIMIT, Cells, Scanned, count, scan
from privet.classifier.vetoes import is_vetoed
from privet.model.datasets import Evidence, FieldTag, Rule, RuleTarget, TagOrigin
from privet.model.names import FieldPath, TagName
from privet.model.transforms import is_text

_ENOUGH_TO_DENY = 10
"""Cells; what a name says is not denied by fewer."""
_TRIED_FIRST = 40
"""Cells of which some must pass a check before all are tried: checks cost more than patterns."""
_OF_TIMES = frozenset({tags.BIRTH, tags.CARE_DATE, tags.CARD_EXPIRY})
_MOST_ON_NUMBERS = frozenset({"card", "imei", "npi"})
_OTHER_WORDS = {tags.MRN: frozenset({TagName("phi", "mrn"), TagName("pii", "mrn")})}
"""A built-in tag gives way to what stewards call the same thing in rules of their own."""
_NO_VALUES = re.compile(
    r"_(?:is|has|had|can|may|avg|average|mean|median|pct|percent|percentage|ratio|rate|sum|total|max"
    r"|min|count|cnt|opt|optin|optout|flag)_.*"
)
_BY_DICTIONARY = frozenset(
    "full_name rare_full_name given_name family_name east_asian_name address phone".split()
)
_OF_LITTLE_NEWS = frozenset({tags.URL})
"""What cells are where a name said already what for: a picture's address is that picture's."""
_ABOUT_OTHERS = re.compile(
    r".*_(?:company|employer|vendor|supplier|manufacturer|brand|make|product|item|article|title|city"
    r"|country|region|state|province|county|district|street|school|university|hospital|clinic|bank"
    r"|airport|station|team|club|band|album|book|movie|film|song|game|species|genus|plant|animal"
    r"|drug|medication|file|path|host|domain|server|status|colou?r|language|nationality|job|occupation"
    r"|profession|position|department|category|currency|event|project|venue|store|shop|restaurant"
    r"|hotel|merchant|organi[sz]ation|institution|industry|version|type|kind|size|unit|term|key"
    r"|timezone|zone|ticker|stock|symbol|model|skill|subject|course|label)_.*"
)
"""Words in names that speak against finding people by what dictionaries know."""


@dataclass(frozen=True, slots=True)
class ColumnSample:
    """A column as a crawl saw it.

    Attributes:
        name: folded; by which it is tagged.
        comment: the source's.
        kind: of its values.
        values: a sample of its cells, or None.
        source_name: the source's own name, whose capitals and letters say more; empty if the same.
    """

    name: str
    comment: str
    kind: pa.DataType
    values: pa.Array | None = None
    source_name: str = ""


def classify(columns: Sequence[ColumnSample], rules: Sequence[Rule]) -> tuple[FieldTag, ...]:
    """Propose tags: per field and tag at most one, with the first evidence that holds.

    Of rules that people wrote, patterns are searched in names and comments, ignoring case, and have
    to match a cell as a whole, without the blanks around it. They are asked before the built-in
    ones, which read names word by word and are denied by cells that say something else. What is
    found in a field inside a column is proposed for that field.

    Raises:
        InvalidRequest: a rule's pattern cannot be used.
    """
    own = tuple(rule for rule in rules if not rule.builtin)
    builtin = tuple(rule for rule in rules if rule.builtin)
    return tuple(tag for column in columns for tag in _tags_of(column, own, builtin))


def _tags_of(
    column: ColumnSample, own: Sequence[Rule], builtin: tuple[Rule, ...]
) -> Iterator[FieldTag]:
    found: dict[tuple[FieldPath, TagName], Evidence] = {}
    for leaf in leaves_of(column.name, column.kind, column.values):
        for rule in own:
            if (leaf.path, rule.tag) not in found:
                evidence = _of_own(rule, column, leaf)
                if evidence is not None:
                    found[leaf.path, rule.tag] = evidence
        known = {tag for path, tag in found if path == leaf.path}
        for tag, evidence in _of_library(builtin, column, leaf, known).items():
            found.setdefault((leaf.path, tag), evidence)
    for (path, tag), evidence in found.items():
        yield FieldTag(path, tag, TagOrigin.RULE, evidence)


# ---- rules of people


def _of_own(rule: Rule, column: ColumnSample, leaf: Leaf) -> Evidence | None:
    if RuleTarget.COLUMN_NAME in rule.targets and (
        _finds(rule, leaf.name.replace(".", "_")) or _finds(rule, column.source_name)
    ):
        return Evidence(rule.name, RuleTarget.COLUMN_NAME, detail=_inside(leaf))
    if RuleTarget.COLUMN_COMMENT in rule.targets and _finds(rule, column.comment):
        return Evidence(rule.name, RuleTarget.COLUMN_COMMENT)
    if RuleTarget.CELL_CONTENT in rule.targets:
        return _by_own_cells(rule, leaf)
    return None


def _finds(rule: Rule, text: str) -> bool:
    return bool(text) and bool(compile_pattern(rule.pattern, ignore_case=True).search(text))


def _by_own_cells(rule: Rule, leaf: Leaf) -> Evidence | None:
    sampled = leaf.cells.total() + leaf.unread
    misses_left = int(sampled * (1 - rule.match_rate) + 1e-9) - leaf.unread
    if sampled < rule.min_rows or misses_left < 0:
        return None
    matches = compile_pattern(rule.pattern, ignore_case=False).fullmatch
    check = find_check(rule.check)
    matching: list[tuple[str, int]] = []
    for cell, times in leaf.cells.items():
        if len(cell) <= CELL_LIMIT and matches(cell) and (check is None or check(cell)):
            matching.append((cell, times))
        else:
            misses_left -= times
            if misses_left < 0:
                return None
    return _seen(rule, RuleTarget.CELL_CONTENT, sampled, matching, leaf)


# ---- the library


@lru_cache(maxsize=4)
def _patterns(rules: tuple[Rule, ...]) -> tuple[str, ...]:
    content = (r.pattern for r in rules if RuleTarget.CELL_CONTENT in r.targets)
    guarded = (GUARDS[r.check].pattern for r in rules if r.check in GUARDS)
    return tuple(dict.fromkeys((*content, *guarded)))


def _of_library(
    rules: tuple[Rule, ...], column: ColumnSample, leaf: Leaf, known: set[TagName]
) -> dict[TagName, Evidence]:
    """Tags with evidence, besides the known ones."""
    meaning = _meaning(column, leaf)
    if not rules or pat.is_boolean(leaf.kind) or _NO_VALUES.fullmatch(meaning):
        return {}
    scanned = scan(leaf, _patterns(rules))
    found: dict[TagName, Evidence] = {}
    for rule in rules:
        if rule.tag in known or rule.tag in found or _OTHER_WORDS.get(rule.tag, known) & known:
            continue
        if found and rule.tag in _OF_LITTLE_NEWS:
            continue
        if RuleTarget.COLUMN_NAME in rule.targets:
            evidence = _by_name(rule, meaning, leaf, scanned)
        elif rule.check in _BY_DICTIONARY and (found or _ABOUT_OTHERS.fullmatch(meaning)):
            continue
        else:
            evidence = _by_cells(rule, leaf, scanned)
        if evidence is not None:
            found[rule.tag] = evidence
    return found


def _meaning(column: ColumnSample, leaf: Leaf) -> str:
    """What the name says; of a field inside a column its own name, and who it is about."""
    own = column.source_name or column.name
    return meaning_of("_".join((own, *leaf.name.split(".")[1:])))


def _by_name(rule: Rule, meaning: str, leaf: Leaf, scanned: Scanned) -> Evidence | None:
    if pat.is_temporal(leaf.kind) and rule.tag not in _OF_TIMES:
        return None
    if scanned.flags or not compile_pattern(rule.pattern, ignore_case=False).search(meaning):
        return None
    guard = GUARDS.get(rule.check)
    if guard is None or pat.is_temporal(leaf.kind) or not (scanned.total or guard.needed):
        return Evidence(rule.name, RuleTarget.COLUMN_NAME, detail=_inside(leaf))
    fitting = [c for c in scanned.matching.get(guard.pattern, ()) if guard.allows(c[0])]
    enough = count(fitting) >= max(1, scanned.total * rule.match_rate)
    if not enough and (guard.needed or scanned.total >= _ENOUGH_TO_DENY):
        return None
    return _seen(rule, RuleTarget.COLUMN_NAME, scanned.total, fitting, leaf)


def _by_cells(rule: Rule, leaf: Leaf, scanned: Scanned) -> Evidence | None:
    if not _may_hold(rule, leaf) or scanned.total < rule.min_rows:
        return None
    matching = scanned.matching.get(rule.pattern, ())
    least = scanned.total * rule.match_rate - 1e-9
    if count(matching) < least:
        return None
    check = find_check(rule.check)
    if check is not None:
        tried = matching[:: max(1, len(matching) // _TRIED_FIRST)]
        if sum(check(cell) for cell, _ in tried) < len(tried) * rule.match_rate / 2:
            return None
        matching = [each for each in matching if check(each[0])]
    if count(matching) < least or is_vetoed(rule.check, matching):
        return None
    return _seen(rule, RuleTarget.CELL_CONTENT, scanned.total, matching, leaf)


def _may_hold(rule: Rule, leaf: Leaf) -> bool:
    """Numbers are looked at for check digits only."""
    if is_text(leaf.kind):
        return True
    checked = rule.check in _MOST_ON_NUMBERS or rule.check.startswith("stdnum.")
    return checked and (pat.is_integer(leaf.kind) or pat.is_floating(leaf.kind))


def _seen(rule: Rule, target: RuleTarget, sampled: int, matching: Cells, leaf: Leaf) -> Evidence:
    return Evidence(
        rule.name, target, sampled, count(matching), _inside(leaf), formats_of(matching)
    )


def _inside(leaf: Leaf) -> str:
    return "" if leaf.name == leaf.path[0] else f"in the field `{leaf.name}`"
