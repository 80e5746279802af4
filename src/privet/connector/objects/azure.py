"""Blobs of Azure, with hierarchical namespaces or without."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pyarrow import fs

from privet.connector.base import shown
from privet.connector.objects.addresses import are_parts, is_endpoint
from privet.connector.objects.arrow import ANY, ArrowObjects
from privet.model.errors import ConfigurationInvalid

SCHEME = "abfs"
_CONTAINER = re.compile(r"[a-z0-9](?:[a-z0-9]|-(?!-)){1,61}[a-z0-9]")
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureLocation:
    """How a container of an account is reached (`*`: any that no other location names).

    `endpoint` is `http(s)://host:port`; empty means Azure itself. Requests are authorised by the
    account's key, by a SAS token, or as an application; without any of these, as the machine:
    environment, workload and managed identity are tried in the order of Azure's own tools, and
    `client_id` alone says which managed identity.

    Raises:
        ConfigurationInvalid: two kinds of credentials or half of one, or a name that is none.
    """

    account: str
    container: str = ANY
    prefix: str = ""
    endpoint: str = ""
    account_key: str | None = field(default=None, repr=False)
    sas_token: str | None = field(default=None, repr=False)
    tenant_id: str | None = None
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not _ACCOUNT.fullmatch(self.account):
            raise ConfigurationInvalid(f"`{shown(self.account)}` is not the name of an account")
        if self.container != ANY and not _CONTAINER.fullmatch(self.container):
            raise ConfigurationInvalid(f"`{shown(self.container)}` is not the name of a container")
        if self.prefix and not are_parts(self.prefix.split("/")):
            raise ConfigurationInvalid(f"`{shown(self.prefix)}` is not the prefix of blobs")
        if self.endpoint and not is_endpoint(self.endpoint):
            raise ConfigurationInvalid(
                f"`{shown(self.endpoint)}` is not an endpoint of Azure",
                hint="write it as https://host:port, without a path or credentials",
            )
        if bool(self.tenant_id) != bool(self.client_secret) or (
            self.client_secret and not self.client_id
        ):
            raise ConfigurationInvalid(
                f"the location of account `{self.account}` has half of an application",
                hint="give tenant_id, client_id and client_secret, or client_id alone",
            )
        kinds = (self.account_key, self.sas_token, self.client_id)
        if sum(bool(kind) for kind in kinds) > 1:
            raise ConfigurationInvalid(
                f"the location of account `{self.account}` has several credentials",
                hint="give one of account_key, sas_token and an application",
            )

    def connect(self) -> fs.FileSystem:
        """What reads it."""
        given: dict[str, Any] = {}
        if self.endpoint:
            parts = urlsplit(self.endpoint)
            for service in ("blob", "dfs"):
                given[f"{service}_storage_authority"] = parts.netloc
                given[f"{service}_storage_scheme"] = parts.scheme
        return fs.AzureFileSystem(
            self.account,
            account_key=self.account_key,
            sas_token=self.sas_token,
            tenant_id=self.tenant_id,
            client_id=self.client_id,
            client_secret=self.client_secret,
            **given,
        )


class AzureConnector(ArrowObjects):
    """Reads `abfs://container/path`; the account is that of the location."""

    def __init__(self, locations: Sequence[AzureLocation]) -> None:
        super().__init__(SCHEME, _CONTAINER, locations)
