"""Puts the second distribution on the path; the project's environment has only the first."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "clients" / "okera" / "src"))
