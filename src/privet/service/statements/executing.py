"""One entry for every statement of the policy language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from privet.model.errors import PrivetError
from privet.policy import parse
from privet.service.access import authenticate
from privet.service.connections import Connections
from privet.service.copies import Copies
from privet.service.crawls import Crawls
from privet.service.datasets import Datasets
from privet.service.definitions import Databases, Tables
from privet.service.permissions import Permissions
from privet.service.platform import Caller, Platform
from privet.service.roles import Roles
from privet.service.scans import Scans
from privet.service.sessions import Sessions
from privet.service.statements.copies import CopyStatements
from privet.service.statements.crawlers import CrawlerStatements
from privet.service.statements.databases import DatabaseStatements
from privet.service.statements.describing import DescribingStatements
from privet.service.statements.grants import GrantStatements
from privet.service.statements.results import Handler, StatementResult
from privet.service.statements.tables import TableStatements
from privet.service.statements.views import ViewStatements
from privet.service.statements.words import WordStatements
from privet.service.tags import Tags
from privet.service.views import Views


@dataclass(frozen=True, slots=True)
class Offered:
    """The use cases that statements are carried out by."""

    tags: Tags
    roles: Roles
    sessions: Sessions
    datasets: Datasets
    databases: Databases
    tables: Tables
    views: Views
    copies: Copies
    connections: Connections
    scans: Scans
    crawls: Crawls
    permissions: Permissions


class Statements:
    """Carries statements out by their type."""

    def __init__(self, platform: Platform, offered: Offered) -> None:
        self._platform = platform
        self._handlers: Mapping[type, Handler] = {
            **GrantStatements(platform, offered.permissions, offered.roles).handlers(),
            **WordStatements(platform, offered.tags, offered.roles, offered.sessions).handlers(),
            **DatabaseStatements(offered.databases, offered.datasets, offered.tables).handlers(),
            **TableStatements(offered.tables, offered.tags, offered.datasets).handlers(),
            **ViewStatements(offered.views).handlers(),
            **CopyStatements(offered.copies).handlers(),
            **CrawlerStatements(offered.crawls, offered.connections).handlers(),
            **DescribingStatements(platform, offered.datasets, offered.scans).handlers(),
        }

    def execute(self, caller: Caller, text: str) -> StatementResult:
        """Parse and carry out one statement.

        Raises:
            ParseFailed: not a statement, with position.
            And what its use case raises, with the position of the object unless it has its own.
        """
        authenticate(self._platform, caller)
        statement = parse(text)
        try:
            return self._handlers[type(statement)](caller, statement)
        except PrivetError as error:
            error.position = error.position or getattr(statement, "at", None)
            raise
