"""How files are looked at, whichever format they are in."""

from privet.crawler.formats.files import format_by_suffix, look_at_file, settled

__all__ = ["format_by_suffix", "look_at_file", "settled"]
