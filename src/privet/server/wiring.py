"""The composition root: settings to platform, every pillar made once and closed in order."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from privet.audit import AuditLog
from privet.catalog import Catalog, LineageRule
from privet.classifier import BUILTIN_TAGS
from privet.connector import Connectors, CopyRoots, Databases, Endpoint, LakeCatalogs, Secrets
from privet.enforcement import Seal
from privet.identity import AdminRule, AttributeSources, Identity, SigningKeys
from privet.keys import EnvironmentKeys, FileKeys, KeyProvider, KeyRing, PluginKeys
from privet.model.errors import ConfigurationInvalid
from privet.policy import from_json, to_json
from privet.query import Askers
from privet.scan import BufferBudget, Engine
from privet.server.attributes import attribute_sources
from privet.server.settings import Settings
from privet.service import Platform, Services, catalog_endpoints, endpoints
from privet.store import Engine as StoreEngine
from privet.store import migrate, open_engine

MASTER_KEY_VARIABLE = "PRIVET_MASTER_KEY"


def now() -> datetime:
    """The clock of a server."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Instead:
    """What servers that tests make have instead of the usual. No setting leads to it.

    Attributes:
        identify: puts another identity before the usual one.
        redirect: puts another database for the one of a connection.
        lineage: says which tags views have.
    """

    identify: Callable[[Identity], Identity] = lambda identity: identity
    redirect: Callable[[Endpoint], Endpoint] = lambda endpoint: endpoint
    lineage: LineageRule = LineageRule.WHOLE


_NOTHING = Instead()


@contextmanager
def services(
    settings: Settings,
    roles: tuple[str, ...] = (),
    instead: Instead = _NOTHING,
) -> Generator[Services]:
    """All use cases over the settings' stores, keys and sources; closed at the end.

    Args:
        settings: complete and checked.
        roles: made at start if absent, besides the public role.
        instead: what else there is, in servers that tests make.

    Raises:
        ConfigurationInvalid, KeyUnavailable, StoreUnavailable: the server must not start.
    """
    prepare_state(settings.state_dir)
    # Before the stores exist: a master key made later would change every token.
    keys = KeyRing(key_provider(settings))
    keys.derive("check")
    attributes = attribute_sources(settings)
    with ExitStack() as stack:
        store = _store(settings, stack)
        audit = AuditLog(_audit_store(settings, store, stack), clock=now)
        stack.callback(audit.close)
        catalog = Catalog(store, to_json, from_json, clock=now, lineage=instead.lineage)
        catalog.ensure_builtin(BUILTIN_TAGS, roles)
        catalog.token_jobs.fail_interrupted()
        connectors = _connectors(settings)
        secrets = Secrets(settings.secret_entries())
        databases = _databases(settings, endpoints(catalog, secrets), instead.redirect)
        catalogs = _catalogs(settings, catalog, secrets, connectors)
        engine = Engine(connectors, BufferBudget(settings.buffer_bytes), databases, catalogs)
        stack.callback(engine.close)
        askers = Askers(settings.asker_limits(), _places(settings))
        stack.callback(askers.close)
        offered = Services(
            Platform(
                catalog=catalog,
                identity=instead.identify(_identity(store, settings, attributes)),
                audit=audit,
                connectors=connectors,
                copies=CopyRoots(connectors, settings.copy_roots),
                secrets=secrets,
                databases=databases,
                catalogs=catalogs,
                engine=engine,
                askers=askers,
                derive=keys.derive,
                seal=Seal(keys.derive),
                clock=now,
                longest_scan=timedelta(seconds=settings.max_scan_seconds),
                token_maps=settings.token_maps_dir or settings.state_dir / "token-maps",
                detokenized_an_hour=settings.detokenized_an_hour,
                rewriting=settings.rewriting,
                crawls_at_once=settings.crawls_at_once,
            )
        )
        stack.callback(offered.close)
        offered.crawls.tend()
        yield offered


def _connectors(settings: Settings) -> Connectors:
    return Connectors(
        settings.local_roots,
        settings.s3_locations(),
        settings.mirrors,
        settings.azure_locations(),
        settings.gcs_locations(),
    )


def _store(settings: Settings, stack: ExitStack) -> StoreEngine:
    store = open_engine(settings.store_url)
    stack.callback(store.dispose)
    migrate(store)
    return store


def _audit_store(settings: Settings, store: StoreEngine, stack: ExitStack) -> StoreEngine:
    if settings.audit_store_url == settings.store_url:
        return store
    own = open_engine(settings.audit_store_url)
    stack.callback(own.dispose)
    migrate(own)
    return own


def _databases(
    settings: Settings,
    find: Callable[[str], Endpoint],
    redirect: Callable[[Endpoint], Endpoint],
) -> Databases:
    return Databases(
        find,
        ca=settings.database_ca_file,
        seconds=settings.max_scan_seconds,
        redirect=redirect,
    )


def _catalogs(
    settings: Settings, catalog: Catalog, secrets: Secrets, connectors: Connectors
) -> LakeCatalogs:
    find = catalog_endpoints(catalog, secrets)
    return LakeCatalogs(find, connectors, ca=settings.database_ca_file)


@contextmanager
def local_identity(settings: Settings) -> Generator[Identity]:
    """Identity alone, over the settings' store and signing keys: to issue tokens.

    It does not look for attributes, so that a provider that is away cannot lock out administrators
    of the server's own machine.
    """
    store = open_engine(settings.store_url)
    try:
        migrate(store)
        yield _identity(store, settings, AttributeSources())
    finally:
        store.dispose()


def _identity(store: StoreEngine, settings: Settings, attributes: AttributeSources) -> Identity:
    return Identity(
        store,
        SigningKeys.ensure(settings.signing_keys, clock=now),
        issuer=settings.issuer,
        audience=settings.audience,
        attributes=attributes,
        admins=AdminRule.parse(settings.catalog_admins),
        token_lifetime=timedelta(seconds=settings.token_lifetime),
        clock=now,
    )


def _places(settings: Settings) -> Path:
    """Where sandboxes have their directories: fast, and for each start a new one."""
    place = settings.query_dir or Path(tempfile.gettempdir())
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def prepare_state(directory: Path) -> None:
    """Make the state directory, for its owner only.

    Raises:
        ConfigurationInvalid: it cannot be made.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationInvalid(
            f"the state directory `{directory}` cannot be made", hint="set state_dir"
        ) from error


def key_provider(settings: Settings) -> KeyProvider:
    """Where the master key comes from; made on the very first start, never afterwards."""
    if settings.key_provider:
        return PluginKeys(settings.key_provider, settings.key_provider_options)
    if settings.master_key_file is not None:
        return FileKeys(settings.master_key_file)
    if MASTER_KEY_VARIABLE in os.environ:
        return EnvironmentKeys(MASTER_KEY_VARIABLE)
    file = settings.state_dir / "master.key"
    fresh = not settings.database_url and not (settings.state_dir / "privet.db").exists()
    return FileKeys.create(file) if fresh and not file.exists() else FileKeys(file)
