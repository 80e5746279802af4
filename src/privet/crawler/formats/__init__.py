"""How files are looked at, whichever format they are in."""

from privet.crawler.formats.files import format_by_suffix, look_at_file, settled
from privet.crawler.formats.lakes import look_at_lake

__all__ = ["format_by_suffix", "look_at_file", "look_at_lake", "settled"]
