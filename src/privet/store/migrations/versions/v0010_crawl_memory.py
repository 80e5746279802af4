"""What crawls remember of objects and datasets, their schedules, and who runs them."""

import sqlalchemy as sa
from alembic import op

from privet.store.kinds import COUNT, DOCUMENT, NAME, FreeText, UtcTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the tables, and columns to crawls."""
    op.add_column("crawls", sa.Column("issuer", FreeText, nullable=False, server_default=""))
    op.add_column("crawls", sa.Column("report", DOCUMENT, nullable=False, server_default="{}"))
    op.add_column("crawls", sa.Column("run", COUNT, nullable=False, server_default="1"))
    op.add_column("crawls", sa.Column("leased_until", UtcTime))
    op.create_table(
        "crawl_objects",
        sa.Column("crawl", NAME, nullable=False),
        sa.Column("uri", NAME, nullable=False),
        sa.Column("dataset", NAME, nullable=False),
        sa.Column("size", COUNT, nullable=False),
        sa.Column("modified", UtcTime),
        sa.Column("etag", NAME, nullable=False),
        sa.Column("change", NAME, nullable=False),
        sa.Column("run", COUNT, nullable=False),
        sa.PrimaryKeyConstraint("crawl", "uri", name="pk_crawl_objects"),
        _of_crawl("crawl_objects"),
    )
    op.create_index("ix_crawl_objects_crawl_dataset", "crawl_objects", ["crawl", "dataset"])
    op.create_table(
        "crawl_datasets",
        sa.Column("crawl", NAME, nullable=False),
        sa.Column("uri", NAME, nullable=False),
        sa.Column("digest", NAME, nullable=False),
        sa.Column("found", DOCUMENT, nullable=False),
        sa.Column("shape", DOCUMENT),
        sa.Column("run", COUNT, nullable=False),
        sa.PrimaryKeyConstraint("crawl", "uri", name="pk_crawl_datasets"),
        _of_crawl("crawl_datasets"),
    )
    op.create_table(
        "crawl_schedules",
        sa.Column("crawl", NAME, nullable=False),
        sa.Column("expression", NAME, nullable=False),
        sa.Column("timezone", NAME, nullable=False),
        sa.Column("next_at", UtcTime, nullable=False),
        sa.Column("last_at", UtcTime),
        sa.Column("last_error", FreeText, nullable=False),
        sa.Column("issuer", NAME, nullable=False),
        sa.Column("user", NAME, nullable=False),
        sa.PrimaryKeyConstraint("crawl", name="pk_crawl_schedules"),
        _of_crawl("crawl_schedules"),
    )


def _of_crawl(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["crawl"], ["crawls.name"], name=f"fk_{table}_crawl", ondelete="CASCADE"
    )
