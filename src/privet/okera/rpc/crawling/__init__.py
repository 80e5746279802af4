"""Crawls, as the original shows them: a database of its own for what each found."""

from privet.okera.rpc.crawling.finding import PREFIX, STATUS, crawl_behind, offered, status_of
from privet.okera.rpc.crawling.showing import HANDLERS

__all__ = ["HANDLERS", "PREFIX", "STATUS", "crawl_behind", "offered", "status_of"]
