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
from privet.scan.formats.opened import OPENERS, Opened, governable, opened_pieces

__all__ = [
    "OPENERS",
    "Misfit",
    "NoJson",
    "Number",
    "Opened",
    "Twice",
    "as_text",
    "governable",
    "json_pieces",
    "objects",
    "opened_pieces",
    "read_objects",
]
