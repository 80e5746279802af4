"""Reducing a filter before any row is read, by the rules that the reference page lists.

Each part is reduced to what it can be over all rows: TRUE, FALSE, NULL, some other value - and
whether it can fail. Only what is certain is replaced; the rest is kept as written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from privet.model.expressions import (
    And,
    Arithmetic,
    Call,
    Case,
    ColumnRef,
    Compare,
    CompareOp,
    Expr,
    FieldRef,
    In,
    IsNull,
    Like,
    Literal,
    Negate,
    Not,
    Or,
)
from privet.policy import constants
from privet.policy.binding import function_of, kind_of, walk
from privet.policy.constants import Fails, Undecided, Value, to_float
from privet.policy.functions import NUMBERS, Kind

_NULL_LITERAL = Literal(None)
ALWAYS = Literal(True)
NEVER = Literal(False)

_T, _F, _N, _V = "TRUE", "FALSE", "NULL", "value"
_ANY = frozenset({_T, _F, _N, _V})
_NULL = frozenset({_N})
_TRUE = frozenset({_T})
_DEAD: frozenset[str] = frozenset()
_TRUTH = frozenset({_T, _F})
_VALUE = frozenset({_V})
_SETTLED = {_TRUE: True, frozenset({_F}): False, _NULL: None}
_OPPOSITE = {_T: _F, _F: _T}
_INEXACT = frozenset({Kind.INTEGER, Kind.FLOAT})
_EXACT = (frozenset({Kind.INTEGER, Kind.DECIMAL}), frozenset({Kind.DECIMAL, Kind.FLOAT}))


@dataclass(frozen=True, slots=True)
class _Part:
    """A reduced part. `possible` is empty if it fails whatever the row; `known` if constant."""

    expr: Expr
    possible: frozenset[str] = _ANY
    may_fail: bool = False
    known: bool = False
    value: Value = None


def fold_filter(expr: Expr, kinds: Mapping[str, Kind]) -> Expr:
    """Reduce a filter that was settled for its reader.

    The filter is already checked against the columns of these `kinds`. Gives `ALWAYS` for a filter
    that is TRUE for every row and cannot fail, `NEVER` for one that is TRUE for none.
    """
    part = _Folder(kinds).reduce(expr)
    if _T not in part.possible:
        return NEVER
    if part.possible == _TRUE and not part.may_fail:
        return ALWAYS
    return part.expr


def _constant(expr: Expr, value: Value) -> _Part:
    if value is None or isinstance(value, bool):
        possible = frozenset({_N if value is None else _T if value else _F})
    else:
        possible = frozenset({_V})
    # A 64-bit float has no literal: the part stays as it is written.
    shown = expr if isinstance(value, float) else Literal(value)
    return _Part(shown, possible, known=True, value=value)


def _settle(expr: Expr, possible: frozenset[str], may_fail: bool) -> _Part:
    if not may_fail and possible in _SETTLED:
        return _constant(expr, _SETTLED[possible])
    return _Part(expr, possible, may_fail or not possible)


def _computed(expr: Expr, compute: Callable[[], Value], otherwise: _Part) -> _Part:
    try:
        return _constant(expr, compute())
    except Fails:
        return _Part(expr, _DEAD, may_fail=True)
    except Undecided:
        return otherwise


def _any_dead(parts: Sequence[_Part]) -> bool:
    return any(not p.possible for p in parts)


def _join(parts: Sequence[_Part], whole: str) -> frozenset[str]:
    """What AND (`whole` is TRUE) or OR (FALSE) can be.

    For `whole`, every part must be able to be it; for its opposite, any part; for NULL, some part
    must be able to be NULL while no part has to be the opposite.
    """
    if _any_dead(parts):
        return _DEAD
    breaks = _OPPOSITE[whole]
    found: set[str] = set()
    if all(whole in p.possible for p in parts):
        found.add(whole)
    if any(breaks in p.possible for p in parts):
        found.add(breaks)
    if all(p.possible & {whole, _N} for p in parts) and any(_N in p.possible for p in parts):
        found.add(_N)
    return frozenset(found)


def _compared(op: CompareOp, left: _Part, right: _Part) -> frozenset[str]:
    """What a comparison of booleans can be, from what its sides can be."""
    truth = {_T: True, _F: False, _N: None}
    names = {value: name for name, value in truth.items()}
    return frozenset(
        names[constants.compare(op, truth[a], truth[b])]
        for a in left.possible & truth.keys()
        for b in right.possible & truth.keys()
    )


def _is_unfit(value: Value, other: Kind) -> bool:
    try:
        if isinstance(value, str) and other in NUMBERS:
            constants.compare(CompareOp.EQ, value, 0)
        elif type(value) is int and other is Kind.FLOAT:
            to_float(value)
    except Fails:
        return True
    return False


def _reached(
    branches: Sequence[tuple[_Part, _Part]], default: _Part
) -> tuple[frozenset[str], bool]:
    """What a CASE can be, and whether it can fail: unreached parts do not count."""
    possible: frozenset[str] = frozenset()
    may_fail = False
    for condition, value in branches:
        may_fail = may_fail or condition.may_fail
        if _T in condition.possible:
            possible |= value.possible
            may_fail = may_fail or value.may_fail
        if not condition.possible - _TRUE:
            return possible, may_fail
    return possible | default.possible, may_fail or default.may_fail


@dataclass(frozen=True, slots=True)
class _Folder:
    kinds: Mapping[str, Kind]

    def reduce(self, expr: Expr) -> _Part:
        return _REDUCERS[type(expr)](self, expr)

    def junction(self, expr: And | Or) -> _Part:
        form, whole = (And, _T) if isinstance(expr, And) else (Or, _F)
        parts = [self.reduce(p) for p in expr.parts]
        possible = _join(parts, whole)
        kept = [p.expr for p in parts if not (p.known and p.possible == frozenset({whole}))]
        if not kept:
            return _constant(expr, whole == _T)
        shown = kept[0] if len(kept) == 1 else form(tuple(kept))
        return _settle(shown, possible, any(p.may_fail for p in parts))

    def negation(self, expr: Not) -> _Part:
        part = self.reduce(expr.part)
        possible = frozenset(_OPPOSITE.get(p, p) for p in part.possible)
        return _settle(Not(part.expr), possible, part.may_fail)

    def compare(self, expr: Compare) -> _Part:
        left, right = self.reduce(expr.left), self.reduce(expr.right)
        shown = Compare(expr.op, left.expr, right.expr)
        return self._comparison(shown, (left, right), (expr.left, expr.right))

    def _comparison(
        self, shown: Compare, parts: tuple[_Part, _Part], written: tuple[Expr, Expr]
    ) -> _Part:
        left, right = parts
        may_fail = left.may_fail or right.may_fail
        if _any_dead(parts):
            return _Part(shown, _DEAD, may_fail=True)
        converts = self._conversion_may_fail(parts, written)
        if converts and self._never_converts(parts, written):
            return _Part(shown, _DEAD, may_fail=True)
        if _NULL in (left.possible, right.possible):
            return _settle(shown, _NULL, may_fail or converts)
        if left.known and right.known:
            return _computed(
                shown,
                lambda: constants.compare(shown.op, left.value, right.value),
                _Part(shown, may_fail=True),
            )
        if Kind.BOOLEAN in {kind_of(e, self.kinds) for e in written}:
            return _settle(shown, _compared(shown.op, left, right), may_fail)
        nulls = (left.possible | right.possible) & _NULL
        return _settle(shown, frozenset({_T, _F}) | nulls, may_fail or converts)

    def _conversion_may_fail(self, parts: tuple[_Part, _Part], written: tuple[Expr, Expr]) -> bool:
        pair = frozenset(kind_of(e, self.kinds) for e in written)
        if (
            any(p.expr == _NULL_LITERAL for p in parts)
            or len(pair) == 1
            or any(pair <= exact for exact in _EXACT)
        ):
            return False
        constant = any(p.known and isinstance(p.value, int) for p in parts)
        return pair != _INEXACT or not constant or self._never_converts(parts, written)

    def _never_converts(self, parts: tuple[_Part, _Part], written: tuple[Expr, Expr]) -> bool:
        """Whether one side is a constant that cannot be brought to the kind of the other."""
        return any(
            _is_unfit(part.value, kind_of(other, self.kinds))
            for part, other in zip(parts, reversed(written), strict=True)
            if part.known
        )

    def membership(self, expr: In) -> _Part:
        subject = self.reduce(expr.subject)
        options = [self.reduce(o) for o in expr.options]
        tests = [
            self._comparison(
                Compare(CompareOp.EQ, subject.expr, option.expr),
                (subject, option),
                (expr.subject, written),
            )
            for option, written in zip(options, expr.options, strict=True)
        ]
        shown = In(subject.expr, tuple(o.expr for o in options))
        return _settle(shown, _join(tests, _F), any(t.may_fail for t in tests))

    def like(self, expr: Like) -> _Part:
        part = self.reduce(expr.subject)
        shown = Like(part.expr, expr.pattern)
        possible = frozenset({_T, _F}) | (part.possible & _NULL)
        if part.possible in (_DEAD, _NULL):
            possible = part.possible
        unknown = _settle(shown, possible, part.may_fail)
        if part.known:
            return _computed(shown, lambda: constants.like(part.value, expr.pattern), unknown)
        return unknown

    def is_null(self, expr: IsNull) -> _Part:
        part = self.reduce(expr.subject)
        possible = frozenset({_T} if _N in part.possible else ()) | frozenset(
            {_F} if part.possible - _NULL else ()
        )
        return _settle(IsNull(part.expr), possible, part.may_fail)

    def case(self, expr: Case) -> _Part:
        branches: list[tuple[_Part, _Part]] = []
        default = self.reduce(expr.default)
        for condition, value in ((self.reduce(c), self.reduce(v)) for c, v in expr.branches):
            if condition.known and condition.possible == _TRUE:
                default = value
                break
            if not condition.known:
                branches.append((condition, value))
            if not condition.possible:
                # Nothing behind a condition that always fails is ever reached.
                break
        kind = kind_of(expr, self.kinds)
        possible, may_fail = _reached(branches, default)
        if kind in NUMBERS:
            return self._of_numbers(expr, default if not branches else None, possible)
        if kind is Kind.TIMESTAMP and any(isinstance(p, ColumnRef | FieldRef) for p in walk(expr)):
            # The units of columns decide what fits, also of those never taken.
            return _Part(expr, possible, may_fail=True)
        if not branches:
            return default
        shown = Case(tuple((c.expr, v.expr) for c, v in branches), default.expr)
        return self._kept(expr, shown, possible, may_fail)

    def _of_numbers(self, expr: Expr, part: _Part | None, possible: frozenset[str]) -> _Part:
        """A CASE or coalesce of numbers stays as written: all kinds decide how it computes."""
        if part is None or not part.known:
            return _Part(expr, possible, may_fail=True)
        if part.value is None:
            # A bare NULL would be of no kind, and convert nothing that it meets.
            return replace(part, expr=expr)
        if kind_of(expr, self.kinds) is Kind.INTEGER:
            return part
        return _computed(expr, lambda: to_float(part.value), part)

    def arithmetic(self, expr: Arithmetic) -> _Part:
        parts = [self.reduce(expr.left), self.reduce(expr.right)]
        shown = Arithmetic(expr.op, parts[0].expr, parts[1].expr)
        if self._any_unfit(expr, parts):
            return _Part(shown, _DEAD, may_fail=True)
        return self._strict(
            shown,
            parts,
            lambda: constants.arithmetic(expr.op, parts[0].value, parts[1].value),
        )

    def _any_unfit(self, expr: Expr, parts: list[_Part]) -> bool:
        """Whether an operand of a float is a constant that no float equals."""
        to = kind_of(expr, self.kinds)
        return to is Kind.FLOAT and any(p.known and _is_unfit(p.value, to) for p in parts)

    def negate(self, expr: Negate) -> _Part:
        part = self.reduce(expr.part)
        return self._strict(Negate(part.expr), [part], lambda: constants.negate(part.value))

    def call(self, expr: Call) -> _Part:
        parts = [self.reduce(a) for a in expr.arguments]
        shown = Call(expr.function, tuple(p.expr for p in parts))
        if expr.function == "coalesce":
            return self._coalesce(expr, shown, parts)
        function = function_of(expr)
        return self._strict(
            shown,
            parts,
            lambda: constants.call(expr.function, [p.value for p in parts]),
            total=function is not None and function.total,
            whole=_TRUTH if function and function.result is Kind.BOOLEAN else _VALUE,
        )

    def _coalesce(self, expr: Expr, shown: Expr, parts: list[_Part]) -> _Part:
        if _any_dead(parts) or self._any_unfit(expr, parts):
            return _Part(shown, _DEAD, may_fail=True)
        value = constants.call("coalesce", [p.value for p in parts])
        constant = _constant(expr, value) if all(p.known for p in parts) else None
        found: frozenset[str] = _NULL
        for part in parts:
            # What comes after a part that is never NULL is never taken.
            found = found - _NULL | part.possible
            if _N not in part.possible:
                break
        if kind_of(expr, self.kinds) in NUMBERS:
            return self._of_numbers(expr, constant, found)
        if constant:
            return constant
        return self._kept(expr, shown, found, any(p.may_fail for p in parts))

    def _kept(self, expr: Expr, shown: Expr, possible: frozenset[str], may_fail: bool) -> _Part:
        if kind_of(expr, self.kinds) in {Kind.BOOLEAN, Kind.NULL}:
            return _settle(shown, possible, may_fail)
        return _Part(shown, possible, may_fail or not possible)

    def _strict(
        self,
        shown: Expr,
        parts: list[_Part],
        compute: Callable[[], Value],
        total: bool = False,
        whole: frozenset[str] = _VALUE,
    ) -> _Part:
        """A part that is NULL where one of its arguments is."""
        if _any_dead(parts):
            return _Part(shown, _DEAD, may_fail=True)
        may_fail = any(p.may_fail for p in parts)
        if any(p.possible == _NULL for p in parts):
            # Kept as written: its kind decides whether what it meets is converted, and may fail.
            known = all(p.known for p in parts)
            return _Part(shown, _NULL, may_fail or not (total or known), known=known)
        nulls = frozenset[str]().union(*(p.possible for p in parts)) & _NULL
        unknown = _Part(shown, whole | nulls, may_fail or not total)
        return _computed(shown, compute, unknown) if all(p.known for p in parts) else unknown


_REDUCERS: dict[type, Callable[[_Folder, Any], _Part]] = {
    Literal: lambda _, e: _constant(e, e.value),
    ColumnRef: lambda _, e: _Part(e),
    FieldRef: lambda _, e: _Part(e),
    Compare: _Folder.compare,
    And: _Folder.junction,
    Or: _Folder.junction,
    Not: _Folder.negation,
    In: _Folder.membership,
    Like: _Folder.like,
    IsNull: _Folder.is_null,
    Case: _Folder.case,
    Arithmetic: _Folder.arithmetic,
    Negate: _Folder.negate,
    Call: _Folder.call,
}
