"""Users, revocations, seen principals; the append-only audit log."""

import sqlalchemy as sa
from alembic import op

from privet.store.kinds import COUNT, DOCUMENT, NAME, SERIAL, FreeText, UtcTime

revision = "0001"
down_revision = None

_SQLITE_TRIGGERS = (
    """CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END""",
    """CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'audit events are never deleted'); END""",
    # INSERT OR REPLACE deletes without firing triggers on DELETE.
    """CREATE TRIGGER audit_events_no_replace BEFORE INSERT ON audit_events
    WHEN EXISTS (SELECT 1 FROM audit_events WHERE id = NEW.id OR seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'audit events are never replaced'); END""",
)
_POSTGRES_TRIGGERS = (
    """CREATE FUNCTION audit_events_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'audit events are never changed' USING ERRCODE = '23514'; END$$""",
    """CREATE TRIGGER audit_events_no_change BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION audit_events_refuse()""",
    """CREATE TRIGGER audit_events_no_truncate BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_events_refuse()""",
)


def upgrade() -> None:
    """Create the tables."""
    _create_identity()
    _create_audit()


def _create_identity() -> None:
    op.create_table(
        "users",
        sa.Column("issuer", NAME, nullable=False),
        sa.Column("user", NAME, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("groups", DOCUMENT, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("issuer", "user", name="pk_users"),
    )
    op.create_table(
        "revocations",
        sa.Column("issuer", NAME, nullable=False),
        sa.Column("user", NAME, nullable=False),
        sa.Column("revoked_before", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("issuer", "user", name="pk_revocations"),
    )
    op.create_table(
        "seen_principals",
        sa.Column("issuer", NAME, nullable=False),
        sa.Column("user", NAME, nullable=False),
        sa.Column("groups", DOCUMENT, nullable=False),
        sa.Column("last_seen", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("issuer", "user", name="pk_seen_principals"),
    )


def _create_audit() -> None:
    op.create_table(
        "audit_events",
        sa.Column("seq", SERIAL, primary_key=True, autoincrement=True),
        sa.Column("id", NAME, nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("action", NAME, nullable=False),
        sa.Column("outcome", NAME, nullable=False),
        sa.Column("user", FreeText, nullable=False),
        sa.Column("issuer", FreeText, nullable=False),
        sa.Column("groups", DOCUMENT, nullable=False),
        sa.Column("door", FreeText, nullable=False),
        sa.Column("object", FreeText, nullable=False),
        sa.Column("statement", FreeText, nullable=False),
        sa.Column("bypass", sa.Boolean, nullable=False),
        sa.Column("permissions", DOCUMENT, nullable=False),
        sa.Column("facts_version", COUNT, nullable=False),
        sa.Column("rows_read", COUNT),
        sa.Column("rows_returned", COUNT),
        sa.Column("bytes_returned", COUNT),
        sa.Column("error", FreeText, nullable=False),
        sa.Column("parent", NAME, nullable=False),
        sa.Column("detail", DOCUMENT, nullable=False),
        sa.UniqueConstraint("id", name="uq_audit_events_id"),
        sqlite_autoincrement=True,
    )
    for column in ("at", "user", "object", "parent"):
        op.create_index(f"ix_audit_events_{column}", "audit_events", [column])
    triggers = {"sqlite": _SQLITE_TRIGGERS, "postgresql": _POSTGRES_TRIGGERS}
    for statement in triggers[op.get_bind().dialect.name]:
        op.execute(statement)
