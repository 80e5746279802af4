"""What crawls remember, and when they are due; the rest of the tables is in `tables`."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table

from privet.store.kinds import COUNT, DOCUMENT, NAME, FreeText, UtcTime
from privet.store.tables import metadata

# Objects as a crawl last saw them. `change` is how each differs from when `dataset` was last looked
# into; `run` is the last run that saw it.
crawl_objects = Table(
    "crawl_objects",
    metadata,
    Column("crawl", NAME, ForeignKey("crawls.name", ondelete="CASCADE"), primary_key=True),
    Column("uri", NAME, primary_key=True),
    Column("dataset", NAME, nullable=False),
    Column("size", COUNT, nullable=False),
    Column("modified", UtcTime),
    Column("etag", NAME, nullable=False),
    Column("change", NAME, nullable=False),
    Column("run", COUNT, nullable=False),
    Index(None, "crawl", "dataset"),
)

# What looking into a dataset came to.
crawl_datasets = Table(
    "crawl_datasets",
    metadata,
    Column("crawl", NAME, ForeignKey("crawls.name", ondelete="CASCADE"), primary_key=True),
    Column("uri", NAME, primary_key=True),
    Column("digest", NAME, nullable=False),
    Column("found", DOCUMENT, nullable=False),
    Column("shape", DOCUMENT),
    Column("run", COUNT, nullable=False),
)

crawl_schedules = Table(
    "crawl_schedules",
    metadata,
    Column("crawl", NAME, ForeignKey("crawls.name", ondelete="CASCADE"), primary_key=True),
    Column("expression", NAME, nullable=False),
    Column("timezone", NAME, nullable=False),
    Column("next_at", UtcTime, nullable=False),
    Column("last_at", UtcTime),
    Column("last_error", FreeText, nullable=False),
    Column("issuer", NAME, nullable=False),
    Column("user", NAME, nullable=False),
)
