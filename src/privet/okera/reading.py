"""Planning a statement, running its task, fetching its rows."""

from __future__ import annotations

from collections.abc import Mapping

from privet.okera.calls import Handler

HANDLERS: Mapping[str, Handler] = {}
