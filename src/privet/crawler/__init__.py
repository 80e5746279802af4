"""Walks a connector, reports datasets and proposed tags; never writes the catalog."""

from privet.crawler.crawl import CrawlProgress, crawl, look
from privet.crawler.describe import propose_tags
from privet.crawler.profiles import small_values
from privet.crawler.sample import sample_source
from privet.crawler.shapes import Given

__all__ = [
    "CrawlProgress",
    "Given",
    "crawl",
    "look",
    "propose_tags",
    "sample_source",
    "small_values",
]
