"""Statements about where data comes from: crawlers, and connections to databases."""

from __future__ import annotations

from collections.abc import Mapping

from privet.model.crawling.crawls import Crawl
from privet.model.errors import Conflict, NotFound
from privet.policy import definitions as d
from privet.policy import shows
from privet.service.connections import Connections
from privet.service.crawls import Crawls
from privet.service.platform import Caller
from privet.service.statements.results import Handler, Row, StatementResult, done, table


class CrawlerStatements:
    """Starting, listing and forgetting crawls; defining, listing and forgetting connections."""

    def __init__(self, crawls: Crawls, connections: Connections) -> None:
        self._crawls = crawls
        self._connections = connections

    def handlers(self) -> Mapping[type, Handler]:
        """By the type of the statement."""
        return {
            d.CreateCrawler: self._create,
            d.DropCrawler: self._drop,
            d.DefineConnection: self._connection,
            shows.ShowCrawlers: self._show,
            shows.ShowConnections: self._show_connections,
        }

    def _create(self, caller: Caller, statement: d.CreateCrawler) -> StatementResult:
        if statement.crawler in {crawl.name for crawl in self._crawls.list(caller)}:
            raise Conflict(
                f"crawl `{statement.crawler}` already exists",
                hint="do it again with `privet crawl`, or drop it first",
            )
        started = self._crawls.start(caller, statement.crawler, statement.source)
        return StatementResult("create", f"crawl `{started.name}` is running")

    def _drop(self, caller: Caller, statement: d.DropCrawler) -> StatementResult:
        lenient = statement.if_exists
        return done("drop", lenient, NotFound, lambda: self._crawls.drop(caller, statement.crawler))

    def _connection(self, caller: Caller, statement: d.DefineConnection) -> StatementResult:
        name, properties = statement.connection, statement.properties
        match statement.verb:
            case "CREATE":
                return done(
                    "create",
                    statement.lenient,
                    Conflict,
                    lambda: self._connections.create(caller, name, properties),
                )
            case "ALTER":
                self._connections.alter(caller, name, properties)
                return StatementResult("alter", "done")
            case _:
                return done(
                    "drop",
                    statement.lenient,
                    NotFound,
                    lambda: self._connections.drop(caller, name),
                )

    def _show_connections(self, caller: Caller, _: shows.ShowConnections) -> StatementResult:
        rows = [
            (c.name, c.driver, c.host, str(c.port or ""), c.database, c.schema)
            for c in self._connections.list(caller)
        ]
        return table("connection", "driver", "host", "port", "database", "schema", rows=rows)

    def _show(self, caller: Caller, _: shows.ShowCrawlers) -> StatementResult:
        rows = [_row(crawl) for crawl in self._crawls.list(caller)]
        return table("crawler", "source", "status", "datasets", "error", rows=rows)


def _row(crawl: Crawl) -> Row:
    return (crawl.name, crawl.uri, crawl.status.value, str(len(crawl.found)), crawl.error)
