"""Filters over all kinds of columns: mostly ones that type-check and are sometimes true."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from cells import Cell, Day, Moment
from kinds import NUMBERS, TIMES, UNITS, kind_of_type
from pools import DIGITS, NOW, POOLS, TEXTS, TYPES, listed

from privet.model.expressions import (
    And,
    Arithmetic,
    ArithmeticOp,
    Call,
    Case,
    ColumnRef,
    Compare,
    CompareOp,
    Expr,
    In,
    IsNull,
    Like,
    Literal,
    Negate,
    Not,
    Or,
)

KINDS = {name: kind_of_type(kind) for name, kind in TYPES.items()}
PATTERNS = (
    "%",
    "",
    "_",
    "a%",
    "%b%",
    "%\\%%",
    "_\\__%",
    "%2",
    "A\\\\b",
    "%\n%",
    "%%a%_",
    "%\u0301",
)
NULL = Literal(None)


KEYS = ("team", "Team", "city", "nobody", "whoami")
"""Keys of attributes of readers, who have the first three perhaps."""
ROLES_ASKED = (
    *("analyst_role", "steward_role", "public_role", "Auditor_Role"),
    *("analyst_role,public_role", ' "steward_role" , public_role', "analyst_role,steward_role"),
)


class Filters:
    """Draws filters over some columns.

    `cells` are what these hold, NULL aside; `tags` are the tags by which to ask for a column, and
    `borne` some of the dataset's own.
    """

    def __init__(
        self,
        random: Random,
        cells: Mapping[str, Sequence[Cell]],
        tags: Mapping[str, Sequence[str]],
        borne: Sequence[str],
    ) -> None:
        self._random = random
        self._columns = list(cells)
        self._cells = cells
        self._tags = tags
        self._borne = borne

    def draw(self) -> Expr:
        """A filter; now and then one that does not fit the columns."""
        random = self._random
        if random.random() < 0.03:
            return self._odd()
        if random.random() < 0.15:
            test = self._column_test()
            return Or((test, Literal(True))) if random.random() < 0.2 else test
        whole = self._truth(random.choice((0, 0, 1, 1, 2, 3)))
        return self._of_roles(whole) if random.random() < 0.08 else whole

    def _of_roles(self, rest: Expr) -> Expr:
        """For roles: only where it cannot be negated."""
        random = self._random
        asked = random.sample(ROLES_ASKED, random.choice((1, 1, 2)))
        roles = Call("has_roles", tuple(map(Literal, asked)))
        return self._pick(
            lambda: roles,
            lambda: And((roles, rest)),
            lambda: Or((rest, roles)),
            lambda: Or((And((roles, rest)), self._test(0))),
        )

    # ---- parts by kind; `depth` is how much deeper they may go

    def _truth(self, depth: int) -> Expr:
        random = self._random
        if depth <= 0 or random.random() < 0.2:
            return self._test(depth)
        two = [self._truth(depth - 1) for _ in range(random.choice((2, 2, 3)))]
        return self._pick(
            lambda: And(tuple(two)),
            lambda: Or(tuple(two)),
            lambda: Not(two[0]),
            lambda: Case(((two[0], two[1]),), self._truth(depth - 1)),
            lambda: IsNull(two[0]),
            lambda: Call("coalesce", tuple(two)),
            lambda: Compare(random.choice(list(CompareOp)), two[0], two[1]),
            lambda: And(tuple(two)),
            lambda: Or(tuple(two)),
        )

    def _test(self, depth: int) -> Expr:
        usual = self._column_test
        return self._pick(
            *(usual,) * 5,
            lambda: self._compare(self._number(depth), self._number(depth)),
            lambda: self._compare(self._number(depth), self._text(depth)),
            lambda: self._compare(self._text(depth), self._text(depth)),
            lambda: self._compare(self._time(depth), self._time(depth)),
            self._boolean,
            lambda: Like(self._text(depth), self._random.choice(PATTERNS)),
            lambda: In(self._number(depth), self._some(self._number, depth)),
            lambda: In(self._text(depth), self._some(self._text, depth)),
            lambda: Not(In(self._number(depth), self._some(self._number, depth))),
            *(self._set_test,) * 2,
        )

    def _set_test(self) -> Expr:
        """A column, or a text, against a set."""
        random = self._random
        fitting = [n for n in self._columns if KINDS[n] in NUMBERS | {"text"}]
        name = random.choice(fitting) if fitting else ""
        subject = self._named(name) if name else self._text(0)
        asked = Call("in_set", (subject, self._set(name)))
        return self._pick(
            *(lambda: asked,) * 3,
            *(lambda: Not(asked),) * 2,
            *(lambda: self._compare(self._table_attribute(), Literal("true")),) * 2,
            lambda: self._pick(lambda: IsNull(self._table_attribute()), lambda: IsNull(asked)),
            lambda: Call("sets_intersect", (self._text(0), self._set(name))),
            lambda: Call("sets_intersect", (self._cast(subject, "varchar"), self._set(name))),
            lambda: Call("sets_intersect", (self._set(name), self._text(1))),
            lambda: Not(Call("sets_intersect", (self._set(""), self._text(0)))),
        )

    def _set(self, name: str) -> Expr:
        """A set: a list of what the column may hold, or an attribute."""
        cells = self._cells.get(name) or TEXTS
        return self._pick(
            *(lambda: Literal(listed(self._random, cells)),) * 4,
            *(lambda: Call("user_attribute", (Literal(self._random.choice(KEYS)),)),) * 2,
            self._table_attribute,
        )

    def _table_attribute(self) -> Expr:
        tag = self._random.choice([*self._borne * 4, "phi.mrn", "pii.age"])
        return Call("table_attribute", (Literal(tag),))

    def _named(self, name: str) -> Expr:
        """A column by its name, or by a tag that it bears, as others may too."""
        tags = self._tags.get(name, ())
        if tags and self._random.random() < 0.2:
            return Call("columns_with_attribute", (Literal(self._random.choice(tags)),))
        return ColumnRef(name)

    def _column_test(self) -> Expr:
        """A column against values that it may hold: what a steward writes."""
        name = self._random.choice(self._columns)
        column = self._named(name)
        kind = KINDS[name]
        if kind == "other" or self._random.random() < 0.1:
            return self._pick(lambda: IsNull(column), lambda: Not(IsNull(column)))
        if kind == "boolean":
            return self._pick(
                lambda: column, lambda: Not(column), lambda: self._compare(column, Literal(True))
            )
        if kind == "float" and self._random.random() < 0.3:
            # Where NaN meets NaN: no literal is one.
            other = Call("coalesce", (self._column({kind}, column), column))
            return self._compare(column, self._random.choice((column, other)))
        return self._pick(
            *(lambda: self._compare(column, self._held(name)),) * 3,
            *(lambda: self._fragile(column, kind),) * 2,
            lambda: self._compare(column, self._column({kind}, column)),
            lambda: In(column, tuple(self._held(name) for _ in range(self._random.randint(1, 3)))),
            lambda: Not(In(column, (self._held(name), self._maybe_null(self._held(name))))),
            lambda: And(
                (
                    Compare(CompareOp.GE, column, self._held(name)),
                    Compare(CompareOp.LE, column, self._held(name)),
                )
            ),
        )

    def _fragile(self, column: Expr, kind: str) -> Expr:
        """A test that has an answer for some values, and fails for others."""
        pick = self._random.choice
        if kind == "text":
            target = pick(("bigint", "double", "date"))
            if target == "date":
                return self._compare(self._cast(column, target), Literal(date(2024, 1, 31)))
            number = Literal(pick((0, 1, 7)))
            return self._compare(pick((column, self._cast(column, target))), number)
        if kind in NUMBERS:
            op, other = pick((("/", 7), ("%", 7), ("*", 2**62), ("+", 2**63 - 1), ("-", 1)))
            sides = [column, Literal(other)]
            self._random.shuffle(sides)
            return self._compare(Arithmetic(ArithmeticOp(op), *sides), Literal(pick((0, 1))))
        return self._compare(self._cast(column, "date"), Literal(date(2024, 1, 31)))

    def _number(self, depth: int) -> Expr:
        random = self._random
        flat = (
            lambda: self._column(NUMBERS, Literal(random.choice((0, 1, 7)))),
            lambda: Literal(random.choice((0, 1, 2, -1, 7, 18, 2**53 + 1, 2**63 - 1, -(2**63)))),
            lambda: Literal(Decimal(random.choice(("0.0", "0.1", "1.5", "7.00", "1E+3", "1.0")))),
            lambda: self._maybe_null(self._column(NUMBERS, NULL)),
        )
        if depth <= 0:
            return self._pick(*flat)
        return self._pick(
            *flat,
            *(lambda: self._arithmetic(depth),) * 3,
            lambda: Negate(self._number(depth - 1)),
            lambda: Call("abs", (self._number(depth - 1),)),
            lambda: Call("length", (self._text(depth - 1),)),
            lambda: Call(random.choice(("year", "month", "day", "hour")), (self._time(depth - 1),)),
            lambda: self._cast(self._number(depth - 1), random.choice(("bigint", "double"))),
            lambda: self._cast(self._text(depth - 1), random.choice(("bigint", "double"))),
            lambda: self._cast(self._truth(depth - 1), "bigint"),
            lambda: self._choice(self._number, depth),
        )

    def _arithmetic(self, depth: int) -> Expr:
        op = self._random.choice(list(ArithmeticOp))
        return Arithmetic(op, self._number(depth - 1), self._number(depth - 1))

    def _text(self, depth: int) -> Expr:
        random = self._random
        flat = (
            *(lambda: self._column({"text"}, Call("user", ())),) * 2,
            lambda: Literal(random.choice(TEXTS)),
            lambda: Literal(random.choice(DIGITS)),
            lambda: self._maybe_null(Call("user", ())),
            lambda: self._maybe_null(Call("user_attribute", (Literal(random.choice(KEYS)),))),
        )
        if depth <= 0:
            return self._pick(*flat)
        return self._pick(
            *flat,
            lambda: Call(random.choice(("lower", "upper", "trim")), (self._text(depth - 1),)),
            lambda: Call("concat", self._some(self._text, depth - 1)),
            lambda: self._substr(depth),
            lambda: self._cast(self._column({"integer"}, Literal(1)), "varchar"),
            lambda: self._cast(self._column({"boolean"}, Literal(False)), "varchar"),
            lambda: self._cast(self._column({"date"}, Literal(date(2024, 1, 31))), "varchar"),
            lambda: self._cast(self._text(depth - 1), "varchar"),
            lambda: self._choice(self._text, depth),
        )

    def _substr(self, depth: int) -> Expr:
        bounds = self._pick(
            lambda: (Literal(self._random.randint(1, 3)),),
            lambda: (
                Literal(self._random.choice((1, 2, 0, -1))),
                Literal(self._random.randint(0, 2)),
            ),
            lambda: (Literal(1), Literal(self._random.choice((1, 4, -1)))),
        )
        return Call("substr", (self._text(depth - 1), *bounds))

    def _time(self, depth: int) -> Expr:
        random = self._random
        moment = datetime(2024, 1, 31, tzinfo=UTC) + timedelta(hours=random.choice((0, 0, 12)))
        flat = (
            *(lambda: self._column(TIMES, Call("now", ())),) * 3,
            lambda: Literal(random.choice((date(2024, 1, 31), date(1970, 1, 1), date(1, 1, 1)))),
            lambda: Literal(random.choice((moment, NOW, datetime(9999, 12, 31, tzinfo=UTC)))),
            lambda: Call("now", ()),
        )
        if depth <= 0:
            return self._pick(*flat)
        return self._pick(
            *flat,
            lambda: self._cast(self._text(depth - 1), "date"),
            lambda: self._cast(self._time(depth - 1), "date"),
            lambda: self._choice(lambda _: self._column({"date"}, NULL), depth),
            lambda: self._choice(lambda _: self._column({*UNITS}, Call("now", ())), depth),
            lambda: Call("coalesce", (self._column({*UNITS}, NULL), Literal(moment))),
            self._eternal,
        )

    def _eternal(self) -> Expr:
        """A column of timestamps whose gaps are filled with the end of time."""
        column, end = self._column({*UNITS}, NULL), Literal(datetime(9999, 12, 31, tzinfo=UTC))
        return self._pick(
            lambda: Call("coalesce", (column, end)),
            lambda: Case(((IsNull(column), end),), column),
            lambda: Case(((Literal(False), column),), end),
        )

    def _boolean(self) -> Expr:
        return self._pick(
            lambda: self._column({"boolean"}, Literal(True)),
            lambda: Literal(self._random.choice((True, False))),
            lambda: NULL,
        )

    def _odd(self) -> Expr:
        """What does not fit: a column that is not there, or kinds that do not compare."""
        missing = [name for name in TYPES if name not in self._columns]
        return self._pick(
            *(lambda: IsNull(ColumnRef(self._random.choice(missing))),) * 3,
            lambda: Or((self._truth(0), Compare(CompareOp.EQ, ColumnRef(missing[0]), Literal(1)))),
            lambda: Call("in_set", (self._time(0), Literal("a,b"))),
            lambda: Call("sets_intersect", (self._text(0), self._number(0))),
            lambda: And((self._truth(1), IsNull(ColumnRef(self._random.choice(missing))))),
            lambda: self._compare(self._number(0), self._time(0)),
            lambda: self._compare(self._column({"other"}, Literal(True)), Literal(1)),
            lambda: self._number(1),
            lambda: Like(self._number(0), "%"),
            lambda: Call("coalesce", (self._text(0), self._number(0))),
            lambda: IsNull(Call("coalesce", (self._text(0), Negate(NULL), self._time(0)))),
            lambda: self._compare(Case(((self._truth(0), Negate(NULL)),), self._text(0)), NULL),
            lambda: IsNull(
                Call("coalesce", (self._text(0), Arithmetic(ArithmeticOp.ADD, NULL, NULL)))
            ),
            lambda: And((self._text(0), self._truth(0))),
        )

    # ---- pieces

    def _pick(self, *ways: Callable[[], Any]) -> Any:
        return self._random.choice(ways)()

    def _some(self, part: Callable[[int], Expr], depth: int) -> tuple[Expr, ...]:
        return tuple(self._maybe_null(part(depth)) for _ in range(self._random.randint(1, 3)))

    def _maybe_null(self, expr: Expr) -> Expr:
        return NULL if self._random.random() < 0.15 else expr

    def _column(self, kinds: frozenset[str] | set[str], otherwise: Expr) -> Expr:
        fitting = [name for name in self._columns if KINDS[name] in kinds]
        return self._named(self._random.choice(fitting)) if fitting else otherwise

    def _compare(self, left: Expr, right: Expr) -> Expr:
        return Compare(self._random.choice(list(CompareOp)), left, right)

    def _cast(self, expr: Expr, target: str) -> Expr:
        return Call("cast", (expr, Literal(target)))

    def _choice(self, part: Callable[[int], Expr], depth: int) -> Expr:
        return self._pick(
            lambda: Call("coalesce", (part(depth - 1), part(depth - 1))),
            lambda: Case(((self._truth(depth - 1), part(depth - 1)),), part(depth - 1)),
            lambda: Case(((self._truth(depth - 1), part(depth - 1)),), NULL),
        )

    def _held(self, name: str) -> Expr:
        """A literal that the column may hold; of floats and far times, one near them."""
        likely = self._cells[name] if self._random.random() < 0.75 else ()
        cell = self._random.choice(likely or POOLS[name])
        if isinstance(cell, float):
            small = cell == 0 or 1e-9 < abs(cell) < 2**60
            return (
                Literal(Decimal(repr(cell))) if small else Literal(self._random.choice((1, 2**53)))
            )
        if isinstance(cell, Day):
            near = abs(cell.days) < 700_000
            return Literal(date(1970, 1, 1) + timedelta(days=cell.days if near else 0))
        if isinstance(cell, Moment):
            micros = cell.nanoseconds // 1000 if abs(cell.nanoseconds) < 10**19 else 0
            return Literal(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros))
        if isinstance(cell, int) and cell >= 2**63:
            return Literal(Decimal(f"{cell}.0"))
        return Literal(cell)
