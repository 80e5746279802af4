"""Walks a connector, reports datasets and proposed tags; never writes the catalog."""

from privet.crawler.crawl import CrawlProgress, crawl
from privet.crawler.sample import sample_source

__all__ = ["CrawlProgress", "crawl", "sample_source"]
