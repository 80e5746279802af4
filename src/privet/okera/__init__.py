"""The door for the published client of the original: planner and worker on one port."""

from privet.okera.connections import House
from privet.okera.door import OkeraDoor, tls_context

__all__ = ["House", "OkeraDoor", "tls_context"]
