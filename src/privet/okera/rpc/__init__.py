"""Handlers of calls, one module a noun; each has a table `HANDLERS` of them by name."""

from __future__ import annotations

from collections.abc import Mapping

from privet.okera.calls import Handler
from privet.okera.rpc import (
    attributes,
    configs,
    connections,
    crawling,
    databases,
    datasets,
    ddl,
    files,
    partitions,
    roles,
    users,
)

HANDLERS: Mapping[str, Handler] = {
    **attributes.HANDLERS,
    **databases.HANDLERS,
    **datasets.HANDLERS,
    **ddl.HANDLERS,
    **configs.HANDLERS,
    **connections.HANDLERS,
    **files.HANDLERS,
    **partitions.HANDLERS,
    **roles.HANDLERS,
    **users.HANDLERS,
    **crawling.HANDLERS,
}
