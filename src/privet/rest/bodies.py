"""JSON bodies as they come in, checked."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from privet.model.datasets import RuleTarget
from privet.service.forms import Json


class Body(BaseModel):
    """Unknown keys are refused: a misspelt one would otherwise widen or narrow silently."""

    model_config = ConfigDict(extra="forbid")


class Login(Body):
    """Name and password of a local user."""

    user: str = Field(max_length=256)
    password: SecretStr


class NewToken(Body):
    """Whom a token is for; `lifetime` in seconds."""

    user: str
    groups: list[str] = Field(default_factory=list[str])
    lifetime: int | None = Field(None, gt=0, lt=2**31)


class NewUser(Body):
    """A local user."""

    user: str
    password: SecretStr
    groups: list[str] = Field(default_factory=list[str])


class NewTag(Body):
    """A tag, `namespace.key`."""

    tag: str
    description: str = ""


class NewRule(Body):
    """A rule that proposes a tag."""

    name: str
    tag: str
    pattern: str
    targets: list[RuleTarget]
    match_rate: float = 0.8
    min_rows: int = 10
    description: str = ""


class NewRole(Body):
    """A role."""

    name: str


class NewDatabase(Body):
    """A database."""

    name: str
    description: str = ""


class NewPermission(Body):
    """A permission, as SQL or in its JSON form."""

    sql: str | None = None
    permission: Json | None = None


class WhatIf(Body):
    """Statements about permissions, to look at what they would do; `count` counts rows."""

    statements: list[str]
    count: bool = True


class ToCheck(Body):
    """Statements about permissions, and what is to be done before them.

    `tags`, `roles` and `databases` are created, and the permissions with the ids of `without` are
    removed.
    """

    statements: list[str]
    tags: list[str] = Field(default_factory=list[str])
    roles: list[str] = Field(default_factory=list[str])
    databases: list[str] = Field(default_factory=list[str])
    without: list[str] = Field(default_factory=list[str])


class SqlBody(Body):
    """A policy statement; or a query, and how much of its answer.

    `parameters` are a list for `?` and `$1`, an object for `$name`. `limit` bounds the rows of an
    answer; `page_rows` asks for the first page of it instead, and `page` for one after that.
    """

    statement: str | None = None
    parameters: list[Any] | dict[str, Any] | None = None
    database: str | None = None
    limit: int | None = Field(None, strict=True, ge=0, lt=2**63)
    page_rows: int | None = Field(None, strict=True, gt=0, lt=2**63)
    page: str | None = None


class NewCrawl(Body):
    """What to crawl, and under which name."""

    name: str
    source: str
    single_files: bool | None = None
    """Whether each file is a dataset of its own; left out: as at the run before, else not."""


class NewSchedule(Body):
    """When to crawl again: five fields, as cron has them, in a time zone."""

    expression: str
    timezone: str = "UTC"


class ColumnChange(Body):
    """What to change about a column; what is left out stays."""

    name: str
    type: str | None = None
    comment: str | None = None
    tags: list[str] | None = None
    reviewed: bool | None = None


class NewRegistration(Body):
    """Which found dataset goes where."""

    dataset: str
    database: str
    name: str | None = None
    new_database: bool = False
    columns: list[ColumnChange] = Field(default_factory=list[ColumnChange])


class ColumnsChange(Body):
    """Changes made on a revision of a dataset."""

    revision: int
    columns: list[ColumnChange]


def items(listed: list[Json], following: str | None = None) -> Json:
    """A listing."""
    return {"items": listed, "next": following}
