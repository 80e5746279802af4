"""Where the rows of a dataset lie, and how they are read."""

from privet.model.sources.places import SCHEME, SchemaPlace, TablePlace, connection_of
from privet.model.sources.sources import COPIED, Format, Source

__all__ = ["COPIED", "SCHEME", "Format", "SchemaPlace", "Source", "TablePlace", "connection_of"]
