"""Tables of Iceberg."""

from privet.scan.lakes.iceberg.table import Iceberg, location_in

__all__ = ["Iceberg", "location_in"]
