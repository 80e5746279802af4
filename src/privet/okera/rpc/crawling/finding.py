"""Which crawl the name of a database means, and what of it can be registered."""

from __future__ import annotations

from collections.abc import Iterator

from privet.model.crawling.crawls import Crawl, CrawlStatus, FoundDataset
from privet.okera.calls import Call

PREFIX = "_okera_crawler_"
STATUS = "okera.crawler.status"
_LONGEST_NAME = 128
_NOTHING = "nothing was found at"


def crawls_known(call: Call) -> Iterator[Crawl]:
    """The crawls that the caller may see, but for those whose name a database has."""
    taken = {database.name for database in call.services.datasets.list_databases(call.caller)}
    for crawl in call.services.crawls.list(call.caller):
        if PREFIX + crawl.name not in taken:
            yield crawl


def crawl_behind(call: Call, database: str) -> Crawl | None:
    """The crawl that a database shows; None if it shows none that the caller may see."""
    name = database.lower()
    if not name.startswith(PREFIX):
        return None
    for crawl in crawls_known(call):
        if PREFIX + crawl.name == name:
            return call.services.crawls.get(call.caller, crawl.name)
    return None


def offered(call: Call, crawl: Crawl) -> Iterator[FoundDataset]:
    """What a crawl found that is registered nowhere, and could be; to the original, fewer are."""
    for found in crawl.found:
        if found.problem or found.registered_as is not None:
            continue
        if not call.compatibility or all(_is_name(c.source_name) for c in found.columns):
            yield found


def _is_name(name: str) -> bool:
    """Whether the original can have a column of that name: where it cannot, it has no dataset."""
    return len(name) <= _LONGEST_NAME and "." not in name


def status_of(call: Call, crawl: Crawl) -> str:
    """How far a crawl is, in the original's words; to it, nothing to find is no failure."""
    if crawl.status is CrawlStatus.RUNNING:
        return "CRAWLING"
    nothing = crawl.status is CrawlStatus.FAILED and crawl.error.startswith(_NOTHING)
    return "COMPLETED" if call.compatibility and nothing else crawl.status.upper()
