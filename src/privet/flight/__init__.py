"""The Arrow Flight door."""

from privet.flight.door import FlightDoor

__all__ = ["FlightDoor"]
