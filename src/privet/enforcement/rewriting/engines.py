"""The engines that decisions are compiled for, and what may be relied on in each.

What is not known to mean the same here and there is not said at all: a comparison that another
engine makes by other rules could let a row through.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect, NormalizationStrategy

from privet.model.errors import InvalidRequest, NotExpressible

_FIRST_PRINTABLE, _DELETE = 0x20, 0x7F
_LAST_CONTROL = 0x9F


@dataclass(frozen=True, slots=True)
class Engine:
    """A dialect of SQL and the meaning of values in it.

    Attributes:
        name: as requests say it.
        dialect: as the parser says it.
        doubles_quotes: whether a quote in a text is written twice, in every setting of the engine.
        compares_text: whether texts are equal if their code points are, and ordered by these.
        orders_nan: whether NaN equals itself and is above every number.
        keeps_moments: whether a point in time without a zone is read as it is written.
        searches_classes: whether its regular expressions know ranges of code points, and a text
            may hold any.
        has_booleans: whether there is a type of truth values.
        collates: whether a comparison can say that it goes by code points.
        reads_paths: whether the name of a table may be a format and the path of a file.
    """

    name: str
    dialect: str
    doubles_quotes: bool = False
    compares_text: bool = False
    orders_nan: bool = False
    keeps_moments: bool = False
    searches_classes: bool = False
    has_booleans: bool = True
    collates: bool = False
    reads_paths: bool = False

    @property
    def folding(self) -> NormalizationStrategy:
        """What becomes of names that are not quoted."""
        return Dialect.get_or_raise(self.dialect).normalization_strategy

    def identifier(self, name: str) -> exp.Identifier:
        """A folded name of the catalog as this engine has it, quoted."""
        if not is_plain(name):
            raise self.refusal("a name", "has characters that engines quote in different ways")
        folded = name.upper() if self.folding is NormalizationStrategy.UPPERCASE else name
        return exp.to_identifier(folded, quoted=True)

    def text(self, value: str) -> exp.Literal:
        """A text that every setting of this engine reads as it is meant."""
        if not is_plain(value, quotes=self.doubles_quotes):
            raise self.refusal(
                "a text", "has a backslash, a quote or a character that is not printed"
            )
        return exp.Literal.string(value)

    def refusal(self, what: str, why: str) -> NotExpressible:
        """That something cannot be said in this engine's SQL with the same meaning."""
        return NotExpressible(
            f"{what} cannot be expressed for `{self.name}`: it {why}",
            hint="read the rows here, by a scan or a query, instead of rewriting it",
        )


def is_plain(text: str, *, quotes: bool = False) -> bool:
    """Whether a text has nothing that some engine might read as more than a character.

    Args:
        text: of a name or a literal.
        quotes: whether single quotes are no such thing.
    """
    return not any(
        ord(c) < _FIRST_PRINTABLE
        or _DELETE <= ord(c) <= _LAST_CONTROL
        or c in '\\`"\u2028\u2029\ufeff'
        or (c == "'" and not quotes)
        for c in text
    )


_SPARK = {"compares_text": True, "orders_nan": True, "reads_paths": True}
_PRESTO = {"doubles_quotes": True, "compares_text": True}
_ENGINES: Mapping[str, Engine] = {
    engine.name: engine
    for engine in (
        Engine(
            "duckdb",
            "duckdb",
            doubles_quotes=True,
            compares_text=True,
            orders_nan=True,
            keeps_moments=True,
            searches_classes=True,
        ),
        Engine(
            "postgres",
            "postgres",
            doubles_quotes=True,
            compares_text=True,
            orders_nan=True,
            keeps_moments=True,
            searches_classes=True,
            collates=True,
        ),
        Engine("spark", "spark", **_SPARK),
        Engine("databricks", "databricks", **_SPARK),
        Engine("hive", "hive", compares_text=True),
        Engine("impala", "hive", compares_text=True),
        Engine("presto", "presto", **_PRESTO),
        Engine("trino", "trino", **_PRESTO),
        Engine("athena", "athena", **_PRESTO),
        Engine("snowflake", "snowflake", compares_text=True, orders_nan=True),
        Engine("bigquery", "bigquery", compares_text=True),
        Engine("redshift", "redshift"),
        Engine("mysql", "mysql", has_booleans=False),
        Engine("dremio", "dremio", doubles_quotes=True),
    )
}


def get_engine(name: str) -> Engine:
    """The engine of a name.

    Raises:
        InvalidRequest: there is none.
    """
    engine = _ENGINES.get(name)
    if engine is None:
        raise InvalidRequest(
            f"`{name[:64]}` is no engine that statements are rewritten for",
            hint=f"one of {', '.join(_ENGINES)}",
        )
    return engine


def list_engines() -> tuple[str, ...]:
    """The names of all engines."""
    return tuple(_ENGINES)
