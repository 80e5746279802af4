"""The reader: runs an EnforcedPlan over a source and streams governed batches."""

from privet.scan.budget import BufferBudget
from privet.scan.pieces import Piece
from privet.scan.stream import Engine, GovernedStream, Progress, run

__all__ = ["BufferBudget", "Engine", "GovernedStream", "Piece", "Progress", "run"]
