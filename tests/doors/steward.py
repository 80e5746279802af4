"""What a steward does before anybody reads: data, crawls, registration, grants."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from doors.servers import TrialServer

GROUP = "general_analyst_group"
ROLE = "healthcare_analyst_role"
_numbers = itertools.count(1)


def unique(what: str) -> str:
    """A name that nothing else of this run has."""
    return f"{what}_{next(_numbers)}"


def write(table: pa.Table, path: Path, **options: Any) -> Path:
    """Write a table as its path's suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(table, path, **options)
    else:
        pacsv.write_csv(table, path)
    return path


@dataclass(frozen=True)
class Reader:
    """Somebody who may read a database by a role of their own."""

    user: str
    group: str
    role: str
    token: str


class Steward:
    """Administers a server over REST."""

    def __init__(self, server: TrialServer) -> None:
        self.server = server
        self.rest = server.rest()

    def ensure_tag(self, tag: str) -> None:
        """Add a tag unless it is there."""
        if tag not in {item["tag"] for item in self.rest.items("/v1/tags")}:
            self.rest.post("/v1/tags", {"tag": tag})

    def ensure_rules(self) -> None:
        """The tag and the rules of the acceptance flow, unless they are there."""
        self.ensure_tag("phi.mrn")
        known = {rule["name"] for rule in self.rest.items("/v1/rules")}
        for name, tag in (("mrn", "phi.mrn"), ("phone", "phi.phone_number")):
            if name not in known:
                rule = {"name": name, "tag": tag, "pattern": name, "targets": ["column_name"]}
                self.rest.post("/v1/rules", rule)

    def crawl(self, path: Path | str, name: str | None = None) -> dict[str, Any]:
        """Crawl and wait for the end."""
        name = name or unique("crawl")
        self.rest.post("/v1/crawls", {"name": name, "source": str(path)})
        while (state := self.rest.get(f"/v1/crawls/{name}"))["status"] == "running":
            time.sleep(0.02)
        return state

    def register(
        self, crawl: Mapping[str, Any], database: str, found: str | None = None, **options: Any
    ) -> dict[str, Any]:
        """Register what a crawl found: the only thing, or the one named."""
        found = found or crawl["datasets"][0]["name"]
        body = {"dataset": found, "database": database, **options}
        return self.rest.post(f"/v1/crawls/{crawl['name']}/register", body)

    def database(self, name: str | None = None) -> str:
        """A new empty database."""
        name = name or unique("db")
        self.rest.post("/v1/databases", {"name": name})
        return name

    def dataset(
        self,
        data: pa.Table | str | bytes,
        *,
        database: str | None = None,
        suffix: str = "csv",
        tags: Mapping[str, Sequence[str]] | None = None,
        **options: Any,
    ) -> str:
        """A registered dataset of its own; gives `database.name`.

        Args:
            data: the rows, or the content of the file.
            database: where; a new one by default.
            suffix: of the file: `csv` or `parquet`.
            tags: instead of proposed ones, by column.
            options: of writing Parquet.
        """
        name = unique("t")
        path = self.server.lake / name / f"part.{suffix}"
        if isinstance(data, pa.Table):
            write(data, path, **options)
        else:
            path.parent.mkdir(parents=True)
            path.write_bytes(data.encode() if isinstance(data, str) else data)
        database = database or self.database()
        columns = [{"name": column, "tags": list(held)} for column, held in (tags or {}).items()]
        self.register(self.crawl(path.parent), database, columns=columns)
        return f"{database}.{name}"

    def folder(self, dataset: str) -> Path:
        """Where the files of a dataset of `dataset` lie."""
        return self.server.lake / dataset.partition(".")[2]

    def reader(self, *grants: str, user: str | None = None) -> Reader:
        """Somebody new with a new role; grants are written without `TO ROLE`."""
        user = user or unique("reader")
        group, role = unique("group"), unique("role")
        self.rest.post("/v1/roles", {"name": role})
        self.rest.put(f"/v1/roles/{role}/groups/{group}")
        for grant in grants:
            self.sql(f"{grant} TO ROLE {role}")
        return Reader(user, group, role, self.server.token(user, group))

    def sql(self, statement: str) -> dict[str, Any]:
        """Run a statement."""
        return self.rest.post("/v1/sql", {"statement": statement})

    def sqls(self, statements: Iterable[str]) -> None:
        """Run statements."""
        for statement in statements:
            self.sql(statement)
