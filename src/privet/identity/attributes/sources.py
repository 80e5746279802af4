"""What is known of a user beside groups, put together from where it is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from privet.identity.attributes.cache import ProvidedAttributes
from privet.identity.attributes.file import AttributeFile

BUILT_IN = "whoami"
"""Always the user's name, whatever a source says."""

CLAIMS = ("attributes",)
"""The claims of a token that become attributes, unless settings name others."""


class AttributeSources:
    """The sources of a server, in the order in which a later one wins."""

    def __init__(
        self,
        claims: Sequence[str] = CLAIMS,
        file: AttributeFile | None = None,
        provider: ProvidedAttributes | None = None,
    ) -> None:
        self.claims = tuple(claims)
        self._file = file
        self._provider = provider

    def of(
        self, issuer: str, user: str, claimed: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """The attributes of a user; `claimed` are those of the token.

        Raises:
            AttributesUnavailable: one of the sources cannot say. Without what it would have said,
                a filter could show more, so there is no answer at all.
        """
        filed = self._file.of(user) if self._file is not None else {}
        provided = self._provider.of(issuer, user) if self._provider is not None else {}
        return {**(claimed or {}), **filed, **provided, BUILT_IN: user}
