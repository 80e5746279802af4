"""The reader: runs an EnforcedPlan over a source and streams governed batches.

What is made of such batches and kept is written here too (`Parts`).
"""

from privet.scan.budget import BufferBudget
from privet.scan.lakes import resolved
from privet.scan.parts import Parts, storable
from privet.scan.pieces import Piece
from privet.scan.private_files import write_private
from privet.scan.stream import Engine, GovernedStream, Progress, run
from privet.scan.unpacking import PACKED

__all__ = [
    "PACKED",
    "BufferBudget",
    "Engine",
    "GovernedStream",
    "Parts",
    "Piece",
    "Progress",
    "resolved",
    "run",
    "storable",
    "write_private",
]
