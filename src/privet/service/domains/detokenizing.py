"""Turning tokens back into values: a right of its own, for a purpose, counted and limited."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from privet.catalog import Domain
from privet.model.errors import InvalidRequest, KeyVersionRetired
from privet.model.expressions import Call, ColumnSlot
from privet.model.permissions import AccessLevel, on_token_domain
from privet.policy import Need
from privet.privacy import KeyScope, bind
from privet.service.access import Act, administer
from privet.service.platform import Caller, Platform

MOST_TOKENS = 1_000
"""In one call."""
LONGEST_TOKEN = 4_096
_LONGEST_PURPOSE = 500
_TOKENIZE = Call("tokenize", (ColumnSlot(),))


class Detokenizing:
    """For those who hold DETOKENIZE on a domain. User SQL has no such function."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def detokenize(
        self,
        caller: Caller,
        name: str,
        tokens: Sequence[str],
        purpose: str,
        version: int | None = None,
    ) -> list[str | None]:
        """The values behind format-preserving tokens of a domain.

        Args:
            caller: who holds DETOKENIZE on it.
            name: of the domain.
            tokens: as `tokenize` made them; integers in decimal.
            purpose: why; it is on record.
            version: the key version under which they were made, if it is known.

        Returns:
            One for each token, integers in decimal; None for one that has no way back.

        Raises:
            Forbidden: the caller lacks the right.
            RateLimited: too many values in an hour.
            KeyVersionRetired: the tokens are of an earlier key version.
            NotFound: there is no such domain.
            InvalidRequest: no purpose, or too many or too long tokens.
        """
        act = Act(
            "token.detokenize",
            name,
            detail={"purpose": purpose[:_LONGEST_PURPOSE], "values": len(tokens)},
            needs=(Need(AccessLevel.DETOKENIZE, on_token_domain(name)),),
        )
        with administer(self._platform, caller, act) as asker:
            _check(tokens, purpose)
            domain = self._platform.catalog.domains.get(name)
            require_version(domain, version)
            # What was asked for counts, also what has no way back: it is a try.
            self._platform.catalog.budgets.spend(
                asker, len(tokens), self._platform.detokenized_an_hour
            )
            scope = KeyScope(domain.name, domain.version, domain.canonical)
            kernel = bind(_TOKENIZE, pa.string(), scope, self._platform.derive)
            return kernel.invert(pa.array(tokens, pa.string())).to_pylist()


def require_version(domain: Domain, version: int | None) -> None:
    """Check that a key version is the one in use.

    Raises:
        KeyVersionRetired: it was rotated away, or never was.
    """
    if version in (None, domain.version):
        return
    earlier = 1 <= version < domain.version
    raise KeyVersionRetired(
        f"token domain `{domain.name}` is at key version {domain.version}, not {version}",
        hint=f"turn old tokens into new ones by a map: `privet tokens retoken {domain.name}`"
        if earlier
        else "leave the version out",
    )


def _check(tokens: Sequence[str], purpose: str) -> None:
    if not purpose.strip() or not purpose.isprintable() or len(purpose) > _LONGEST_PURPOSE:
        raise InvalidRequest(
            "a purpose is needed", hint=f"say why in one line of at most {_LONGEST_PURPOSE} letters"
        )
    if not 1 <= len(tokens) <= MOST_TOKENS or any(len(t) > LONGEST_TOKEN for t in tokens):
        raise InvalidRequest(
            f"give 1 to {MOST_TOKENS} tokens of at most {LONGEST_TOKEN} characters",
            hint="ask several times",
        )
    if any(not _is_text(token) for token in tokens):
        raise InvalidRequest("a token is Unicode text", hint="lone surrogates are in no token")


def _is_text(token: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in token)
