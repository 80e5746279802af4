"""Guessing is slow, and the memory it takes is bounded."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import pytest

from privet.identity.throttle import Throttle
from privet.model.errors import TooManyAttempts

START = datetime(2026, 3, 1, tzinfo=UTC)


def guesses_within(throttle: Throttle, user: str, span: timedelta) -> int:
    """How many wrong guesses get through when one is tried every second."""
    count, now = 0, START
    while now < START + span:
        try:
            throttle.check(user, now)
        except TooManyAttempts:
            pass
        else:
            throttle.failed(user, now)
            count += 1
        now += timedelta(seconds=1)
    return count


def test_a_day_of_guessing_gets_a_few_hundred_guesses() -> None:
    """The wait doubles to five minutes and stays there."""
    assert guesses_within(Throttle(), "ada", timedelta(days=1)) < 310


def test_a_few_mistakes_cost_nothing_and_success_forgets_them() -> None:
    """Five wrong ones, then a right one, any number of times."""
    throttle = Throttle()
    for _ in range(10):
        for _ in range(5):
            throttle.check("ada", START)
            throttle.failed("ada", START)
        with pytest.raises(TooManyAttempts) as caught:
            throttle.check("ada", START)
        assert "seconds" in caught.value.hint
        throttle.check("ada", START + timedelta(seconds=2))
        throttle.succeeded("ada")


def test_one_name_does_not_slow_another() -> None:
    """Failures count per name."""
    throttle = Throttle()
    guesses_within(throttle, "ada", timedelta(minutes=1))
    throttle.check("bob", START)


def test_a_quiet_quarter_of_an_hour_forgets() -> None:
    """The first mistake after it is a first mistake."""
    throttle = Throttle()
    guesses_within(throttle, "ada", timedelta(minutes=10))
    later = START + timedelta(minutes=40)
    throttle.failed("ada", later)
    throttle.check("ada", later)


def test_any_number_of_names_takes_bounded_memory() -> None:
    """The oldest make room; the freshest stay counted."""
    throttle = Throttle()
    for number in range(12_000):
        throttle.failed(f"user{number}", START)
    assert len(throttle._failures) == 10_000
    throttle.failed("late", START + timedelta(hours=1))
    assert len(throttle._failures) == 1


def test_long_names_are_not_kept() -> None:
    """Whatever a stranger calls himself, what is remembered of it is of one size."""
    throttle = Throttle()
    for number in range(100):
        throttle.failed(f"{number}\ud800" + "x" * 1_000_000, START)
    assert sum(map(sys.getsizeof, throttle._failures)) < 10_000
    assert guesses_within(throttle, "y" * 1_000_000, timedelta(minutes=1)) < 20
