"""Tables that a log or a metadata file makes out of data files: Delta Lake and Iceberg.

Libraries read what these say of files, deletions and schemas, with bytes that our connectors give.
Data files are read by our own reader alone, and only below the registered address.
"""

from privet.scan.lakes.base import VERSION
from privet.scan.lakes.tables import LAKES, METADATA, lake_pieces, open_lake, resolved, table_root

__all__ = ["LAKES", "METADATA", "VERSION", "lake_pieces", "open_lake", "resolved", "table_root"]
