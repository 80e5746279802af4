"""Where the credentials of a location come from: its settings, the machine, or nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from privet.model.errors import SourceUnavailable

_INSTANCE_SECONDS = 2
_INSTANCE_ATTEMPTS = 2
_ENDPOINT_VARIABLE = "AWS_EC2_METADATA_SERVICE_ENDPOINT"


class CredentialSource(StrEnum):
    """Where a location's credentials come from."""

    KEYS = "keys"
    """The settings themselves."""
    ENVIRONMENT = "environment"
    """`AWS_ACCESS_KEY_ID` and its like in the environment of the server."""
    FILE = "file"
    """A profile of a file as the AWS tools keep it; read again when it changes."""
    INSTANCE = "instance"
    """The role of the machine or container that the server runs on."""
    DEFAULT = "default"
    """The first of these that the AWS tools would find."""
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Keys:
    """What requests are signed with."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


Find = Callable[[], Keys | None]
"""Gives the keys of now; None: requests are anonymous. Safe to call from several threads.

Raises:
    SourceUnavailable: there are none where they should be.
"""


def fixed(keys: Keys | None) -> Find:
    """The same keys each time."""
    return lambda: keys


def from_environment(prefix: str = "") -> Find:
    """Keys in variables: `AWS_ACCESS_KEY_ID` and its like, each behind `prefix`."""

    def find() -> Keys:
        def value(name: str) -> str | None:
            return os.environ.get(f"{prefix}AWS_{name}") or None

        access, secret = value("ACCESS_KEY_ID"), value("SECRET_ACCESS_KEY")
        if access is None or secret is None:
            raise _none("the environment of the server")
        return Keys(access, secret, value("SESSION_TOKEN"))

    return find


def from_file(path: Path, profile: str) -> Find:
    """Keys in a profile of a shared credentials file, read again whenever the file changes."""
    from botocore.credentials import SharedCredentialProvider

    read: tuple[int, Keys] | None = None

    def find() -> Keys:
        nonlocal read
        try:
            changed = path.stat().st_mtime_ns
        except OSError as error:
            raise _none("their file") from error
        known = read
        if known is not None and known[0] == changed:
            return known[1]
        provider = SharedCredentialProvider(str(path), profile)
        keys = _frozen(provider.load, "their file")
        read = (changed, keys)
        return keys

    return find


def from_instance() -> Find:
    """The role of the container or machine, asked for again before it expires."""
    from botocore.credentials import ContainerProvider, InstanceMetadataProvider
    from botocore.utils import InstanceMetadataFetcher

    endpoint = os.environ.get(_ENDPOINT_VARIABLE)
    fetcher = InstanceMetadataFetcher(
        timeout=_INSTANCE_SECONDS,
        num_attempts=_INSTANCE_ATTEMPTS,
        config={"ec2_metadata_service_endpoint": endpoint} if endpoint else None,
    )
    machine = InstanceMetadataProvider(iam_role_fetcher=fetcher)
    return _refreshed(lambda: ContainerProvider().load() or machine.load(), "this machine's role")


def from_anywhere() -> Find:
    """What the AWS tools would find: environment, files, web identity, container, machine."""
    from botocore.session import Session

    return _refreshed(lambda: Session().get_credentials(), "any place of this machine")


def _refreshed(load: Callable[[], object], place: str) -> Find:
    # botocore's credentials refresh themselves when their keys are asked for.
    loaded: object | None = None

    def find() -> Keys:
        nonlocal loaded

        def once() -> object:
            nonlocal loaded
            loaded = loaded or load()
            return loaded

        return _frozen(once, place)

    return find


def _frozen(load: Callable[[], object], place: str) -> Keys:
    from botocore.exceptions import BotoCoreError

    try:
        found = load()
        frozen = None if found is None else found.get_frozen_credentials()  # pyright: ignore[reportAttributeAccessIssue]
    except (BotoCoreError, OSError) as error:
        raise _none(place) from error
    if frozen is None or not frozen.access_key:
        raise _none(place)
    return Keys(frozen.access_key, frozen.secret_key, frozen.token or None)


def _none(place: str) -> SourceUnavailable:
    return SourceUnavailable(
        f"no credentials were found in {place}",
        hint="check `credentials` of this location in the server's settings",
    )
