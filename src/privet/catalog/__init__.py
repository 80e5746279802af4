"""What is governed and by which words: datasets, tags, rules, roles, permissions, crawls.

`Catalog` holds one small object per noun (`catalog.datasets.register(...)`) over one database, and
hands out versioned facts for decisions. It stores and finds; it decides nothing. Names come in
folded (`privet.model.names`).
"""

from privet.catalog.catalog import Catalog
from privet.catalog.connections import DataConnection
from privet.catalog.crawling import CrawlMemory, Starter
from privet.catalog.databases import Database
from privet.catalog.definitions.described import Described
from privet.catalog.definitions.lineage import LineageRule, tags_of_parts
from privet.catalog.domains.domains import Domain
from privet.catalog.domains.jobs import TokenJob
from privet.catalog.facts import Snapshot
from privet.catalog.principals import SeenPrincipal
from privet.catalog.roles import HeldRoles, Role
from privet.catalog.tags import Tag

__all__ = [
    "Catalog",
    "CrawlMemory",
    "DataConnection",
    "Database",
    "Described",
    "Domain",
    "HeldRoles",
    "LineageRule",
    "Role",
    "SeenPrincipal",
    "Snapshot",
    "Starter",
    "Tag",
    "TokenJob",
    "tags_of_parts",
]
