"""The catalog: databases, tags, rules, roles, permissions, datasets, crawls."""

import sqlalchemy as sa
from alembic import op

from privet.store.kinds import COUNT, DOCUMENT, NAME, FreeText, UtcTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables, and the version that every change of the catalog counts up."""
    _create_words()
    _create_policy()
    _create_datasets()
    _create_governance()
    op.execute("INSERT INTO catalog_version (id, version, stamp) VALUES (1, 1, 'new')")


def _create_words() -> None:
    op.create_table(
        "catalog_version",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", COUNT, nullable=False),
        sa.Column("stamp", NAME, nullable=False),
        sa.CheckConstraint("id = 1", name="ck_catalog_version_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_catalog_version"),
    )
    op.create_table(
        "tags",
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("description", FreeText, nullable=False),
        sa.Column("builtin", sa.Boolean(), nullable=False),
        sa.Column("created_by", FreeText, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("namespace", "key", name="pk_tags"),
    )
    op.create_table(
        "rules",
        sa.Column("name", NAME, nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("targets", DOCUMENT, nullable=False),
        sa.Column("match_rate", sa.Double(), nullable=False),
        sa.Column("min_rows", COUNT, nullable=False),
        sa.Column("check", NAME, nullable=False),
        sa.Column("builtin", sa.Boolean(), nullable=False),
        sa.Column("description", FreeText, nullable=False),
        sa.Column("created_by", FreeText, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.ForeignKeyConstraint(
            ["namespace", "key"], ["tags.namespace", "tags.key"], name="fk_rules_namespace_key"
        ),
        sa.PrimaryKeyConstraint("name", name="pk_rules"),
    )


def _create_policy() -> None:
    op.create_table(
        "roles",
        sa.Column("name", NAME, nullable=False),
        sa.Column("builtin", sa.Boolean(), nullable=False),
        sa.Column("created_by", FreeText, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_roles"),
    )
    op.create_table(
        "role_groups",
        sa.Column("issuer", NAME, nullable=False),
        sa.Column("group", NAME, nullable=False),
        sa.Column("role", NAME, nullable=False),
        sa.ForeignKeyConstraint(["role"], ["roles.name"], name="fk_role_groups_role"),
        sa.PrimaryKeyConstraint("issuer", "group", "role", name="pk_role_groups"),
    )
    op.create_table(
        "permissions",
        sa.Column("id", NAME, nullable=False),
        sa.Column("role", NAME, nullable=False),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("database", NAME, nullable=False),
        sa.Column("dataset", NAME, nullable=False),
        sa.Column("digest", NAME, nullable=False),
        sa.Column("document", DOCUMENT, nullable=False),
        sa.Column("created_by", FreeText, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.ForeignKeyConstraint(["role"], ["roles.name"], name="fk_permissions_role"),
        sa.PrimaryKeyConstraint("id", name="pk_permissions"),
        sa.UniqueConstraint("digest", name="uq_permissions_digest"),
    )
    op.create_index(
        "ix_permissions_role_kind_database_dataset",
        "permissions",
        ["role", "kind", "database", "dataset"],
        unique=False,
    )
    op.create_table(
        "permission_tags",
        sa.Column("permission", NAME, nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.ForeignKeyConstraint(
            ["namespace", "key"],
            ["tags.namespace", "tags.key"],
            name="fk_permission_tags_namespace_key",
        ),
        sa.ForeignKeyConstraint(
            ["permission"],
            ["permissions.id"],
            name="fk_permission_tags_permission",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("permission", "namespace", "key", name="pk_permission_tags"),
    )
    op.create_index(
        "ix_permission_tags_namespace_key", "permission_tags", ["namespace", "key"], unique=False
    )


def _create_datasets() -> None:
    op.create_table(
        "databases",
        sa.Column("name", NAME, nullable=False),
        sa.Column("description", FreeText, nullable=False),
        sa.Column("created_by", FreeText, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_databases"),
    )
    op.create_table(
        "datasets",
        sa.Column("id", NAME, nullable=False),
        sa.Column("database", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("uri", NAME, nullable=False),
        sa.Column("format", NAME, nullable=False),
        sa.Column("options", DOCUMENT, nullable=False),
        sa.Column("partitions", DOCUMENT, nullable=False),
        sa.Column("types", sa.LargeBinary(), nullable=False),
        sa.Column("description", FreeText, nullable=False),
        sa.Column("owner", FreeText, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("revision", COUNT, nullable=False),
        sa.ForeignKeyConstraint(["database"], ["databases.name"], name="fk_datasets_database"),
        sa.PrimaryKeyConstraint("id", name="pk_datasets"),
        sa.UniqueConstraint("database", "name", name="uq_datasets_database_name"),
        sa.UniqueConstraint("uri", name="uq_datasets_uri"),
    )
    op.create_table(
        "dataset_columns",
        sa.Column("dataset", NAME, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("source_name", DOCUMENT, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("comment", FreeText, nullable=False),
        sa.Column("reviewed", sa.Boolean(), nullable=False),
        sa.Column("partition", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset"], ["datasets.id"], name="fk_dataset_columns_dataset", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("dataset", "position", name="pk_dataset_columns"),
        sa.UniqueConstraint("dataset", "name", name="uq_dataset_columns_dataset_name"),
    )


def _create_governance() -> None:
    op.create_table(
        "tag_assignments",
        sa.Column("database", NAME, nullable=False),
        sa.Column("dataset", NAME, nullable=False),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("path", NAME, nullable=False),
        sa.Column("namespace", NAME, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("origin", NAME, nullable=False),
        sa.Column("evidence", DOCUMENT, nullable=False),
        sa.Column("created_by", FreeText, nullable=False),
        sa.ForeignKeyConstraint(
            ["namespace", "key"],
            ["tags.namespace", "tags.key"],
            name="fk_tag_assignments_namespace_key",
        ),
        sa.PrimaryKeyConstraint(
            "database", "dataset", "kind", "path", "namespace", "key", name="pk_tag_assignments"
        ),
    )
    op.create_index(
        "ix_tag_assignments_namespace_key", "tag_assignments", ["namespace", "key"], unique=False
    )
    op.create_table(
        "token_domains",
        sa.Column("name", NAME, nullable=False),
        sa.Column("canonical", NAME, nullable=False),
        sa.Column("version", COUNT, nullable=False),
        sa.Column("purpose", FreeText, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_token_domains"),
    )
    op.create_table(
        "domain_datasets",
        sa.Column("dataset", NAME, nullable=False),
        sa.Column("domain", NAME, nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset"], ["datasets.id"], name="fk_domain_datasets_dataset", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["domain"], ["token_domains.name"], name="fk_domain_datasets_domain"
        ),
        sa.PrimaryKeyConstraint("dataset", "domain", name="pk_domain_datasets"),
    )
    op.create_table(
        "crawls",
        sa.Column("name", NAME, nullable=False),
        sa.Column("uri", NAME, nullable=False),
        sa.Column("status", NAME, nullable=False),
        sa.Column("objects_seen", COUNT, nullable=False),
        sa.Column("datasets_found", COUNT, nullable=False),
        sa.Column("found", DOCUMENT, nullable=False),
        sa.Column("error", FreeText, nullable=False),
        sa.Column("started_at", UtcTime, nullable=False),
        sa.Column("finished_at", UtcTime, nullable=True),
        sa.Column("created_by", FreeText, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_crawls"),
    )
