"""By whose rights a crawl runs that nobody asks for at that moment."""

from __future__ import annotations

from dataclasses import replace

from privet.model.crawling.crawls import Crawl
from privet.model.errors import InvalidRequest
from privet.model.permissions import AccessLevel, on_crawler
from privet.model.principals import Principal
from privet.policy import Need
from privet.service.crawling.places import canonical, reading_at
from privet.service.platform import Platform


def needs_again(name: str, crawl: Crawl | None) -> tuple[Need, ...]:
    """The rights to do a crawl again: to change it, and to read its place."""
    again = Need(AccessLevel.ALTER, on_crawler(name))
    return (again,) if crawl is None else (again, reading_at(crawl.uri))


def as_last_seen(platform: Platform, issuer: str, user: str) -> Principal:
    """Somebody with the groups they were last seen with.

    Raises:
        Revoked: what they had then was revoked, as that of who was dropped is.
    """
    seen = platform.catalog.principals.find(user, issuer)
    groups, others = (seen.groups, seen.other_groups) if seen else (frozenset[str](),) * 2
    known = platform.identity.describe(
        user,
        groups,
        other_groups=others,
        attributes=False,
        seen=seen.last_seen if seen else None,
    )
    # Whom settings name as an administrator is a user of ours.
    return replace(known, issuer=issuer, admin=known.admin and known.issuer == issuer)


def check_unmoved(platform: Platform, crawl: Crawl) -> None:
    """Refuse a place that leads elsewhere than when it was decided about.

    Raises:
        InvalidRequest: it is a link now, or of another database than its connection's.
        NotFound: its connection is gone.
    """
    if canonical(platform, crawl.uri) != crawl.uri:
        raise InvalidRequest(
            "the path of the crawl is a link now", hint="crawl the place that it leads to"
        )
