"""Every table of the rooms that persist. Migrations create them; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    MetaData,
    Table,
    Text,
)

from privet.store.kinds import COUNT, DOCUMENT, NAME, SERIAL, FreeText, UtcTime

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

# Identity

users = Table(
    "users",
    metadata,
    Column("issuer", NAME, primary_key=True),
    Column("user", NAME, primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("groups", DOCUMENT, nullable=False),
    Column("disabled", Boolean, nullable=False, default=False),
    Column("created_at", UtcTime, nullable=False),
)

revocations = Table(
    "revocations",
    metadata,
    Column("issuer", NAME, primary_key=True),
    Column("user", NAME, primary_key=True),
    Column("revoked_before", UtcTime, nullable=False),
)

seen_principals = Table(
    "seen_principals",
    metadata,
    Column("issuer", NAME, primary_key=True),
    Column("user", NAME, primary_key=True),
    Column("groups", DOCUMENT, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
)

# Audit: rows are only ever added; triggers of the migration refuse everything else.

audit_events = Table(
    "audit_events",
    metadata,
    Column("seq", SERIAL, primary_key=True, autoincrement=True),
    Column("id", NAME, nullable=False, unique=True),
    Column("at", UtcTime, nullable=False, index=True),
    Column("action", NAME, nullable=False),
    Column("outcome", NAME, nullable=False),
    Column("user", FreeText, nullable=False, index=True),
    Column("issuer", FreeText, nullable=False),
    Column("groups", DOCUMENT, nullable=False),
    Column("door", FreeText, nullable=False),
    Column("object", FreeText, nullable=False, index=True),
    Column("statement", FreeText, nullable=False),
    Column("bypass", Boolean, nullable=False),
    Column("permissions", DOCUMENT, nullable=False),
    Column("facts_version", COUNT, nullable=False),
    Column("rows_read", COUNT),
    Column("rows_returned", COUNT),
    Column("bytes_returned", COUNT),
    Column("error", FreeText, nullable=False),
    Column("parent", NAME, nullable=False, index=True),
    Column("detail", DOCUMENT, nullable=False),
    sqlite_autoincrement=True,
)
