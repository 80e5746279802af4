"""Groups of seen principals that their credentials left out."""

import sqlalchemy as sa
from alembic import op

from privet.store.kinds import DOCUMENT

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add a column; of those seen so far none are known."""
    column = sa.Column("other_groups", DOCUMENT, nullable=False, server_default="[]")
    op.add_column("seen_principals", column)
