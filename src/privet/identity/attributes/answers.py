"""What is said where a provider gives no answer that can be used."""

from __future__ import annotations

from privet.model.errors import AttributesUnavailable

MOST_BYTES = 256 * 1024
"""Of one answer."""


def unavailable(why: str) -> AttributesUnavailable:
    """The refusal for want of an answer; `why` is a class of problem, never what was said."""
    return AttributesUnavailable(
        f"the attributes of the user cannot be known: {why}",
        hint="try again in a moment; if it stays so, an administrator has to look at the provider",
    )


def slow() -> AttributesUnavailable:
    """It took too long."""
    return unavailable("the provider did not answer in time")


def too_long() -> AttributesUnavailable:
    """It said more than `MOST_BYTES`."""
    return unavailable("the provider's answer is too long")
