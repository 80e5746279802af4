"""What a statement that is rewritten may be made of: all that is not listed here is refused.

A list of what is dangerous would miss the next engine's function that reads a file. So nodes,
their parts, and functions are those of which it is known that they see nothing but the rows and
columns that a statement gets from its FROM.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping

from sqlglot import exp

from privet.enforcement.rewriting.engines import Engine, is_plain
from privet.model.errors import NotExpressible

_STRUCTURE = """
    From Where Group Having Order Ordered Limit Offset Distinct Paren Alias TableAlias Identifier
    Tuple Interval Var Null Boolean Literal DataTypeParam Exists Filter WindowSpec With
    """
_OPERATORS = """
    EQ NEQ LT LTE GT GTE And Or Not In Between Is Like ILike Neg Add Sub Mul Div Mod IntDiv
    DPipe NullSafeEQ NullSafeNEQ
    """
_FUNCTIONS = """
    Case If Coalesce Nullif Cast TryCast Greatest Least Abs Round Floor Ceil Sqrt Ln Exp Pow Sign
    Lower Upper Trim Length Substring Concat Left Right StartsWith StrPosition
    Extract Year Month Day Quarter Week DayOfWeek DayOfMonth DayOfYear Hour Minute Second
    DateAdd DateSub DateDiff DateTrunc TimestampTrunc TsOrDsToDate TsOrDsAdd LastDay
    CurrentDate CurrentTimestamp
    Count CountIf Sum Avg Min Max Stddev StddevPop StddevSamp Variance VariancePop ApproxDistinct
    LogicalAnd LogicalOr RowNumber Rank DenseRank PercentRank CumeDist Ntile Lag Lead FirstValue
    LastValue NthValue
    """
_PARTS: Mapping[type[exp.Expr], frozenset[str]] = {
    exp.Select: frozenset(
        "expressions from_ where group having order limit offset distinct joins with_".split()
    ),
    exp.Union: frozenset("this expression distinct by_name with_ order limit offset".split()),
    exp.Intersect: frozenset("this expression distinct with_ order limit offset".split()),
    exp.Except: frozenset("this expression distinct with_ order limit offset".split()),
    exp.Subquery: frozenset("this alias with_ order limit offset".split()),
    exp.Table: frozenset("this db catalog alias joins".split()),
    exp.Join: frozenset("this on using kind side method".split()),
    exp.CTE: frozenset("this alias".split()),
    exp.Column: frozenset("this table db".split()),
    exp.Star: frozenset(),
    exp.DataType: frozenset("this expressions nested values".split()),
    exp.Window: frozenset("this partition_by order spec over first".split()),
}
_NODES = frozenset(
    [getattr(exp, name) for name in (_STRUCTURE + _OPERATORS + _FUNCTIONS).split()] + list(_PARTS)
)
_TYPES = frozenset(
    getattr(exp.DataType.Type, name)
    for name in (
        "BOOLEAN TINYINT SMALLINT INT BIGINT FLOAT DOUBLE DECIMAL VARCHAR CHAR TEXT DATE "
        "TIMESTAMP TIMESTAMPNTZ TIMESTAMPTZ INTERVAL"
    ).split()
)
_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?|\.[0-9]+")
_WORD = re.compile(r"[A-Za-z_ ]*")


def check(tree: exp.Expr, engine: Engine, reserved: str) -> None:
    """Refuse a statement with anything that is not known.

    Args:
        tree: as its author wrote it, normalised.
        engine: what will read it.
        reserved: what no name in it may begin with.

    Raises:
        NotExpressible: it has something else; the text says what.
    """
    for node in tree.walk():
        if type(node) not in _NODES:
            raise _refusal(_called(node))
        given = {key for key, value in node.args.items() if value not in (None, [], False)}
        if extra := given - _PARTS.get(type(node), given):
            raise _refusal(f"{_called(node)} with {min(extra).rstrip('_').upper()}")
        _check_texts(node, engine, reserved)


def _check_texts(node: exp.Expr, engine: Engine, reserved: str) -> None:
    match node:
        case exp.Identifier():
            _check_name(node.name, reserved)
        case exp.Literal() if node.is_string:
            engine.text(node.name)
        case exp.Literal() if not _NUMBER.fullmatch(node.name):
            raise _refusal("a number of an unusual form")
        case exp.DataType() if node.this not in _TYPES:
            raise _refusal("a type that is not known here")
        case exp.Table() if not isinstance(node.this, exp.Identifier):
            raise _refusal("a table that is made by a function")
        case exp.Literal():
            pass
        case _:
            if not all(_WORD.fullmatch(text) for text in _texts(node)):
                raise _refusal(_called(node))


def _check_name(name: str, reserved: str) -> None:
    if not name or not is_plain(name):
        raise _refusal("a name with characters that engines quote in different ways")
    if _skeleton(name).startswith(reserved):
        raise _refusal(f"a name that begins with `{reserved}`")


def _skeleton(name: str) -> str:
    """A name as the most forgiving engine might fold it: without case, marks and wide letters."""
    parts = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in parts if not unicodedata.combining(c))


def _texts(node: exp.Expr) -> Iterator[str]:
    """What a node would write as it is."""
    for value in node.args.values():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str):
                yield each


def _called(node: exp.Expr) -> str:
    if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc):
        return f"the function `{str(node.this)[:64]}`"
    return f"`{type(node).__name__}`"


def _refusal(what: str) -> NotExpressible:
    return NotExpressible(
        f"a statement with {what} is not rewritten",
        hint="only what is known to read nothing but the datasets in FROM is; ask it here instead",
    )
