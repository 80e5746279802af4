"""Which events somebody may read."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, false, or_

from privet.model.events import Event
from privet.store.tables import audit_events as table

_OF_DATA = (
    *("database.", "dataset.", "table.", "view.", "scan.", "query.", "permission."),
    *("tag.assign", "tag.unassign", "tag.release", "token.risk", "explain"),
)
# What a permission on the whole catalog is on is written as a database of that name would be.
_NO_DATABASE = "catalog"


@dataclass(frozen=True, slots=True)
class Reach:
    """The events that somebody may read: their own, and those about what is in some databases."""

    user: str
    databases: frozenset[str] = frozenset()

    def about(self, event: Event) -> bool:
        """Whether an event is about what is in one of the databases."""
        inside = event.object.partition(".")[0] in self.databases - {_NO_DATABASE}
        return inside and event.action.startswith(_OF_DATA)

    def condition(self) -> ColumnElement[bool]:
        """The same, or of the user's own, as the database tells it."""
        of_data = or_(*(table.c.action.startswith(noun, autoescape=True) for noun in _OF_DATA))
        within = [
            or_(table.c.object == name, table.c.object.startswith(f"{name}.", autoescape=True))
            for name in sorted(self.databases - {_NO_DATABASE})
        ]
        return or_(table.c.user == self.user, and_(of_data, or_(false(), *within)))
