"""Key providers that others wrote: a key management service, a hardware module."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import NoReturn

from privet.keys.base import MASTER_BYTES, KeyProvider
from privet.model.errors import KeyUnavailable

GROUP = "privet.key_providers"
"""The group of entry points. What one names is called with the options, and gives a provider."""
_OF_OTHERS = (ArithmeticError, AttributeError, ImportError, LookupError, OSError, RuntimeError,
              TypeError, ValueError)  # fmt: skip


class PluginKeys:
    """A provider found by the name of its entry point.

    What it says when it fails is left out, in errors and in tracebacks: its words could hold
    credentials, or the key. It may log them itself.
    """

    def __init__(self, name: str, options: Mapping[str, str] | None = None) -> None:
        self._name = name
        self._provider = self._load(dict(options or {}))

    def __repr__(self) -> str:
        return f"PluginKeys({self._name!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key provider cannot be copied or pickled")

    def master(self) -> bytes:
        """The master key.

        Raises:
            KeyUnavailable: it cannot be had, or has not 32 bytes.
        """
        try:
            key = self._provider.master()
        except KeyUnavailable:
            raise
        except _OF_OTHERS as error:
            raise self._failed("has no key", error) from None
        if not isinstance(key, bytes) or len(key) != MASTER_BYTES:  # pyright: ignore[reportUnnecessaryIsInstance] - others wrote it
            raise KeyUnavailable(
                f"key provider `{self._name}` gave no key of {MASTER_BYTES} bytes",
                hint="a master key is 32 random bytes",
            )
        return key

    def _load(self, options: Mapping[str, str]) -> KeyProvider:
        found = {point.name: point for point in entry_points(group=GROUP)}
        if self._name not in found:
            known = ", ".join(sorted(found)) or "none"
            raise KeyUnavailable(
                f"there is no key provider `{self._name}`",
                hint=f"install the package that has it; installed are: {known}",
            )
        try:
            return found[self._name].load()(options)
        except KeyUnavailable:
            raise
        except _OF_OTHERS as error:
            raise self._failed("cannot be made", error) from None

    def _failed(self, what: str, error: BaseException) -> KeyUnavailable:
        return KeyUnavailable(
            f"key provider `{self._name}` {what}: it raised {type(error).__name__}",
            hint="look into its own log, and check key_provider_options",
        )
