"""What the privacy functions of a statement are keyed with: never as a policy's."""

from __future__ import annotations

from privet.model.datasets import View
from privet.model.principals import Principal
from privet.query import Own
from privet.service.platform import Platform

_SEED_BYTES = 32


def own_of_query(platform: Platform, asker: Principal) -> Own:
    """Of a statement that somebody asks: whoever asks is whoever wrote it."""
    secret = platform.derive("own", asker.issuer, asker.user)
    met = platform.circumstances
    return Own(secret, secret, met.chance(_SEED_BYTES), today=met.today)


def own_of_view(platform: Platform, view: View, identifier: str, reader: Principal) -> Own:
    """Of a view's statement: its tokens are alike for all readers, but for those they signed.

    They are its definer's, whose other views have the same. No key is one that somebody's own
    statements have, or readers would look up tokens by writing down what they may stand for.

    Args:
        platform: of the server.
        view: what is read.
        identifier: of it as a dataset.
        reader: who reads it.
    """
    made, met = ("view", *view.definer), platform.circumstances
    return Own(
        secret=platform.derive(*made, "reader", reader.issuer, reader.user),
        shared=platform.derive(*made),
        seed=met.chance(_SEED_BYTES),
        place=identifier,
        today=met.today,
    )
