"""Opens where data lies. Credentials come from settings and are never shown, stored or logged."""

from privet.connector.base import Connector, ObjectInfo, OnError, shown, source_errors
from privet.connector.layout import DataFile, Placement, data_files, place
from privet.connector.local import LocalConnector
from privet.connector.registry import Connectors
from privet.connector.s3 import S3Connector, S3Location
from privet.connector.writing import CopyRoots

__all__ = [
    "Connector",
    "Connectors",
    "CopyRoots",
    "DataFile",
    "LocalConnector",
    "ObjectInfo",
    "OnError",
    "Placement",
    "S3Connector",
    "S3Location",
    "data_files",
    "place",
    "shown",
    "source_errors",
]
