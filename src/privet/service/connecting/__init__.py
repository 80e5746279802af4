"""What connections are made of."""

from privet.service.connecting.catalogs import (
    defined_catalog,
    is_catalog,
    placed,
    reading_places,
)
from privet.service.connecting.endpoints import (
    catalog_endpoint_of,
    catalog_endpoints,
    endpoint_of,
    endpoints,
)
from privet.service.connecting.properties import (
    DRIVER,
    HOST,
    OWN,
    check_sslmode,
    matching,
    own_name,
    port_of,
    reference,
)

__all__ = [
    "DRIVER",
    "HOST",
    "OWN",
    "catalog_endpoint_of",
    "catalog_endpoints",
    "check_sslmode",
    "defined_catalog",
    "endpoint_of",
    "endpoints",
    "is_catalog",
    "matching",
    "own_name",
    "placed",
    "port_of",
    "reading_places",
    "reference",
]
