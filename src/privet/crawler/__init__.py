"""Walks a connector, reports datasets and proposed tags; never writes the catalog."""

from privet.crawler.catalogs import crawl_catalog, look_in_catalog
from privet.crawler.crawl import Crawled, crawl, look, run_crawl
from privet.crawler.describe import propose_tags
from privet.crawler.profiles import small_values
from privet.crawler.sample import sample_source
from privet.crawler.shapes import Given
from privet.crawler.tables import crawl_tables, look_at_table, propose_table_tags
from privet.crawler.walking import CrawlProgress, Memory, digest_of

__all__ = [
    "CrawlProgress",
    "Crawled",
    "Given",
    "Memory",
    "crawl",
    "crawl_catalog",
    "crawl_tables",
    "digest_of",
    "look",
    "look_at_table",
    "look_in_catalog",
    "propose_table_tags",
    "propose_tags",
    "run_crawl",
    "sample_source",
    "small_values",
]
