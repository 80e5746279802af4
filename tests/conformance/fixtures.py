"""What the original client's tests read, made up here: as files below folders that are buckets."""

from __future__ import annotations

from pathlib import Path

from conformance import crawled, lake
from privet.model.datasets import Rule, RuleTarget
from privet.model.errors import PrivetError
from privet.model.names import TagName
from privet.model.principals import NamedUser
from privet.service import Caller, Services

BUCKETS = (
    "cerebrodata-test",
    "cerebro-datasets",
    "cerebro-customers",
    "okera-ui",
    "okera-demo",
    "okera-datalake",
    "cerebro-test-kevin",
    "cerebro-test-itay",
    "sample-data",
    "local-files",
)


_CARD = Rule(
    "card by comment",
    TagName("pii", "credit_card_number"),
    "(?i)credit card number",
    frozenset({RuleTarget.COLUMN_COMMENT}),
)
"""The rule with which the original is started for its tests of crawlers."""


def write_lake(folder: Path) -> None:
    """Write every file that is looked at."""
    for bucket in BUCKETS:
        (folder / bucket).mkdir(parents=True, exist_ok=True)
    lake.write(folder)
    crawled.write(folder)


def define(offered: Services) -> None:
    """Register them, and grant what is granted to begin with."""
    admin = Caller(NamedUser(""), "conformance")
    for statement in lake.STATEMENTS:
        try:
            offered.statements.execute(admin, statement)
        except PrivetError as error:
            error.message += f" [{statement}]"
            raise
    offered.tags.create(admin, _CARD.tag)
    offered.tags.create_rule(admin, _CARD)
