"""What connections are made of."""

from privet.service.connecting.catalogs import (
    catalog_endpoint_of,
    catalog_endpoints,
    defined_catalog,
    is_catalog,
    placed,
    reading_places,
)
from privet.service.connecting.properties import DRIVER, HOST, matching, port_of, reference

__all__ = [
    "DRIVER",
    "HOST",
    "catalog_endpoint_of",
    "catalog_endpoints",
    "defined_catalog",
    "is_catalog",
    "matching",
    "placed",
    "port_of",
    "reading_places",
    "reference",
]
