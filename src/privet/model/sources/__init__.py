"""Where the rows of a dataset lie, and how they are read."""

from privet.model.sources.field_ids import FIELD_IDS, FieldIds, are_same
from privet.model.sources.places import SCHEME, SchemaPlace, TablePlace, connection_of
from privet.model.sources.sources import COPIED, Format, Source

__all__ = [
    "COPIED",
    "FIELD_IDS",
    "SCHEME",
    "FieldIds",
    "Format",
    "SchemaPlace",
    "Source",
    "TablePlace",
    "are_same",
    "connection_of",
]
