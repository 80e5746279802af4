"""Transforms as Arrow kernels. Specified in docs/reference/transforms.md."""

from privet.privacy.base import Chance, Derive, Kernel, KeyScope, frame
from privet.privacy.binding import Circumstances, bind
from privet.privacy.tokens.ff1 import FF1

__all__ = ["FF1", "Chance", "Circumstances", "Derive", "Kernel", "KeyScope", "bind", "frame"]
