"""Settings of the places that data lies in."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from privet.connector import AzureLocation, CredentialSource, GcsLocation, S3Location


class S3Settings(BaseModel):
    """One S3-compatible location. Without credentials, an endpoint's is read anonymously."""

    model_config = ConfigDict(extra="forbid")

    bucket: str = Field("*", description="bucket name, or * for every bucket of the endpoint")
    prefix: str = Field("", description="only objects below this prefix")
    endpoint: str = Field("", description="URL of the endpoint; empty for AWS")
    region: str = Field("us-east-1", description="region to sign for")
    access_key: SecretStr | None = Field(None, description="access key id")
    secret_key: SecretStr | None = Field(None, description="secret access key")
    session_token: SecretStr | None = Field(None, description="token of temporary credentials")
    credentials: CredentialSource | None = Field(
        None,
        description="`keys`, `environment`, `file`, `instance`, `default` or `anonymous`; without"
        " it: keys if there are any, else anonymous at an endpoint, and the machine's on AWS",
    )
    variables: str = Field(
        "", description="for `environment`: what stands before AWS_ACCESS_KEY_ID and its like"
    )
    credentials_file: Path | None = Field(
        None, description="for `file`: a shared credentials file, read again when it changes"
    )
    profile: str = Field("default", description="for `file`: the profile in it")
    timeout: float = Field(
        30, description="seconds without an answer after which a request is tried again", gt=0
    )
    path_style: bool = Field(True, description="bucket in the path instead of the host name")
    ca: Path | None = Field(None, description="PEM file of the authority behind the endpoint")

    def location(self) -> S3Location:
        """As the connector takes it."""
        return S3Location(
            bucket=self.bucket,
            prefix=self.prefix,
            endpoint=self.endpoint,
            region=self.region,
            access_key=_reveal(self.access_key),
            secret_key=_reveal(self.secret_key),
            session_token=_reveal(self.session_token),
            credentials=self.credentials,
            variables=self.variables,
            file=self.credentials_file,
            profile=self.profile,
            timeout=self.timeout,
            path_style=self.path_style,
            ca="" if self.ca is None else str(self.ca),
        )


class AzureSettings(BaseModel):
    """One location in Azure Blob Storage. Without credentials, those of the machine are used."""

    model_config = ConfigDict(extra="forbid")

    account: str = Field(description="name of the storage account")
    container: str = Field("*", description="container, or * for every one of the account")
    prefix: str = Field("", description="only blobs below this prefix")
    endpoint: str = Field("", description="URL of the endpoint; empty for Azure itself")
    account_key: SecretStr | None = Field(None, description="key of the account")
    sas_token: SecretStr | None = Field(None, description="instead, a SAS token")
    tenant_id: str | None = Field(None, description="instead, an application: its tenant")
    client_id: str | None = Field(
        None, description="its id; without a tenant, which managed identity to use"
    )
    client_secret: SecretStr | None = Field(None, description="its secret")

    def location(self) -> AzureLocation:
        """As the connector takes it."""
        return AzureLocation(
            account=self.account,
            container=self.container,
            prefix=self.prefix,
            endpoint=self.endpoint,
            account_key=_reveal(self.account_key),
            sas_token=_reveal(self.sas_token),
            tenant_id=self.tenant_id,
            client_id=self.client_id,
            client_secret=_reveal(self.client_secret),
        )


class GcsSettings(BaseModel):
    """One location in Google Cloud Storage, read with the credentials of the machine."""

    model_config = ConfigDict(extra="forbid")

    bucket: str = Field("*", description="bucket name, or * for every bucket")
    prefix: str = Field("", description="only objects below this prefix")
    endpoint: str = Field("", description="URL of the endpoint, read anonymously; empty for Google")
    anonymous: bool = Field(False, description="whether to read without credentials")
    service_account: str = Field("", description="service account to act as")
    timeout: float = Field(30, description="seconds for which a request is tried again", gt=0)

    def location(self) -> GcsLocation:
        """As the connector takes it."""
        return GcsLocation(
            container=self.bucket,
            prefix=self.prefix,
            endpoint=self.endpoint,
            anonymous=self.anonymous,
            service_account=self.service_account,
            timeout=self.timeout,
        )


def _reveal(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
