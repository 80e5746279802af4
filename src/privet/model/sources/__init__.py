"""Where the rows of a dataset lie, and how they are read."""

from privet.model.sources.field_ids import FIELD_IDS, TABLE_ID, FieldIds, are_same
from privet.model.sources.places import SCHEME, CatalogPlace, SchemaPlace, TablePlace, connection_of
from privet.model.sources.sources import COPIED, Format, Source

__all__ = [
    "COPIED",
    "FIELD_IDS",
    "SCHEME",
    "TABLE_ID",
    "CatalogPlace",
    "FieldIds",
    "Format",
    "SchemaPlace",
    "Source",
    "TablePlace",
    "are_same",
    "connection_of",
]
