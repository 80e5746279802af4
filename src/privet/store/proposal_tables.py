"""What rules propose and what people rejected; the rest of the tables is in `tables`."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table

from privet.store.kinds import DOCUMENT, NAME, FreeText, UtcTime
from privet.store.tables import metadata

# Proposals that nobody has answered yet; `rules` is a digest of the rules that made them.
tag_proposals = Table(
    "tag_proposals",
    metadata,
    Column("dataset", NAME, ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True),
    Column("path", NAME, primary_key=True),
    Column("namespace", NAME, primary_key=True),
    Column("key", NAME, primary_key=True),
    Column("evidence", DOCUMENT, nullable=False),
    Column("rules", NAME, nullable=False),
    Column("at", UtcTime, nullable=False),
)

# By path, not by dataset: what was rejected stays rejected when the files are registered again.
tag_rejections = Table(
    "tag_rejections",
    metadata,
    Column("uri", NAME, primary_key=True),
    Column("path", NAME, primary_key=True),
    Column("namespace", NAME, primary_key=True),
    Column("key", NAME, primary_key=True),
    Column("column", DOCUMENT, nullable=False),
    Column("evidence", DOCUMENT, nullable=False),
    Column("created_by", FreeText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)
