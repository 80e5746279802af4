"""What pyokera 2.9.0 uses of Python and numpy that newer ones no longer have.

Installed beside the client for Python 3.10 and later, and imported before anything else runs there.
Without it, a scan that fails in a worker process never ends: its `except` fails too.
"""

import traceback
from typing import Any

import numpy as np

_format_exception = traceback.format_exception


def format_exception(*given: Any, **named: Any) -> list[str]:
    """With the exception's type by name, as until Python 3.9."""
    if "etype" in named:
        given = (named.pop("etype"), named.pop("value"), named.pop("tb"), *given)
    return _format_exception(*given, **named)


traceback.format_exception = format_exception
if not hasattr(np, "asscalar"):
    np.asscalar = lambda array: array.item()
