"""What the use cases stand on, put together once by the composition root."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_bytes

from privet.audit import AuditLog
from privet.catalog import Catalog
from privet.connector import Connectors, CopyRoots, Databases, LakeCatalogs, Secrets
from privet.enforcement import Seal
from privet.identity import Identity
from privet.model.principals import Credentials
from privet.privacy import Circumstances, Derive
from privet.query import Askers
from privet.scan import Engine
from privet.service.running import Running


@dataclass(frozen=True, slots=True)
class Platform:
    """The pillars of one server. `derive` gives keys to enforcement and to nobody else."""

    catalog: Catalog
    identity: Identity
    audit: AuditLog
    connectors: Connectors
    copies: CopyRoots
    secrets: Secrets
    databases: Databases
    catalogs: LakeCatalogs
    engine: Engine
    askers: Askers
    derive: Derive
    seal: Seal
    clock: Callable[[], datetime]
    longest_scan: timedelta = timedelta(hours=1)
    token_maps: Path | None = None
    """Where maps between key versions are written; nowhere without it."""
    crawls_at_once: int = 4
    """Crawls that this server runs side by side; others wait."""
    detokenized_an_hour: int = 10_000
    """Values that each principal may have turned back."""
    rewriting: bool = False
    """Whether readers may have statements for other engines, which name their filters."""
    running: Running = field(default_factory=Running)

    @property
    def circumstances(self) -> Circumstances:
        """What transforms need besides keys: chance, and the day by our clock."""
        return Circumstances(token_bytes, self.clock().date())


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as a door saw it: credentials not yet checked, and the door's name."""

    credentials: Credentials
    door: str
