"""How files of other formats than CSV and Parquet become pieces."""

from privet.scan.formats.json_rows import (
    Misfit,
    NoJson,
    Number,
    Twice,
    as_text,
    objects,
    read_objects,
)
from privet.scan.formats.json_source import json_pieces

__all__ = [
    "Misfit",
    "NoJson",
    "Number",
    "Twice",
    "as_text",
    "json_pieces",
    "objects",
    "read_objects",
]
