"""What is inside columns, as the original reaches it: `SELECT **`, and lists named in FROM.

`SELECT ** FROM t` gives a column for each innermost field: a struct's fields stand beside each
other as `column__field`, a list or map gives a row for each item. `FROM t, t.items` joins each row
with its own items. Both are written out here, by the columns that the reader sees, before the
statement goes on like any other; they bring nothing into it that could not have been typed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import pyarrow as pa
import pyarrow.types as pat
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from privet.model.datasets import plain_type
from privet.model.errors import InvalidRequest, ResourcesExceeded
from privet.model.foreign_sql import too_deep
from privet.model.requests import LONGEST_STATEMENT

Describe = Callable[[exp.Expr], pa.Schema]
"""Gives the columns of a SELECT, as its reader would see them."""
ITEM = "item"
_ALL = "**"
_BEFORE = frozenset({TokenType.SELECT, TokenType.DISTINCT, TokenType.COMMA, TokenType.DOT})
_MOST_LOOKS, _MOST_COLUMNS = 16, 10_000


def marked(text: str, dialect: str) -> str:
    """A statement whose `**` are columns of that name, which no dataset has."""
    if _ALL not in text or len(text) > LONGEST_STATEMENT:
        return text
    try:
        tokens = Dialect.get_or_raise(dialect).tokenize(text)
    except TokenError:
        return text
    places = list(_stars(tokens))
    for start in reversed(places):
        text = f"{text[:start]}`{_ALL}`{text[start + len(_ALL) :]}"
    return text


def _stars(tokens: list[Token]) -> Iterator[int]:
    kinds = [TokenType.SEMICOLON, *(token.token_type for token in tokens)]
    for before, (first, second) in zip(kinds, pairwise(tokens), strict=False):
        both = first.token_type == second.token_type == TokenType.STAR
        if both and first.end + 1 == second.start and before in _BEFORE:
            yield first.start


def unnested(tree: exp.Expr, describe: Describe) -> exp.Expr:
    """A statement with its `**`, and the lists and maps that it names in FROM, written out.

    Args:
        tree: as parsed of what `marked` gave.
        describe: gives the columns of a part of it.

    Raises:
        InvalidRequest: a `**` stands where it means nothing.
        ResourcesExceeded: there is too much to be written out.
        PrivetError: whatever `describe` raises.
    """
    writing = _Writing(describe)
    try:
        for select in list(_inner_first(tree)):
            writing.select(select)
    except RecursionError as error:
        raise too_deep() from error
    if any(column.name == _ALL for column in tree.find_all(exp.Column)):
        raise InvalidRequest(f"`{_ALL}` stands for columns", hint="write SELECT ** FROM table")
    return tree


def _inner_first(tree: exp.Expr) -> Iterator[exp.Select]:
    """Every SELECT after those inside it, and after those of the CTEs that it may name."""
    waiting: list[tuple[exp.Expr, bool]] = [(tree, False)]
    while waiting:
        node, entered = waiting.pop()
        if not entered:
            inner = sorted(node.iter_expressions(), key=lambda n: not isinstance(n, exp.With))
            waiting += [(node, True), *((each, False) for each in reversed(inner))]
        elif isinstance(node, exp.Select):
            yield node


@dataclass(slots=True)
class _Items:
    """What a list or map that FROM names is there."""

    alias: str
    type: pa.DataType


@dataclass(slots=True)
class _Writing:
    describe: Describe
    _known: dict[str, pa.Schema] = field(default_factory=dict[str, pa.Schema])
    _items: int = 0
    _looks: int = 0

    def select(self, select: exp.Select) -> None:
        """Write one SELECT out, in place; those inside it are already."""
        items = self._from(select)
        told: list[exp.Expr] = []
        for each in select.expressions:
            if isinstance(each, exp.Column) and each.name == _ALL:
                told += self._all(select, each.table)
            elif isinstance(each, exp.Column) and isinstance(each.this, exp.Star):
                told += _fields_of(each, items)
            else:
                told.append(each)
            if len(told) > _MOST_COLUMNS:
                raise _too_much(f"{_MOST_COLUMNS} columns at most")
        select.set("expressions", told)
        _of_maps(select, items)

    def _from(self, select: exp.Select) -> list[_Items]:
        """Write out the lists and maps that FROM names."""
        found: list[_Items] = []
        tables: list[exp.Table] = []
        for holder in _holders(select):
            table = holder.this
            if not isinstance(table, exp.Table):
                continue
            told = self._within(select, table, found, tables)
            if told is None:
                tables.append(table)
                continue
            column, kind = told
            alias = table.alias or table.parts[-1].name
            holder.set("this", _rows_of(column, kind, alias, ITEM))
            found.append(_Items(alias, _item_type(kind)))
        return found

    def _within(
        self, select: exp.Select, table: exp.Table, items: list[_Items], tables: list[exp.Table]
    ) -> tuple[exp.Expr, pa.DataType] | None:
        """What a name in FROM is inside something named before it, with its type."""
        parts = [part.name for part in table.parts]
        for each in items:
            path = _after(parts, [each.alias])
            kind = _inside(pa.schema([(ITEM, each.type)]), path)
            if kind is not None:
                return _reference(each.alias, path), kind
        for owner in tables:
            name = owner.alias_or_name
            path = _after(parts, [name]) or _after(parts, [part.name for part in owner.parts])
            kind = _inside(self._columns(select, owner), path) if path else None
            if kind is not None:
                return _reference(name, path), kind
        return None

    def _all(self, select: exp.Select, alias: str) -> Iterator[exp.Expr]:
        """The innermost fields of what FROM names, or of one table of it."""
        sources = [h.this for h in _holders(select) if not isinstance(h.this, exp.Unnest)]
        wanted = [s for s in sources if not alias or s.alias_or_name.lower() == alias.lower()]
        if not wanted:
            raise InvalidRequest(f"`{_ALL}` needs a table", hint="write SELECT ** FROM table")
        for source in wanted:
            name = source.alias_or_name
            if not name:
                raise InvalidRequest(f"`{_ALL}` needs a name for what it is of", hint="use AS")
            for column in self._columns(select, source):
                at = _reference(name, [column.name])
                yield from self._leaves(select, column.name, plain_type(column.type), at)

    def _leaves(
        self, select: exp.Select, name: str, kind: pa.DataType, at: exp.Expr
    ) -> Iterator[exp.Expr]:
        if pat.is_struct(kind):
            for number in range(kind.num_fields):
                inner = kind.field(number)
                deeper = exp.Dot(this=at.copy(), expression=exp.to_identifier(inner.name, True))
                yield from self._leaves(select, f"{name}__{inner.name}", inner.type, deeper)
        elif pat.is_list(kind) or pat.is_map(kind):
            self._items += 1
            alias = f"__items_{self._items}"
            select.append("joins", exp.Join(this=_rows_of(at, kind, alias, alias), kind="CROSS"))
            item = exp.column(exp.to_identifier(alias, True), exp.to_identifier(alias, True))
            yield from self._leaves(select, name, _item_type(kind), item)
        else:
            yield exp.alias_(at, name.lower(), quoted=True)

    def _columns(self, select: exp.Select, source: exp.Expr) -> pa.Schema:
        probe = exp.Select(expressions=[exp.Star()], from_=exp.From(this=_bare(source)))
        ctes = [cte.copy() for cte in _in_scope(select)]
        if ctes:
            probe.set("with_", exp.With(expressions=ctes))
        self._looks += 1
        if self._looks > _MOST_LOOKS:
            raise _too_much(f"{_MOST_LOOKS} tables at most")
        text = probe.sql()
        if text not in self._known:
            self._known[text] = self.describe(probe)
        return self._known[text]


def _too_much(hint: str) -> ResourcesExceeded:
    return ResourcesExceeded("there is too much inside these columns", hint=hint)


def _holders(select: exp.Select) -> list[exp.Expr]:
    """What FROM and each JOIN hold a table in, in their order."""
    first = select.args.get("from_")
    return [*([first] if first else []), *(select.args.get("joins") or ())]


def _bare(source: exp.Expr) -> exp.Expr:
    told = source.copy()
    told.set("joins", None)
    return told


def _in_scope(select: exp.Select) -> list[exp.Expr]:
    """The CTEs that a SELECT may name, the outermost first."""
    found: list[exp.Expr] = []
    trail: list[exp.Expr] = []
    node: exp.Expr | None = select
    while node is not None:
        ctes = node.args["with_"].expressions if node.args.get("with_") else []
        within = next(
            (n for n, cte in enumerate(ctes) if any(cte is t for t in trail[-2:])), len(ctes)
        )
        found = [*ctes[:within], *found]
        trail.append(node)
        node = node.parent
    return found


def _after(parts: list[str], own: list[str]) -> list[str]:
    """What follows a name in a longer one; empty if that begins otherwise."""
    begins = [part.lower() for part in parts[: len(own)]] == [part.lower() for part in own]
    return parts[len(own) :] if begins else []


def _inside(columns: pa.Schema, path: list[str]) -> pa.DataType | None:
    """The type of the list or map at a path, by names in any case; None if there is none."""
    fields = {column.name.lower(): column.type for column in columns}
    kind: pa.DataType = pa.null()
    for part in path:
        kind = plain_type(fields.get(part.lower(), pa.null()))
        inner = [kind.field(i) for i in range(kind.num_fields)] if pat.is_struct(kind) else []
        fields = {each.name.lower(): each.type for each in inner}
    return kind if pat.is_list(kind) or pat.is_map(kind) else None


def _item_type(kind: pa.DataType) -> pa.DataType:
    if pat.is_map(kind):
        return pa.struct([("key", kind.key_type), ("value", kind.item_type)])
    return kind.value_type


def _reference(table: str, path: list[str]) -> exp.Expr:
    names = [exp.to_identifier(name, quoted=True) for name in (table, *path)]
    at: exp.Expr = exp.column(names[1], table=names[0])
    for name in names[2:]:
        at = exp.Dot(this=at, expression=name)
    return at


def _rows_of(at: exp.Expr, kind: pa.DataType, alias: str, column: str) -> exp.Expr:
    """A row for each item."""
    items = exp.Anonymous(this="map_entries", expressions=[at]) if pat.is_map(kind) else at
    named = exp.TableAlias(
        this=exp.to_identifier(alias, quoted=True),
        columns=[exp.to_identifier(column, quoted=True)],
    )
    return exp.Unnest(expressions=[items], alias=named)


def _fields_of(star: exp.Column, items: list[_Items]) -> list[exp.Expr]:
    """`items.*`: the fields of structs; of anything else the items."""
    for each in items:
        if each.alias.lower() == star.table.lower() and pat.is_struct(each.type):
            names = [each.type.field(i).name for i in range(each.type.num_fields)]
            return [
                exp.alias_(_reference(each.alias, [ITEM, name]), name.lower(), quoted=True)
                for name in names
            ]
    return [star]


def _of_maps(select: exp.Select, items: list[_Items]) -> None:
    """`items.key` and `items.value`, which are inside the item of a map."""
    aliases = {each.alias.lower() for each in items if pat.is_struct(each.type)}
    for column in list(select.find_all(exp.Column)):
        inner = column.name.lower() in {"key", "value"} and column.table.lower() in aliases
        if inner and not column.db:
            column.replace(_reference(column.table, [ITEM, column.name]))
