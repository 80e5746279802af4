"""One budget of buffers for all scans of a process, and how parallel each may be.

Every running scan may always hold one piece of its source, so that none starves behind a reader
that stalls; more pieces at once are lent as long as the budget lasts and cores are idle.
"""

from __future__ import annotations

import os
import threading

DEFAULT_BYTES = 192 * 1024 * 1024


class BufferBudget:
    """Thread-safe.

    Args:
        total: bytes of raw source that all scans together may hold beyond their first piece.
        workers: threads that parse and enforce, over all scans.
    """

    def __init__(self, total: int = DEFAULT_BYTES, workers: int | None = None) -> None:
        self.workers = workers or os.cpu_count() or 1
        self._total = total
        self._lent = 0
        self._scans = 0
        self._lock = threading.Lock()

    def enter(self) -> None:
        """A scan begins."""
        with self._lock:
            self._scans += 1

    def leave(self) -> None:
        """A scan ends."""
        with self._lock:
            self._scans -= 1

    def borrow(self, size: int, held: int) -> bool:
        """Whether a scan that holds `held` pieces may read another of `size` bytes now."""
        with self._lock:
            if held:
                ahead = 1 + self.workers // max(1, self._scans)
                if held >= ahead or self._lent + size > self._total:
                    return False
            self._lent += size
            return True

    def give_back(self, size: int) -> None:
        """A piece is done with."""
        with self._lock:
            self._lent -= size
