"""Code that not every installation has."""

from __future__ import annotations

import importlib
from typing import Any

from privet.cli.exits import UsageMistake


def load_extra(module: str, *, extra: str) -> Any:
    """Load a module when a command needs it.

    Raises:
        UsageMistake: a package is missing; the hint names the extra that brings it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise UsageMistake(
            f"this needs the package `{error.name}`", hint=f"pip install 'privet[{extra}]'"
        ) from error
