"""The walk of a crawl, and what it remembers from the one before."""

from privet.crawler.walking.memory import Counting, Forgetful, Memory, digest_of
from privet.crawler.walking.shapes import dump_shape, load_shape
from privet.crawler.walking.survey import CrawlProgress, Report, Survey, stop_if, survey

__all__ = [
    "Counting",
    "CrawlProgress",
    "Forgetful",
    "Memory",
    "Report",
    "Survey",
    "digest_of",
    "dump_shape",
    "load_shape",
    "stop_if",
    "survey",
]
