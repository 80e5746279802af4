"""Fixtures of this room's tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from services.seaweed import seaweed

__all__ = ["seaweed"]
