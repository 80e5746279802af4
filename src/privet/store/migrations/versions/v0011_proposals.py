"""What rules propose for registered datasets, and what people rejected."""

import sqlalchemy as sa
from alembic import op

from privet.store.kinds import DOCUMENT, NAME, FreeText, UtcTime

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "tag_proposals",
        sa.Column("dataset", NAME, nullable=False),
        sa.Column("path", NAME, nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("evidence", DOCUMENT, nullable=False),
        sa.Column("rules", NAME, nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset"], ["datasets.id"], name="fk_tag_proposals_dataset", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("dataset", "path", "namespace", "key", name="pk_tag_proposals"),
    )
    op.create_table(
        "tag_rejections",
        sa.Column("uri", NAME, nullable=False),
        sa.Column("path", NAME, nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("column", DOCUMENT, nullable=False),
        sa.Column("evidence", DOCUMENT, nullable=False),
        sa.Column("created_by", FreeText, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("uri", "path", "namespace", "key", name="pk_tag_rejections"),
    )
