"""Object stores: addresses, credentials, listings."""

from privet.connector.objects.azure import AzureConnector, AzureLocation
from privet.connector.objects.credentials import CredentialSource
from privet.connector.objects.gcs import GcsConnector, GcsLocation
from privet.connector.objects.s3 import S3Connector, S3Location

__all__ = [
    "AzureConnector",
    "AzureLocation",
    "CredentialSource",
    "GcsConnector",
    "GcsLocation",
    "S3Connector",
    "S3Location",
]
