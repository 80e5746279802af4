"""Proposes tags for columns, each with why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.types as pat

from privet.classifier.cells import Leaf, leaves_of
from privet.classifier.checks import CHECKS
from privet.classifier.patterns import compile_pattern
from privet.model.datasets import Evidence, FieldTag, Rule, RuleTarget, TagOrigin
from privet.model.names import TagName
from privet.model.transforms import is_text

_CELL_LIMIT = 4096
"""Characters; longer cells are counted and never match, so that a sample costs what we planned."""


@dataclass(frozen=True, slots=True)
class ColumnSample:
    """A column as a crawl saw it: `name` folded, `values` a sample of its cells or None."""

    name: str
    comment: str
    kind: pa.DataType
    values: pa.Array | None = None


def classify(columns: Sequence[ColumnSample], rules: Sequence[Rule]) -> tuple[FieldTag, ...]:
    """Propose tags: per column and tag at most one, with the first evidence that holds.

    Names and comments are searched for a rule's pattern, ignoring case; a cell has to match as a
    whole, without the blanks around it. Rules that people wrote are asked before the built-in ones.
    What is found in a field inside a column tags the whole column.

    Raises:
        InvalidRequest: a rule's pattern cannot be used.
    """
    ordered = sorted(rules, key=lambda rule: rule.builtin)
    return tuple(tag for column in columns for tag in _tags_of(column, ordered))


def _tags_of(column: ColumnSample, rules: Sequence[Rule]) -> Iterator[FieldTag]:
    seen: set[TagName] = set()
    leaves = tuple(leaves_of(column.name, column.kind, column.values))
    for rule in rules:
        if rule.tag in seen:
            continue
        evidence = _evidence(rule, column, leaves)
        if evidence is not None:
            seen.add(rule.tag)
            yield FieldTag((column.name,), rule.tag, TagOrigin.RULE, evidence)


def _evidence(rule: Rule, column: ColumnSample, leaves: Sequence[Leaf]) -> Evidence | None:
    if RuleTarget.COLUMN_NAME in rule.targets:
        for leaf in leaves:
            if _could_hold(rule, leaf) and _finds(rule, leaf.name.replace(".", "_")):
                return Evidence(rule.name, RuleTarget.COLUMN_NAME, detail=_inside(column, leaf))
    if RuleTarget.COLUMN_COMMENT in rule.targets and _finds(rule, column.comment):
        return Evidence(rule.name, RuleTarget.COLUMN_COMMENT)
    if RuleTarget.CELL_CONTENT in rule.targets:
        for leaf in leaves:
            found = _matches(rule, leaf)
            if found is not None:
                return Evidence(
                    rule.name, RuleTarget.CELL_CONTENT, *found, detail=_inside(column, leaf)
                )
    return None


def _finds(rule: Rule, text: str) -> bool:
    return bool(text) and bool(compile_pattern(rule.pattern, ignore_case=True).search(text))


def _matches(rule: Rule, leaf: Leaf) -> tuple[int, int] | None:
    """Cells sampled and matched, if enough of them do."""
    if rule.builtin and not is_text(leaf.kind):
        return None
    sampled = leaf.cells.total() + leaf.unread
    misses_left = int(sampled * (1 - rule.match_rate) + 1e-9) - leaf.unread
    if sampled < rule.min_rows or misses_left < 0:
        return None
    matched = 0
    matches = compile_pattern(rule.pattern, ignore_case=False).fullmatch
    check = CHECKS.get(rule.check)
    for cell, count in leaf.cells.items():
        if len(cell) <= _CELL_LIMIT and matches(cell) and (check is None or check(cell)):
            matched += count
        else:
            misses_left -= count
            if misses_left < 0:
                return None
    return sampled, matched


def _could_hold(rule: Rule, leaf: Leaf) -> bool:
    """Built-in rules believe no name that is contradicted: `email_sent` may be a boolean."""
    if not rule.builtin:
        return True
    if pat.is_temporal(leaf.kind):
        return rule.tag.key == "date_of_birth"
    return not pat.is_boolean(leaf.kind) and not leaf.name.startswith(("is_", "has_"))


def _inside(column: ColumnSample, leaf: Leaf) -> str:
    return "" if leaf.name == column.name else f"in the field `{leaf.name}`"
