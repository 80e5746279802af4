"""Crawls in the background: who runs them, how they go on, and when they are due again."""

from privet.service.crawling.runner import CrawlRunner, RunMemory
from privet.service.crawling.schedules import CrawlSchedules

__all__ = ["CrawlRunner", "CrawlSchedules", "RunMemory"]
