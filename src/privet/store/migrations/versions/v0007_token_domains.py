"""Token domains as objects: the tags they serve, expulsions, profiles, jobs and budgets."""

import sqlalchemy as sa
from alembic import op

from privet.store.kinds import COUNT, DOCUMENT, NAME, FreeText, UtcTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the columns and tables; domains stay the default ones of their tags."""
    op.add_column("token_domains", sa.Column("tags", DOCUMENT, nullable=False, server_default="[]"))
    op.add_column("token_domains", sa.Column("rotated_at", UtcTime))
    op.add_column("token_domains", sa.Column("retired_at", UtcTime))
    _tables_of_domains()
    _tables_of_use()


def _tables_of_domains() -> None:
    op.create_table(
        "domain_expulsions",
        sa.Column("domain", NAME, nullable=False),
        sa.Column("uri", NAME, nullable=False),
        sa.ForeignKeyConstraint(
            ["domain"], ["token_domains.name"], name="fk_domain_expulsions_domain"
        ),
        sa.PrimaryKeyConstraint("domain", "uri", name="pk_domain_expulsions"),
    )
    op.create_table(
        "column_profiles",
        sa.Column("dataset", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("sampled", COUNT, nullable=False),
        sa.Column("small", COUNT, nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset"], ["datasets.id"], name="fk_column_profiles_dataset", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("dataset", "name", name="pk_column_profiles"),
    )


def _tables_of_use() -> None:
    op.create_table(
        "token_jobs",
        sa.Column("id", NAME, nullable=False),
        sa.Column("domain", NAME, nullable=False),
        sa.Column("from_version", COUNT, nullable=False),
        sa.Column("to_version", COUNT, nullable=False),
        sa.Column("status", NAME, nullable=False),
        sa.Column("datasets", COUNT, nullable=False),
        sa.Column("datasets_done", COUNT, nullable=False),
        sa.Column("rows_read", COUNT, nullable=False),
        sa.Column("pairs", COUNT, nullable=False),
        sa.Column("file", FreeText, nullable=False),
        sa.Column("error", FreeText, nullable=False),
        sa.Column("created_by", FreeText, nullable=False),
        sa.Column("started_at", UtcTime, nullable=False),
        sa.Column("finished_at", UtcTime),
        sa.ForeignKeyConstraint(["domain"], ["token_domains.name"], name="fk_token_jobs_domain"),
        sa.PrimaryKeyConstraint("id", name="pk_token_jobs"),
    )
    op.create_table(
        "detokenized",
        sa.Column("issuer", NAME, nullable=False),
        sa.Column("user", NAME, nullable=False),
        sa.Column("since", UtcTime, nullable=False),
        sa.Column("values", COUNT, nullable=False),
        sa.PrimaryKeyConstraint("issuer", "user", name="pk_detokenized"),
    )
