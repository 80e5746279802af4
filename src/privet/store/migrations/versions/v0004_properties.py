"""Properties of databases and datasets."""

import sqlalchemy as sa
from alembic import op

from privet.store.kinds import DOCUMENT

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add a column to both; what is there has none."""
    for table in ("databases", "datasets"):
        column = sa.Column("properties", DOCUMENT, nullable=False, server_default="{}")
        op.add_column(table, column)
