"""Connections to databases."""

import sqlalchemy as sa
from alembic import op

from privet.store.kinds import COUNT, DOCUMENT, NAME, FreeText, UtcTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add their table."""
    op.create_table(
        "data_connections",
        sa.Column("name", NAME, nullable=False),
        sa.Column("driver", NAME, nullable=False),
        sa.Column("host", FreeText, nullable=False),
        sa.Column("port", COUNT, nullable=False),
        sa.Column("user_reference", FreeText, nullable=False),
        sa.Column("password_reference", FreeText, nullable=False),
        sa.Column("default_database", FreeText, nullable=False),
        sa.Column("default_schema", FreeText, nullable=False),
        sa.Column("properties", DOCUMENT, nullable=False),
        sa.Column("created_by", FreeText, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("updated_by", FreeText, nullable=False),
        sa.Column("updated_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_data_connections"),
    )
