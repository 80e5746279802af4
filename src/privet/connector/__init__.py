"""Opens where data lies. Credentials come from settings and are never shown, stored or logged."""

from privet.connector.base import (
    Connector,
    Enter,
    ObjectInfo,
    OnError,
    everything,
    shown,
    source_errors,
)
from privet.connector.databases import (
    SSLMODES,
    Databases,
    Endpoint,
    Narrowing,
    Reading,
    TableShape,
    check_database,
    dial,
)
from privet.connector.lake_catalogs import (
    CATALOG_DRIVERS,
    REST,
    SQLITE,
    CatalogEndpoint,
    CatalogName,
    LakeCatalogs,
    address_of,
)
from privet.connector.layout import DataFile, Partitions, Placement, data_files, place
from privet.connector.local import LocalConnector
from privet.connector.objects import (
    AzureLocation,
    CredentialSource,
    GcsLocation,
    S3Connector,
    S3Location,
)
from privet.connector.registry import Connectors
from privet.connector.secrets import SecretEntry, Secrets
from privet.connector.writing import CopyRoots

__all__ = [
    "CATALOG_DRIVERS",
    "REST",
    "SQLITE",
    "SSLMODES",
    "AzureLocation",
    "CatalogEndpoint",
    "CatalogName",
    "Connector",
    "Connectors",
    "CopyRoots",
    "CredentialSource",
    "DataFile",
    "Databases",
    "Endpoint",
    "Enter",
    "GcsLocation",
    "LakeCatalogs",
    "LocalConnector",
    "Narrowing",
    "ObjectInfo",
    "OnError",
    "Partitions",
    "Placement",
    "Reading",
    "S3Connector",
    "S3Location",
    "SecretEntry",
    "Secrets",
    "TableShape",
    "address_of",
    "check_database",
    "data_files",
    "dial",
    "everything",
    "place",
    "shown",
    "source_errors",
]
