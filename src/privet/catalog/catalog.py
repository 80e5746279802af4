"""The catalog: one small object per noun over one database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime

from sqlalchemy import Engine

from privet.catalog.connections import Connections
from privet.catalog.crawling import CrawlMemory, Crawls, Findings, Schedules
from privet.catalog.current.granted import Decode, Granted
from privet.catalog.databases import Databases
from privet.catalog.datasets import Datasets
from privet.catalog.definitions.changes import Definitions
from privet.catalog.definitions.lineage import LineageRule
from privet.catalog.domains.domains import Domains
from privet.catalog.domains.jobs import Budgets, TokenJobs
from privet.catalog.facts import FactReader, Snapshot
from privet.catalog.notes import Notes
from privet.catalog.permissions import Encode, Permissions
from privet.catalog.principals import Principals
from privet.catalog.proposals import Proposals
from privet.catalog.roles import Roles
from privet.catalog.rules import Rules
from privet.catalog.tags import Tags
from privet.catalog.versions import Clock
from privet.model.decisions import Facts
from privet.model.names import DatasetName, TagName
from privet.model.permissions import Rights
from privet.model.principals import Principal


def _now() -> datetime:
    return datetime.now(UTC)


class Catalog:
    """What is governed, by which words, for whom. May be used by several threads.

    `encode` and `decode` give the stored form of permissions: `privet.policy.to_json` and
    `from_json`. `lineage` is another than the usual one only in servers for the original's tests.
    The database has been migrated. Every method raises StoreUnavailable when the database does not
    answer or cannot be written.
    """

    def __init__(
        self,
        engine: Engine,
        encode: Encode,
        decode: Decode,
        *,
        clock: Clock = _now,
        lineage: LineageRule = LineageRule.WHOLE,
    ) -> None:
        self.databases = Databases(engine, clock)
        self.tags = Tags(engine, clock)
        self.rules = Rules(engine, clock)
        self.roles = Roles(engine, clock)
        granted = Granted(decode)
        self.permissions = Permissions(engine, clock, encode, granted)
        self.datasets = Datasets(engine, clock, lineage)
        self.definitions = Definitions(engine, self.permissions)
        self.connections = Connections(engine, clock)
        self.crawls = Crawls(engine, clock)
        self.crawl_memory = CrawlMemory(engine)
        self.schedules = Schedules(engine, clock)
        self.findings = Findings(engine, clock)
        self.principals = Principals(engine)
        self.domains = Domains(engine, clock)
        self.token_jobs = TokenJobs(engine, clock)
        self.budgets = Budgets(engine, clock)
        self.notes = Notes(engine, clock)
        self.proposals = Proposals(engine, clock)
        self._facts = FactReader(engine, granted, lineage)

    def version(self) -> int:
        """The number of the last change; it grows within the transaction of every change."""
        return self._facts.version().number

    def ensure_builtin(
        self, tags: Iterable[tuple[TagName, str]], roles: Iterable[str] = ()
    ) -> None:
        """Make built-in tags and roles exist, the public role always. Call it at every start."""
        self.tags.ensure_builtin(tags)
        self.roles.ensure_builtin(roles)

    def facts(self, name: DatasetName, principal: Principal) -> Facts:
        """All that a decision about a dataset and a principal rests on, at one version."""
        return self._facts.facts(name, principal)

    def facts_among(
        self, names: Collection[DatasetName], principals: Collection[Principal]
    ) -> Mapping[tuple[DatasetName, Principal], Facts]:
        """The facts about each of the datasets for each of the principals, all at one version."""
        return self._facts.among(names, principals)

    def list_facts(self, principal: Principal) -> tuple[Facts, ...]:
        """The facts of every dataset by name, all true of one version.

        Those of a dataset that did not change bear the number of the version when they were read.
        """
        return self._facts.list_facts(principal)

    def rights(self, principal: Principal) -> Rights:
        """What says whether a principal may administer, at one version."""
        return self._facts.rights(principal)

    def snapshot(self) -> Snapshot:
        """All that decisions about any principal and dataset rest on, at one version."""
        return self._facts.snapshot()
