"""Use cases of copies: tables that are made of what others hold."""

from privet.service.copies.copies import Copied, Copies
from privet.service.copies.files import remove_files

__all__ = ["Copied", "Copies", "remove_files"]
