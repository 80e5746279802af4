"""What the log of a Delta table says of the cells of its files.

It only spares files: what it says of types whose order engines do not agree on is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.types as pat

from privet.scan.files import Bounds

_CUT = 32
"""Characters from which on writers cut texts, and some of them so that a text could be more."""


def bounds_of(added: Mapping[str, Any], name: str, kind: pa.DataType) -> Bounds | None:
    """The bounds of a column in a file.

    Args:
        added: what the log says of the file.
        name: of the column there.
        kind: its registered type.

    Returns:
        None where nothing is known, or what is said cannot be.
    """
    lowest, highest = (_said(added, which, name, kind) for which in ("min", "max"))
    if isinstance(highest, str) and len(highest) >= _CUT:
        highest = None
    if lowest is None and highest is None:
        return None
    nulls = (added.get("null_count") or {}).get(name)
    try:
        return Bounds(_scalar(lowest, kind), _scalar(highest, kind), nulls != 0)
    except (pa.ArrowException, OverflowError):
        return None


def _said(added: Mapping[str, Any], which: str, name: str, kind: pa.DataType) -> int | str | None:
    said = (added.get(which) or {}).get(name)
    if pat.is_integer(kind):
        return said if type(said) is int else None
    return said if pat.is_string(kind) and type(said) is str else None


def _scalar(value: int | str | None, kind: pa.DataType) -> pa.Scalar | None:
    return None if value is None else pa.scalar(value, kind)
