"""Attributes of users: from settings to the sources that identity looks into."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from privet.identity import (
    AttributeFile,
    AttributeSources,
    CommandProvider,
    ProvidedAttributes,
    TokenFile,
    UrlProvider,
)
from privet.model.errors import ConfigurationInvalid
from privet.server.settings import Settings


def attribute_sources(settings: Settings) -> AttributeSources:
    """All sources that are set, looked at once.

    Raises:
        ConfigurationInvalid: one of them cannot be used; the server must not start.
    """
    file = settings.user_attributes_file
    return AttributeSources(
        settings.user_attributes_claims,
        None if file is None else AttributeFile(file),
        _provided(settings),
    )


def _provided(settings: Settings) -> ProvidedAttributes | None:
    seconds = settings.user_attributes_seconds
    if settings.user_attributes_command:
        ask = CommandProvider(settings.user_attributes_command, seconds=seconds).ask
    elif settings.user_attributes_url:
        ask = UrlProvider(
            settings.user_attributes_url,
            seconds=seconds,
            tls=_trust(settings),
            token=_token(settings),
        ).ask
    else:
        return None
    keep = settings.user_attributes_cache_seconds
    return ProvidedAttributes(ask, seconds=seconds, keep_seconds=keep)


def _trust(settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    file = settings.user_attributes_ca
    if file is not None:
        try:
            context.load_verify_locations(cafile=file)
        except (OSError, ValueError) as error:
            raise ConfigurationInvalid(
                f"user_attributes_ca `{file}` is no PEM file of certificates that can be read"
            ) from error
    return context


def _token(settings: Settings) -> Callable[[], str] | None:
    if settings.user_attributes_token_file is not None:
        return TokenFile(settings.user_attributes_token_file).read
    if settings.user_attributes_token is None:
        return None
    return settings.user_attributes_token.get_secret_value
