"""Rules by which stewards have tags proposed. Built-in rules live with the classifier."""

from __future__ import annotations

from sqlalchemy import Engine, delete, insert, select

from privet.catalog.tags import require_tags
from privet.catalog.versions import Clock, changing
from privet.model.datasets import Rule, RuleTarget
from privet.model.errors import Conflict, NotFound
from privet.model.names import TagName
from privet.store import reading
from privet.store.tables import rules


class Rules:
    """The rules of a catalog. Every method raises StoreUnavailable when the store fails."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def create(self, rule: Rule, *, by: str) -> Rule:
        """Add a rule, whose pattern has been checked.

        Raises:
            Conflict: there is one of that name.
            UnknownName: its tag does not exist.
        """
        with changing(self._engine) as connection:
            if connection.execute(select(rules.c.name).filter_by(name=rule.name)).first():
                raise Conflict(f"rule `{rule.name}` already exists")
            require_tags(connection, {rule.tag})
            connection.execute(
                insert(rules).values(
                    name=rule.name,
                    **rule.tag._asdict(),
                    pattern=rule.pattern,
                    targets=sorted(target.value for target in rule.targets),
                    match_rate=rule.match_rate,
                    min_rows=rule.min_rows,
                    check=rule.check,
                    builtin=rule.builtin,
                    description=rule.description,
                    created_by=by,
                    created_at=self._clock(),
                )
            )
        return rule

    def drop(self, name: str) -> None:
        """Remove a rule. The tags that it proposed stay where they were accepted.

        Raises:
            NotFound: there is none of that name.
        """
        with changing(self._engine) as connection:
            if not connection.execute(delete(rules).filter_by(name=name)).rowcount:
                raise NotFound(f"rule `{name}` does not exist")

    def list(self) -> tuple[Rule, ...]:
        """All stored rules by name."""
        with reading(self._engine) as connection:
            return tuple(
                Rule(
                    name=row.name,
                    tag=TagName(row.namespace, row.key),
                    pattern=row.pattern,
                    targets=frozenset(RuleTarget(target) for target in row.targets),
                    match_rate=row.match_rate,
                    min_rows=row.min_rows,
                    check=row.check,
                    builtin=row.builtin,
                    description=row.description,
                )
                for row in connection.execute(select(rules).order_by(rules.c.name))
            )
