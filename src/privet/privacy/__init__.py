"""Transforms as Arrow kernels. Specified in docs/reference/transforms.md."""

from privet.privacy.base import Derive, Kernel, KeyScope, frame
from privet.privacy.binding import bind
from privet.privacy.tokens.ff1 import FF1

__all__ = ["FF1", "Derive", "Kernel", "KeyScope", "bind", "frame"]
