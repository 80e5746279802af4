"""Crawls, what they remember and found, and when they are due."""

from privet.catalog.crawling.crawls import Crawls, Starter
from privet.catalog.crawling.findings import Findings
from privet.catalog.crawling.memory import CrawlMemory
from privet.catalog.crawling.schedules import Schedules

__all__ = ["CrawlMemory", "Crawls", "Findings", "Schedules", "Starter"]
