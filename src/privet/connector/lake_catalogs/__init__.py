"""Catalogs that say which metadata of an Iceberg table count: SQL catalogs and REST catalogs."""

from privet.connector.lake_catalogs.base import (
    CATALOG_DRIVERS,
    REST,
    SQLITE,
    CatalogEndpoint,
    CatalogName,
)
from privet.connector.lake_catalogs.catalogs import LakeCatalogs, address_of

__all__ = [
    "CATALOG_DRIVERS",
    "REST",
    "SQLITE",
    "CatalogEndpoint",
    "CatalogName",
    "LakeCatalogs",
    "address_of",
]
