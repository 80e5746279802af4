"""Small texts that clients keep by key, each principal's own."""

import sqlalchemy as sa
from alembic import op

from privet.store.kinds import NAME, FreeText, UtcTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add their table."""
    op.create_table(
        "notes",
        sa.Column("issuer", NAME, nullable=False),
        sa.Column("user", NAME, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("value", FreeText, nullable=False),
        sa.Column("updated_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("issuer", "user", "key", name="pk_notes"),
    )
