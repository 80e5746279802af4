"""Object stores: addresses, credentials, listings."""

from privet.connector.objects.credentials import CredentialSource
from privet.connector.objects.s3 import S3Connector, S3Location

__all__ = ["CredentialSource", "S3Connector", "S3Location"]
