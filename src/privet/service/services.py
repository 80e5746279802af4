"""All use cases of a server."""

from __future__ import annotations

from privet.service.audits import Audits
from privet.service.connections import Connections
from privet.service.copies import Copies
from privet.service.crawls import Crawls
from privet.service.datasets import Datasets
from privet.service.definitions import Databases, Tables
from privet.service.domains import Detokenizing, Domains, Joins, TokenMaps, TokenRisks, Trials
from privet.service.effects import Outlooks, Readers
from privet.service.explanations import Explanations
from privet.service.files import Files
from privet.service.notes import Notes
from privet.service.permissions import Permissions
from privet.service.platform import Platform
from privet.service.proposals import Proposals
from privet.service.queries import Queries
from privet.service.rewrites import Rewrites
from privet.service.roles import Roles
from privet.service.runs import Runs
from privet.service.scans import Scans
from privet.service.sessions import Sessions
from privet.service.statements import Offered, Statements
from privet.service.tags import Tags
from privet.service.views import Views


class Services:
    """What doors call: one object per noun."""

    def __init__(self, platform: Platform) -> None:
        self.scans = Scans(platform)
        self.queries = Queries(platform)
        self.runs = Runs(platform)
        self.rewrites = Rewrites(platform)
        self.explanations = Explanations(platform)
        self.outlooks = Outlooks(platform)
        self.readers = Readers(platform)
        self.sessions = Sessions(platform)
        self.tags = Tags(platform)
        self.proposals = Proposals(platform)
        self.roles = Roles(platform)
        self.datasets = Datasets(platform)
        self.permissions = Permissions(platform)
        self.views = Views(platform)
        self.copies = Copies(platform)
        self.connections = Connections(platform)
        self.crawls = Crawls(platform)
        self.audits = Audits(platform)
        self.files = Files(platform)
        self.notes = Notes(platform)
        self.domains = Domains(platform)
        self.joins = Joins(platform, self.datasets)
        self.token_risks = TokenRisks(platform)
        self.token_maps = TokenMaps(platform)
        self.detokenizing = Detokenizing(platform)
        self.trials = Trials(platform)
        self.databases = Databases(platform, self.datasets)
        self.tables = Tables(platform)
        offered = Offered(
            tags=self.tags,
            roles=self.roles,
            sessions=self.sessions,
            datasets=self.datasets,
            databases=self.databases,
            tables=self.tables,
            views=self.views,
            copies=self.copies,
            connections=self.connections,
            scans=self.scans,
            crawls=self.crawls,
            permissions=self.permissions,
        )
        self.statements = Statements(platform, offered)

    def close(self) -> None:
        """End background work."""
        self.crawls.close()
        self.token_maps.close()
