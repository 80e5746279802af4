"""Crawls that are done again by themselves, with the rights that their owner has by then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from privet.catalog import Starter
from privet.model.crawling.crawls import Crawl, Schedule
from privet.model.errors import InvalidRequest, PrivetError, Revoked
from privet.model.events import Outcome
from privet.model.names import fold
from privet.model.permissions import AccessLevel, on_crawler
from privet.model.principals import Principal
from privet.policy import Need
from privet.service.access import Act, administer, administer_as, event_of
from privet.service.crawling.runner import CrawlRunner
from privet.service.crawling.starters import as_last_seen, check_unmoved, needs_again
from privet.service.platform import Caller, Platform
from privet.service.rights import absent

_NOBODY = Caller(None, "schedule")
_FIELDS = 5


class CrawlSchedules:
    """When crawls are done again."""

    def __init__(self, platform: Platform, runner: CrawlRunner) -> None:
        self._platform = platform
        self._runner = runner

    def put(self, caller: Caller, name: str, expression: str, timezone: str = "UTC") -> Crawl:
        """Have a crawl done again whenever `expression` says, by the caller's rights.

        Args:
            caller: who owns the schedule from now on.
            name: of a crawl that was started once.
            expression: five fields, as cron has them.
            timezone: that the fields are meant in, such as `Europe/Berlin`.

        Raises:
            InvalidRequest: the expression never comes true or is none, or there is no such zone.
            NotFound: there is no such crawl, or the caller may not know of it.
            Forbidden: they know of it, and may not start it again.
        """
        name = fold(name)
        crawl = self._platform.catalog.crawls.find(name)
        act = Act(
            "crawl.schedule",
            name,
            detail={"expression": expression[:100], "timezone": timezone[:100]},
            needs=needs_again(name, crawl),
        )
        with administer(self._platform, caller, act) as admin:
            if crawl is None:
                raise absent(on_crawler(name))
            owner = (admin.issuer, admin.user)
            schedule = Schedule(name, expression, timezone, self._platform.clock(), owner)
            due = following(schedule, self._platform.clock())
            self._platform.catalog.schedules.put(Schedule(name, expression, timezone, due, owner))
            return self._platform.catalog.crawls.get(name)

    def drop(self, caller: Caller, name: str) -> None:
        """Have a crawl done again no more.

        Raises:
            NotFound: there is no such crawl, or it has no schedule.
        """
        name = fold(name)
        needs = (Need(AccessLevel.ALTER, on_crawler(name)),)
        with administer(self._platform, caller, Act("crawl.unschedule", name, needs=needs)):
            self._platform.catalog.schedules.drop(name)

    def run_due(self) -> None:
        """Start what is due; what was missed while no server ran, once."""
        for schedule in self._platform.catalog.schedules.claim_due(_following_or_later):
            try:
                self._start(schedule)
            except PrivetError as error:
                self._platform.catalog.schedules.fail(schedule.crawl, str(error))

    def _owner(self, schedule: Schedule) -> Principal:
        """Whoever made a schedule; that they may start nothing any more is on record."""
        issuer, user = schedule.owner
        try:
            return as_last_seen(self._platform, issuer, user)
        except Revoked as error:
            gone = Principal(user, frozenset(), issuer=issuer)
            refused = event_of(gone, _NOBODY, "crawl.start", Outcome.REFUSED)
            self._platform.audit.record(replace(refused, object=schedule.crawl, error=error.code))
            raise

    def _start(self, schedule: Schedule) -> None:
        name = schedule.crawl
        crawl = self._platform.catalog.crawls.get(name)
        owner = self._owner(schedule)
        act = Act(
            "crawl.start",
            name,
            detail={"source": crawl.uri[:200], "schedule": schedule.expression},
            needs=needs_again(name, crawl),
        )
        with administer_as(self._platform, owner, _NOBODY, act):
            check_unmoved(self._platform, crawl)
            by = Starter(owner.user, owner.issuer, self._runner.lease)
            started = self._platform.catalog.crawls.start(name, crawl.uri, by=by)
            event = event_of(owner, _NOBODY, "crawl.end", Outcome.COMPLETED)
            self._runner.submit(started, replace(event, object=name))


def following(schedule: Schedule, after: datetime) -> datetime:
    """When a schedule is due next.

    Raises:
        InvalidRequest: never, or what it says is no expression or zone.
    """
    if len(schedule.expression.split()) != _FIELDS:
        raise _no_expression(schedule.expression)
    try:
        due = next(CronSim(schedule.expression, after.astimezone(_zone(schedule.timezone))))
    except (CronSimError, StopIteration) as error:
        raise _no_expression(schedule.expression) from error
    return due.astimezone(UTC)


def _following_or_later(schedule: Schedule, after: datetime) -> datetime:
    """The same; in a day, for one that has lost its meaning: it must not hold up the others."""
    try:
        return following(schedule, after)
    except InvalidRequest:
        return after + timedelta(days=1)


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidRequest(
            f"`{name[:64]}` is not a time zone", hint="write one such as Europe/Berlin, or UTC"
        ) from error


def _no_expression(text: str) -> InvalidRequest:
    return InvalidRequest(
        f"`{text[:64]}` does not say when",
        hint="write minute, hour, day, month and weekday as cron has them, such as 0 3 * * *",
    )
