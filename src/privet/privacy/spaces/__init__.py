"""The values of types beside text, as numbers: permuted, drawn by chance, cut from digests."""

from privet.privacy.spaces.base import DRAWN, Ciphers, Space
from privet.privacy.spaces.choosing import space_of

__all__ = ["DRAWN", "Ciphers", "Space", "space_of"]
