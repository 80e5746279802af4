"""What benchmarks are made of: figures with bounds, and timings that can be compared.

Absolute times on a shared machine drift within minutes, so contenders are timed in turn within one
run and compared round by round.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import pandas as pd


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number.

    Attributes:
        name: What was measured.
        value: In `unit`; a ratio has the unit `x`.
        unit: For the reader.
        bound: The most that it may be, or with `at_least` the least. None: it is information.
        at_least: Which side of the bound is good.
        note: Anything that the reader has to know beside it.
    """

    name: str
    value: float
    unit: str = "x"
    bound: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether the bound, if there is one, holds. NaN holds no bound."""
        if self.bound is None:
            return True
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def interleave(
    contenders: Mapping[str, Callable[[], object]], rounds: int = 5, warm_up: int = 1
) -> dict[str, tuple[float, ...]]:
    """Time each contender once a round, the order rotating, so that drift meets all of them alike.

    Returns:
        For each contender its wall seconds, one a round, rounds aligned.
    """
    names = list(contenders)
    for _ in range(warm_up):
        for call in contenders.values():
            call()
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            gc.collect()
            start = time.perf_counter()
            contenders[name]()
            seconds[name].append(time.perf_counter() - start)
    return {name: tuple(values) for name, values in seconds.items()}


def ratio(measured: Sequence[float], reference: Sequence[float]) -> float:
    """Median of the ratios of each round.

    Raises:
        ValueError: the two have different numbers of rounds.
    """
    return median(a / b for a, b in zip(measured, reference, strict=True))


def serially(work: Callable[[], object]) -> Callable[[], object]:
    """The same work with pandas held to one thread; from 3.1 on it reads large CSV in parallel."""

    def one_thread() -> object:
        with pd.option_context("mode.max_threads", 1):
            return work()

    return one_thread
