"""Which facts each version of the catalog changed, written down by triggers.

Triggers, so that no code can change a fact and leave that out. A table that facts are read from
has to have them; `catalog_changes` says what its rows mean.
"""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from privet.store.kinds import COUNT, NAME

revision = "0006"
down_revision = "0005"

_INTO = 'INSERT INTO catalog_changes (version, kind, "database", name)'
_OF_DATASETS = """SELECT v.version, 'dataset', d."database", d.name
    FROM catalog_version v, datasets d"""
_CHANGES = {
    "datasets": """SELECT v.version, 'dataset', {row}."database", {row}.name
        FROM catalog_version v WHERE true""",
    "dataset_columns": f"{_OF_DATASETS} WHERE d.id = {{row}}.dataset",
    "domain_datasets": f"{_OF_DATASETS} WHERE d.id = {{row}}.dataset",
    "token_domains": f"""{_OF_DATASETS}, domain_datasets m
        WHERE m.domain = {{row}}.name AND d.id = m.dataset""",
    "tag_assignments": """SELECT v.version, 'dataset', {row}."database", {row}.dataset
        FROM catalog_version v WHERE true""",
    "permissions": """SELECT v.version, 'role', '', {row}.role
        FROM catalog_version v WHERE true""",
    "role_groups": """SELECT v.version, 'groups', '', ''
        FROM catalog_version v WHERE true""",
}
# Whoever is more than a thousand versions behind reads everything anew.
_FORGET = """DELETE FROM catalog_changes
    WHERE version >= NEW.version OR version < NEW.version - 1000"""
_BEGIN = f"{_INTO} VALUES (NEW.version, 'version', '', OLD.stamp)"


def upgrade() -> None:
    """Create the table and what fills it."""
    op.create_table(
        "catalog_changes",
        sa.Column("version", COUNT, autoincrement=False, nullable=False),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("database", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.PrimaryKeyConstraint("version", "kind", "database", "name", name="pk_catalog_changes"),
    )
    triggers = {"sqlite": _sqlite, "postgresql": _postgres}[op.get_bind().dialect.name]
    for statement in triggers():
        op.execute(statement)


def _insert(table: str, row: str) -> str:
    return f"{_INTO} {_CHANGES[table].format(row=row)} ON CONFLICT DO NOTHING"


def _sqlite() -> Iterator[str]:
    yield f"""CREATE TRIGGER catalog_version_changed AFTER UPDATE ON catalog_version
        BEGIN {_FORGET}; {_BEGIN}; END"""
    for table in _CHANGES:
        for event, rows in (("INSERT", "NEW"), ("UPDATE", "OLD NEW"), ("DELETE", "OLD")):
            noted = "; ".join(_insert(table, row) for row in rows.split())
            yield f"""CREATE TRIGGER {table}_{event.lower()}_changed AFTER {event} ON {table}
                BEGIN {noted}; END"""


def _postgres() -> Iterator[str]:
    yield from _postgres_trigger("catalog_version", "UPDATE", f"{_FORGET}; {_BEGIN};")
    for table in _CHANGES:
        noted = f"""IF TG_OP <> 'INSERT' THEN {_insert(table, "OLD")}; END IF;
            IF TG_OP <> 'DELETE' THEN {_insert(table, "NEW")}; END IF;"""
        yield from _postgres_trigger(table, "INSERT OR UPDATE OR DELETE", noted)


def _postgres_trigger(table: str, events: str, body: str) -> Iterator[str]:
    yield f"""CREATE FUNCTION {table}_changed() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN {body} RETURN NULL; END$$"""
    yield f"""CREATE TRIGGER {table}_changed AFTER {events} ON {table}
        FOR EACH ROW EXECUTE FUNCTION {table}_changed()"""
