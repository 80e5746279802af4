"""Opens where data lies. Credentials come from settings and are never shown, stored or logged."""

from privet.connector.base import Connector, ObjectInfo, OnError, shown, source_errors
from privet.connector.dialing import Endpoint, dial
from privet.connector.layout import DataFile, Placement, data_files, place
from privet.connector.local import LocalConnector
from privet.connector.registry import Connectors
from privet.connector.s3 import S3Connector, S3Location
from privet.connector.secrets import SecretEntry, Secrets
from privet.connector.writing import CopyRoots

__all__ = [
    "Connector",
    "Connectors",
    "CopyRoots",
    "DataFile",
    "Endpoint",
    "LocalConnector",
    "ObjectInfo",
    "OnError",
    "Placement",
    "S3Connector",
    "S3Location",
    "SecretEntry",
    "Secrets",
    "data_files",
    "dial",
    "place",
    "shown",
    "source_errors",
]
