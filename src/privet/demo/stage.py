"""What the acts of the demo share: the console, the running services, tokens, frames, clocks."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
from rich.console import Console
from rich.text import Text

from privet.client.rest import Rest
from privet.demo.devserver import Addresses
from privet.demo.objectstore import ObjectStore
from privet.demo.views import print_block

ANALYST = "demo_user2"
ANALYST_GROUP = "general_analyst_group"
ADMIN = "admin"
VISITOR = "visitor"
ROLE = "healthcare_analyst_role"
DATABASE = "medical_charges"
DATASET = "medical_charges.medical_costs"
DATASET_PATH = "/v1/datasets/medical_charges/medical_costs"
SOURCE = "s3://okera-lake/medical-costs"
KEY = "medical-costs/medical_costs.csv"
CRAWLER = "medical_charges_crawler"


@dataclass
class Clock:
    """How long each part took, in seconds, by its title."""

    laps: dict[str, float] = field(default_factory=dict[str, float])

    @contextmanager
    def lap(self, title: str) -> Generator[None]:
        """Time what runs inside."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.laps[title] = time.monotonic() - started


@dataclass
class Stage:
    """Everything that an act works on.

    `admin` is the steward's connection to the REST door; `tokens` and `frames` are by user;
    `aliases` are short names of permissions.
    """

    console: Console
    clock: Clock
    output: Path
    table: pa.Table
    store: ObjectStore
    addresses: Addresses
    admin: Rest
    tokens: dict[str, str] = field(default_factory=dict[str, str])
    frames: dict[str, pd.DataFrame] = field(default_factory=dict[str, pd.DataFrame])
    aliases: dict[str, str] = field(default_factory=dict[str, str])

    @contextmanager
    def step(self, number: int, title: str) -> Generator[None]:
        """Print a numbered heading and time what runs inside."""
        heading = f"{number}. {title}"
        self.console.print()
        self.console.print(Text(heading, "bold"))
        self.console.print(Text("-" * len(heading), "dim"))
        with self.clock.lap(heading):
            yield

    def say(self, sentence: str) -> None:
        """Print a line of explanation."""
        print_block(self.console, sentence, indent="  ")

    def done(self, sentence: str) -> None:
        """Print a line about something that was shown to hold."""
        print_block(self.console, sentence, indent="      ", mark="  ok  ")

    def short(self, permission_id: str) -> str:
        """A short name for a permission: `P1` for the first one named, and so on."""
        return self.aliases.setdefault(permission_id, f"P{len(self.aliases) + 1}")


def issue_token(stage: Stage, user: str, groups: tuple[str, ...]) -> datetime:
    """Have the admin issue a token, as an identity provider would; return when it ends."""
    body = {"user": user, "groups": list(groups), "lifetime": None}
    answer = stage.admin.post("/v1/tokens", body)
    stage.tokens[user] = answer["token"]
    return datetime.fromisoformat(answer["expires_at"])
