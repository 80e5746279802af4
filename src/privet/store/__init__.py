"""The database that the persistent rooms build on: engine, transactions, tables, migrations.

SQLite (a file, in WAL mode) and PostgreSQL. No other room opens a connection by itself, and no
exception of SQLAlchemy or of a driver leaves `reading` and `writing`.
"""

from sqlalchemy import Engine

from privet.store import crawl_tables as _crawl_tables
from privet.store import proposal_tables as _proposal_tables
from privet.store.engine import open_engine
from privet.store.json_rows import json_rows
from privet.store.migrate import migrate
from privet.store.transactions import reading, reading_once, writing
from privet.store.upsert import upsert

_ = (_crawl_tables, _proposal_tables)  # so that the metadata is whole, whoever asks
__all__ = [
    "Engine",
    "json_rows",
    "migrate",
    "open_engine",
    "reading",
    "reading_once",
    "upsert",
    "writing",
]
