"""A statement for another engine, in which each dataset is what its reader may see of it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from sqlglot import exp
from sqlglot.dialects.dialect import NormalizationStrategy
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers

from privet.enforcement.rewriting.engines import Engine
from privet.enforcement.rewriting.governed import RESERVED, governed
from privet.enforcement.rewriting.grammar import check
from privet.model.decisions import Decision
from privet.model.errors import InvalidRequest, NotExpressible, ParseFailed
from privet.model.foreign_sql import read_statements, too_deep
from privet.model.names import DatasetName, fold
from privet.model.requests import LONGEST_STATEMENT

_MOST_PLACES = 200
_MOST_NODES = 100_000
"""Parts of a tree that statements may grow to: what is governed is longer than its name."""
_LONGEST_WRITTEN = 4 * 2**20
_Place = tuple[exp.Table, DatasetName]


class Foreign:
    """One SELECT in the SQL of an engine, and the datasets that it names.

    Attributes:
        datasets: what it reads, each once, in order.
    """

    def __init__(self, text: str, engine: Engine, database: str | None = None) -> None:
        """Read a statement.

        Args:
            text: as its author wrote it.
            engine: whose SQL it is.
            database: where names without one are.

        Raises:
            ParseFailed: no statement of this dialect.
            InvalidRequest: no single SELECT, or a name without a database.
            NotExpressible: it has a part of which it is not known what it reads.
            ResourcesExceeded: too deep.
        """
        self._engine = engine
        self._tree = _parsed(text, engine)
        check(self._tree, engine, RESERVED)
        self._places = self._resolve(database)
        self.datasets = tuple(dict.fromkeys(name for _, name in self._places))

    @property
    def steady(self) -> bool:
        """Whether it says the same of the same rows, whenever it is asked."""
        return self._tree.find(exp.CurrentDate, exp.CurrentTimestamp) is None

    def canonical(self) -> str:
        """The statement as it is written when only spelling is left out, without any policy."""
        return self._tree.sql(self._engine.dialect, identify=True, comments=False)

    def _resolve(self, database: str | None) -> list[_Place]:
        """Find the datasets, and give every WITH a name that nothing else has.

        So an engine that looks for such names in another order finds nothing in place of them.
        """
        tables = [(table, _with_of(table)) for table in self._tree.find_all(exp.Table)]
        if len(tables) > _MOST_PLACES:
            raise too_deep()
        numbers = count(1)
        for cte in self._tree.find_all(exp.CTE):
            alias = cte.args["alias"]
            alias.set("this", exp.to_identifier(f"{RESERVED}with{next(numbers)}", quoted=True))
        found: list[_Place] = []
        for table, cte in tables:
            if cte is None:
                found.append((table, self._named(table, database)))
                continue
            if not table.alias:
                table.set("alias", exp.TableAlias(this=table.this.copy()))
            table.set("this", cte.args["alias"].this.copy())
        return found

    def _named(self, table: exp.Table, database: str | None) -> DatasetName:
        if table.args.get("catalog"):
            raise InvalidRequest(
                "a dataset is named by its database and its own name", hint="such as sales.orders"
            )
        place = self._folded(table.args["db"]) if table.args.get("db") else database
        if not place:
            raise InvalidRequest(
                f"`{table.name[:64]}` is named without its database", hint="such as sales.orders"
            )
        return DatasetName(fold(place, "database name"), self._folded(table.this))

    def _folded(self, identifier: exp.Identifier) -> str:
        """The catalog's name of what an engine calls so.

        Raises:
            InvalidRequest: the engine tells apart what the catalog does not.
        """
        name = identifier.name
        folding = self._engine.folding
        if folding is NormalizationStrategy.UPPERCASE:
            kept = name == name.upper()
        else:
            kept = name == name.lower() or folding is NormalizationStrategy.CASE_INSENSITIVE
        if not kept:
            raise InvalidRequest(
                f"`{name[:64]}` is another name for `{self._engine.name}` than for the catalog",
                hint="write it without quotes, in the engine's own case",
            )
        return fold(name, "name")

    def rewrite(self, decisions: Mapping[DatasetName, Decision]) -> str:
        """The statement in which each dataset is replaced by what its decision shows.

        It takes the statement apart, so it is called once.

        Raises:
            NotFound: a decision shows nothing.
            NotExpressible: the engine cannot make the same of something; the text says what.
        """
        bare = {
            (table.db, table.name): table.name for table, _ in self._places if table.args.get("db")
        }
        for column in self._tree.find_all(exp.Column):
            if column.args.get("db"):
                _leave_database_out(column, bare)
        left = _MOST_NODES
        for table, name in self._places:
            alias = table.args.get("alias") or exp.TableAlias(this=table.this.copy())
            shown = governed(decisions[name], self._engine)
            table.replace(exp.Subquery(this=shown, alias=alias, joins=table.args.get("joins")))
            left -= sum(1 for _ in shown.walk())
            if left < 0:
                raise too_deep()
        _name_answers(self._tree)
        return self._written()

    def _written(self) -> str:
        try:
            text = self._tree.sql(
                self._engine.dialect,
                identify=True,
                comments=False,
                unsupported_level=ErrorLevel.RAISE,
            )
        except SqlglotError as error:
            raise NotExpressible(
                f"the statement cannot be written for `{self._engine.name}`",
                hint="write it in plainer SQL",
            ) from error
        except RecursionError as error:
            raise too_deep() from error
        self._check_again(text)
        return text

    def _check_again(self, text: str) -> None:
        """Refuse what is read otherwise than it was meant, and reads no governed table."""
        again = _parsed(text, self._engine, _LONGEST_WRITTEN)
        if (
            _tables(again) != _tables(self._tree)
            or again.sql(self._engine.dialect, identify=True, comments=False) != text
        ):
            raise NotExpressible(
                f"the statement reads otherwise once it is written for `{self._engine.name}`",
                hint="write it in plainer SQL",
            )


def _name_answers(tree: exp.Expr) -> None:
    """Name columns that hold a subquery: engines would call them by its text, policy and all."""
    first: Any = tree
    while isinstance(first, exp.SetOperation | exp.Subquery):
        first = first.this
    for place, column in enumerate(list(first.expressions)):
        if not column.alias and column.find(exp.Select):
            column.replace(exp.alias_(column.copy(), f"_c{place}", quoted=True))


def is_select(text: str, engine: Engine) -> bool:
    """Whether a text is one SELECT in the SQL of an engine, whatever is in it.

    Raises:
        ResourcesExceeded, InvalidRequest: it is too much to read.
    """
    try:
        trees = read_statements(text, engine.dialect)
    except ParseFailed:
        return False
    return len(trees) == 1 and isinstance(trees[0], exp.Query)


def whole(name: DatasetName, engine: Engine) -> str:
    """A statement that reads all of a dataset, in the SQL of an engine."""
    table = exp.Table(this=engine.identifier(name.name), db=engine.identifier(name.database))
    return exp.select("*").from_(table).sql(engine.dialect, identify=True)


def _tables(tree: exp.Expr) -> list[tuple[str, str]]:
    return [(table.db, table.name) for table in tree.find_all(exp.Table)]


def _leave_database_out(column: exp.Column, bare: Mapping[tuple[str, str], str]) -> None:
    if (column.text("db"), column.table) in bare:
        column.set("db", None)


def _with_of(table: exp.Table) -> exp.CTE | None:
    """The part of a WITH that a name means, if one is in view."""
    if table.args.get("db"):
        return None
    below: exp.Expr = table
    inside: exp.CTE | None = None
    while (node := below.parent) is not None:
        if isinstance(node, exp.CTE):
            inside = node
        known = node.args.get("with_")
        if isinstance(known, exp.With):
            found = _in_view(known, table.name, inside if below is known else None)
            if found is not None:
                return found
        below = node
    return None


def _in_view(known: exp.With, name: str, inside: exp.CTE | None) -> exp.CTE | None:
    """The last part of that name before the one that asks; that one itself if it may recur."""
    found: exp.CTE | None = None
    for cte in known.expressions:
        if cte is inside and not known.args.get("recursive"):
            break
        if cte.alias == name:
            found = cte
        if cte is inside:
            break
    return found


def _parsed(text: str, engine: Engine, longest: int = LONGEST_STATEMENT) -> exp.Expr:
    trees = read_statements(text, engine.dialect, longest)
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise InvalidRequest("only one SELECT can be rewritten", hint="such as SELECT * FROM d.t")
    try:
        return normalize_identifiers(trees[0], dialect=engine.dialect)
    except RecursionError as error:
        raise too_deep() from error
