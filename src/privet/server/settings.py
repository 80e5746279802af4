"""Settings: a TOML file, and `PRIVET_*` variables that win over it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from privet.connector import AzureLocation, GcsLocation, S3Location, SecretEntry
from privet.model.errors import ConfigurationInvalid
from privet.query import AskerLimits
from privet.server.places import AzureSettings, GcsSettings, S3Settings

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class SecretSettings(BaseModel):
    """A secret that connections name: in a file or a variable, for some hosts."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        description="as connections name it, secret:NAME; or a whole reference of another store"
    )
    hosts: list[str] = Field(description="hosts that may be told it")
    file: Path | None = Field(None, description="file that holds it")
    variable: str = Field("", description="instead, the environment variable that holds it")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.file is None) == (not self.variable):
            raise ValueError("a secret is in a file or in a variable")
        return self


class Settings(BaseSettings):
    """Everything a server can be told. Defaults are safe: TLS, nobody is an administrator."""

    model_config = SettingsConfigDict(env_prefix="PRIVET_", extra="forbid")
    toml_file: ClassVar[Path | None] = None

    state_dir: Path = Field(Path("/var/lib/privet"), description="directory of the server's files")
    database_url: str = Field("", description="store; default: SQLite in the state directory")
    audit_url: str = Field(
        "", description="audit store; default: a SQLite file of its own, or the PostgreSQL store"
    )
    master_key_file: Path | None = Field(
        None,
        description="0600 file with the 32-byte master key; without it PRIVET_MASTER_KEY is read",
    )
    key_provider: str = Field(
        "", description="plug-in that has the master key, by its name among entry points"
    )
    key_provider_options: dict[str, str] = Field(
        default_factory=dict[str, str], description="what that plug-in is told; no place for keys"
    )
    token_maps_dir: Path | None = Field(
        None,
        description="folder that maps between key versions are written to; default: in state_dir",
    )
    detokenized_an_hour: int = Field(
        10_000, description="values that each user may have turned back in an hour", ge=0
    )
    signing_keys_file: Path | None = Field(
        None, description="0600 file of the token signing keys; default: in the state directory"
    )
    issuer: str = Field("privet", description="issuer of our tokens")
    audience: str = Field("privet", description="audience of our tokens")
    catalog_admins: list[str] = Field(
        default_factory=list[str],
        description="administrators: user:NAME, group:NAME or NAME of a local user",
    )
    token_lifetime: int = Field(900, description="seconds that a token lives", gt=0)
    rest_host: str = Field("127.0.0.1", description="address of the REST door")
    rest_port: int = Field(8083, description="port of the REST door", ge=0, le=65535)
    flight_host: str = Field("127.0.0.1", description="address of the Flight door")
    flight_port: int = Field(8815, description="port of the Flight door", ge=0, le=65535)
    okera: bool = Field(False, description="whether the okera door opens")
    okera_host: str = Field("127.0.0.1", description="address of the okera door")
    okera_port: int = Field(12050, description="port of the okera door", ge=0, le=65535)
    okera_tls: bool = Field(True, description="TLS on the okera door; off only on loopback")
    rewriting: bool = Field(
        False, description="whether readers may have statements for other engines, filters in them"
    )
    one_port: int | None = Field(
        None, description="one port that leads to every door, besides their own", ge=0, le=65535
    )
    one_port_host: str = Field("127.0.0.1", description="address of that port")
    public_host: str = Field(
        "", description="name by which clients reach the doors; default: the host"
    )
    tls_cert: Path | None = Field(None, description="PEM certificate chain of the doors")
    tls_key: Path | None = Field(None, description="PEM key of the certificate")
    rest_tls: bool = Field(True, description="TLS on the REST door; off only on loopback")
    local_roots: list[Path] = Field(
        default_factory=list[Path], description="directories below which local sources may lie"
    )
    s3: list[S3Settings] = Field(
        default_factory=list[S3Settings], description="S3-compatible locations"
    )
    azure: list[AzureSettings] = Field(
        default_factory=list[AzureSettings], description="locations in Azure Blob Storage"
    )
    gcs: list[GcsSettings] = Field(
        default_factory=list[GcsSettings], description="locations in Google Cloud Storage"
    )
    secrets: list[SecretSettings] = Field(
        default_factory=list[SecretSettings], description="secrets that connections name"
    )
    database_ca_file: Path | None = Field(
        None, description="PEM file of the authorities behind databases; default: the system's"
    )
    mirrors: dict[str, Path] = Field(
        default_factory=dict[str, Path],
        description="folders that stand for buckets of S3, by the bucket's name",
    )
    copy_roots: list[str] = Field(
        default_factory=list[str],
        description="folders within sources that copies are written below, the first by default",
    )
    max_scan_seconds: int = Field(3600, description="longest time that a scan may take", gt=0)
    buffer_bytes: int = Field(
        192 * 1024 * 1024, description="raw bytes that all scans together read ahead", gt=0
    )
    crawls_at_once: int = Field(
        4, description="crawls that run side by side; others wait", gt=0, le=64
    )
    query_workers: int = Field(4, description="SQL queries that run at once", gt=0, le=256)
    query_memory: int = Field(
        512 * 1024 * 1024,
        description="bytes that the engine of one query may hold",
        ge=64 * 1024 * 1024,
    )
    query_seconds: int = Field(600, description="longest time that a query may take", gt=0)
    query_wait_seconds: int = Field(
        30, description="longest time that a query waits for others to end", gt=0
    )
    query_threads: int = Field(2, description="threads of one query", gt=0, le=64)
    query_spill: int = Field(
        4 * 1024 * 1024 * 1024, description="bytes that one query may spill to disk", ge=0
    )
    query_dir: Path | None = Field(
        None, description="directory for what queries spill; default: that for temporary files"
    )
    user_attributes_claims: list[str] = Field(
        ["attributes"], description="claims of tokens that become attributes of the user"
    )
    user_attributes_file: Path | None = Field(
        None, description="TOML or JSON file of attributes, that only its owner may write"
    )
    user_attributes_command: list[str] = Field(
        default_factory=list[str],
        description="program and arguments that print a user's attributes as JSON",
    )
    user_attributes_url: str = Field(
        "", description="instead of a program, an https address that answers with them"
    )
    user_attributes_ca: Path | None = Field(
        None, description="PEM file of the authority behind that address"
    )
    user_attributes_token: SecretStr | None = Field(
        None, description="bearer token for that address"
    )
    user_attributes_token_file: Path | None = Field(
        None, description="instead, a 0600 file of it, read at each call"
    )
    user_attributes_seconds: int = Field(
        5, description="longest time that the program or address may take", gt=0, le=60
    )
    user_attributes_cache_seconds: int = Field(
        300, description="seconds that its answer about a user holds", ge=0, le=24 * 3600
    )

    @classmethod
    def load(cls, file: Path | None, **given: Any) -> Settings:
        """Read a file (or none) and the environment; what is `given` wins.

        Raises:
            ConfigurationInvalid: an unknown key, a value that does not fit, half-set security.
        """
        if file is not None and not file.is_file():
            raise ConfigurationInvalid(f"the settings file `{file}` does not exist")
        bound = type("Settings", (cls,), {"toml_file": file, "__module__": cls.__module__})
        try:
            return bound(**given)
        except ValidationError as error:
            raise ConfigurationInvalid(
                _told(error), hint="see docs/reference/settings.md"
            ) from None
        except ValueError as error:
            raise ConfigurationInvalid("the settings cannot be read as TOML or JSON") from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The order of precedence: arguments, environment, file."""
        toml = TomlConfigSettingsSource(settings_cls, cls.toml_file)
        return (init_settings, env_settings, toml)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key belong together")
        if self.tls_cert is None:
            raise ValueError("tls_cert and tls_key are needed: tokens travel on these connections")
        if not self.rest_tls and self.rest_host not in LOOPBACK:
            raise ValueError("rest_tls can be off only on loopback")
        if not self.okera_tls and self.okera_host not in LOOPBACK:
            raise ValueError("okera_tls can be off only on loopback")
        if self.one_port is not None and not (self.rest_tls and self.okera_tls and self.okera):
            raise ValueError("one_port leads to doors with TLS: it needs okera, and TLS on each")
        return self

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if self.key_provider and self.master_key_file is not None:
            raise ValueError("key_provider and master_key_file exclude each other")
        if self.key_provider_options and not self.key_provider:
            raise ValueError("key_provider_options are for a key_provider")
        return self

    @model_validator(mode="after")
    def _one_provider(self) -> Self:
        if self.user_attributes_command and self.user_attributes_url:
            raise ValueError("user_attributes_command and user_attributes_url exclude each other")
        if self.user_attributes_token is not None and self.user_attributes_token_file is not None:
            raise ValueError(
                "user_attributes_token and user_attributes_token_file exclude each other"
            )
        of_url = (
            self.user_attributes_ca,
            self.user_attributes_token,
            self.user_attributes_token_file,
        )
        if not self.user_attributes_url and any(given is not None for given in of_url):
            raise ValueError("user_attributes_ca and _token are for a user_attributes_url")
        return self

    def asker_limits(self) -> AskerLimits:
        """What queries may use."""
        return AskerLimits(
            workers=self.query_workers,
            spare=min(2, self.query_workers),
            memory=self.query_memory,
            seconds=self.query_seconds,
            wait_seconds=self.query_wait_seconds,
            threads=self.query_threads,
            spill=self.query_spill,
        )

    @property
    def store_url(self) -> str:
        """The store's URL with its default."""
        return self.database_url or f"sqlite:///{self.state_dir / 'privet.db'}"

    @property
    def audit_store_url(self) -> str:
        """The audit's URL with its default."""
        if self.audit_url:
            return self.audit_url
        if self.database_url.startswith("postgresql"):
            return self.database_url
        return f"sqlite:///{self.state_dir / 'audit.db'}"

    @property
    def signing_keys(self) -> Path:
        """The signing keys' file with its default."""
        return self.signing_keys_file or self.state_dir / "signing-keys.json"

    def s3_locations(self) -> tuple[S3Location, ...]:
        """The S3 locations as the connector takes them."""
        return tuple(s.location() for s in self.s3)

    def azure_locations(self) -> tuple[AzureLocation, ...]:
        """The Azure locations as the connector takes them."""
        return tuple(s.location() for s in self.azure)

    def gcs_locations(self) -> tuple[GcsLocation, ...]:
        """The GCS locations as the connector takes them."""
        return tuple(s.location() for s in self.gcs)

    def secret_entries(self) -> tuple[SecretEntry, ...]:
        """The secrets as the connector takes them."""
        return tuple(
            SecretEntry(s.name, frozenset(s.hosts), s.file, s.variable) for s in self.secrets
        )


def _told(error: ValidationError) -> str:
    """Which settings are wrong, without their values: these may be secrets."""
    parts = (
        f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg'].removeprefix('Value error, ')}"
        for e in error.errors(include_input=False, include_context=False)
    )
    return "; ".join(parts)
