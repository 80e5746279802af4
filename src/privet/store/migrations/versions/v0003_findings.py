"""What crawls find at the paths of datasets that differs from what was reviewed."""

import sqlalchemy as sa
from alembic import op

from privet.store.kinds import DOCUMENT, NAME, UtcTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "findings",
        sa.Column("dataset", NAME, nullable=False),
        sa.Column("crawl", NAME, nullable=False),
        sa.Column("found", DOCUMENT, nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset"], ["datasets.id"], name="fk_findings_dataset", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("dataset", name="pk_findings"),
    )
