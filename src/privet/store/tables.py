"""Every table of the rooms that persist. Migrations create them; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
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
    Column("other_groups", DOCUMENT, nullable=False, server_default="[]"),
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

# Catalog

catalog_version = Table(
    "catalog_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", COUNT, nullable=False),
    Column("stamp", NAME, nullable=False),
    CheckConstraint("id = 1", name="ck_catalog_version_one_row"),
)

# Which facts a version changed, as triggers of the migrations note it. By `kind`: `version`: it was
# made from the one whose stamp is `name`; `dataset`: of that name, all of the database if it is
# empty; `role`: permissions of that role; `groups`: who holds roles.
catalog_changes = Table(
    "catalog_changes",
    metadata,
    Column("version", COUNT, primary_key=True, autoincrement=False),
    Column("kind", NAME, primary_key=True),
    Column("database", NAME, primary_key=True),
    Column("name", NAME, primary_key=True),
)

databases = Table(
    "databases",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("description", FreeText, nullable=False),
    Column("properties", DOCUMENT, nullable=False, server_default="{}"),
    Column("created_by", FreeText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

tags = Table(
    "tags",
    metadata,
    Column("namespace", NAME, primary_key=True),
    Column("key", NAME, primary_key=True),
    Column("description", FreeText, nullable=False),
    Column("builtin", Boolean, nullable=False),
    Column("created_by", FreeText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

rules = Table(
    "rules",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("namespace", NAME, nullable=False),
    Column("key", NAME, nullable=False),
    Column("pattern", Text, nullable=False),
    Column("targets", DOCUMENT, nullable=False),
    Column("match_rate", Double, nullable=False),
    Column("min_rows", COUNT, nullable=False),
    Column("check", NAME, nullable=False),
    Column("builtin", Boolean, nullable=False),
    Column("description", FreeText, nullable=False),
    Column("created_by", FreeText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    ForeignKeyConstraint(["namespace", "key"], ["tags.namespace", "tags.key"]),
)

roles = Table(
    "roles",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("builtin", Boolean, nullable=False),
    Column("created_by", FreeText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

role_groups = Table(
    "role_groups",
    metadata,
    Column("issuer", NAME, primary_key=True),
    Column("group", NAME, primary_key=True),
    Column("role", NAME, ForeignKey("roles.name"), primary_key=True),
)

# The scope holds names, not references: a permission outlives what it is on.
permissions = Table(
    "permissions",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("role", NAME, ForeignKey("roles.name"), nullable=False),
    Column("kind", NAME, nullable=False),
    Column("database", NAME, nullable=False),
    Column("dataset", NAME, nullable=False),
    Column("digest", NAME, nullable=False, unique=True),
    Column("document", DOCUMENT, nullable=False),
    Column("created_by", FreeText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "role", "kind", "database", "dataset"),
)

permission_tags = Table(
    "permission_tags",
    metadata,
    Column("permission", NAME, ForeignKey("permissions.id", ondelete="CASCADE"), primary_key=True),
    Column("namespace", NAME, primary_key=True),
    Column("key", NAME, primary_key=True),
    ForeignKeyConstraint(["namespace", "key"], ["tags.namespace", "tags.key"]),
    Index(None, "namespace", "key"),
)

datasets = Table(
    "datasets",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("database", NAME, ForeignKey("databases.name"), nullable=False),
    Column("name", NAME, nullable=False),
    Column("uri", NAME, nullable=False, unique=True),
    Column("format", NAME, nullable=False),
    Column("options", DOCUMENT, nullable=False),
    Column("partitions", DOCUMENT, nullable=False),
    # The columns' Arrow types, in the order of their positions, as a schema in IPC form.
    Column("types", LargeBinary, nullable=False),
    Column("description", FreeText, nullable=False),
    Column("properties", DOCUMENT, nullable=False, server_default="{}"),
    Column("owner", FreeText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("revision", COUNT, nullable=False),
    UniqueConstraint("database", "name"),
)

dataset_columns = Table(
    "dataset_columns",
    metadata,
    Column("dataset", NAME, ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", NAME, nullable=False),
    # A document, so that any name of a source comes back as it was.
    Column("source_name", DOCUMENT, nullable=False),
    # For people who look into the table; `datasets.types` is what is read.
    Column("type", Text, nullable=False),
    Column("comment", FreeText, nullable=False),
    Column("reviewed", Boolean, nullable=False),
    Column("partition", Boolean, nullable=False),
    UniqueConstraint("dataset", "name"),
)

# What a tag is on: `kind` is `database`, `dataset` or `field`; unused names are empty, and `path`
# is the field's path as a JSON array, `[]` for the other kinds.
tag_assignments = Table(
    "tag_assignments",
    metadata,
    Column("database", NAME, primary_key=True),
    Column("dataset", NAME, primary_key=True),
    Column("kind", NAME, primary_key=True),
    Column("path", NAME, primary_key=True),
    Column("namespace", NAME, primary_key=True),
    Column("key", NAME, primary_key=True),
    Column("origin", NAME, nullable=False),
    Column("evidence", DOCUMENT, nullable=False),
    Column("created_by", FreeText, nullable=False),
    ForeignKeyConstraint(["namespace", "key"], ["tags.namespace", "tags.key"]),
    Index(None, "namespace", "key"),
)

token_domains = Table(
    "token_domains",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("canonical", NAME, nullable=False),
    Column("version", COUNT, nullable=False),
    Column("purpose", FreeText, nullable=False),
    # The tags that it serves, as texts; none where it is the default domain of the tag of its name.
    Column("tags", DOCUMENT, nullable=False, server_default="[]"),
    Column("rotated_at", UtcTime),
    Column("retired_at", UtcTime),
)

domain_datasets = Table(
    "domain_datasets",
    metadata,
    Column("dataset", NAME, ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True),
    Column("domain", NAME, ForeignKey("token_domains.name"), primary_key=True),
)

# By path, not by dataset: who registers the same files again does not come back in.
domain_expulsions = Table(
    "domain_expulsions",
    metadata,
    Column("domain", NAME, ForeignKey("token_domains.name"), primary_key=True),
    Column("uri", NAME, primary_key=True),
)

# How many of the sampled cells of a column are of formats with few values.
column_profiles = Table(
    "column_profiles",
    metadata,
    Column("dataset", NAME, ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True),
    Column("name", NAME, primary_key=True),
    Column("sampled", COUNT, nullable=False),
    Column("small", COUNT, nullable=False),
)

# Jobs that write maps from the tokens of one key version to those of the next.
token_jobs = Table(
    "token_jobs",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("domain", NAME, ForeignKey("token_domains.name"), nullable=False),
    Column("from_version", COUNT, nullable=False),
    Column("to_version", COUNT, nullable=False),
    Column("status", NAME, nullable=False),
    Column("datasets", COUNT, nullable=False),
    Column("datasets_done", COUNT, nullable=False),
    Column("rows_read", COUNT, nullable=False),
    Column("pairs", COUNT, nullable=False),
    Column("file", FreeText, nullable=False),
    Column("error", FreeText, nullable=False),
    Column("created_by", FreeText, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
)

# What somebody had turned back since a moment; all servers over one store count together.
detokenized = Table(
    "detokenized",
    metadata,
    Column("issuer", NAME, primary_key=True),
    Column("user", NAME, primary_key=True),
    Column("since", UtcTime, nullable=False),
    Column("values", COUNT, nullable=False),
)

crawls = Table(
    "crawls",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("uri", NAME, nullable=False),
    Column("status", NAME, nullable=False),
    Column("objects_seen", COUNT, nullable=False),
    Column("datasets_found", COUNT, nullable=False),
    Column("found", DOCUMENT, nullable=False),
    Column("error", FreeText, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("created_by", FreeText, nullable=False),
    Column("issuer", FreeText, nullable=False, server_default=""),
    Column("report", DOCUMENT, nullable=False, server_default="{}"),
    Column("run", COUNT, nullable=False, server_default="1"),
    # Until when the server that runs it has promised to have done something for it.
    Column("leased_until", UtcTime),
)

# What the last crawl found at a dataset's path, where that is not what was reviewed.
findings = Table(
    "findings",
    metadata,
    Column("dataset", NAME, ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True),
    Column("crawl", NAME, nullable=False),
    Column("found", DOCUMENT, nullable=False),
    Column("at", UtcTime, nullable=False),
)

# How databases are reached. Secrets are references, which the settings of a server resolve.
data_connections = Table(
    "data_connections",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("driver", NAME, nullable=False),
    Column("host", FreeText, nullable=False),
    Column("port", COUNT, nullable=False),
    Column("user_reference", FreeText, nullable=False),
    Column("password_reference", FreeText, nullable=False),
    Column("default_database", FreeText, nullable=False),
    Column("default_schema", FreeText, nullable=False),
    Column("properties", DOCUMENT, nullable=False),
    Column("created_by", FreeText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_by", FreeText, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
)

notes = Table(
    "notes",
    metadata,
    Column("issuer", NAME, primary_key=True),
    Column("user", NAME, primary_key=True),
    Column("key", NAME, primary_key=True),
    Column("value", FreeText, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
)
