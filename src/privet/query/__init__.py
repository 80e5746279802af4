"""The asker: user SQL over governed streams, in processes that hold nothing else.

This is the server's side. It starts sandboxes (`privet.sandbox`), hands one to each statement in
fair turn, feeds it what it may read, takes its answer, and ends it.
"""

from privet.query.asker import Answer, Asked, Asker, Explained, Gone, Reading, Traced
from privet.query.feeding import Read
from privet.query.pool import AskerLimits, Askers, Behind
from privet.sandbox.wire import Own

__all__ = [
    "Answer",
    "Asked",
    "Asker",
    "AskerLimits",
    "Askers",
    "Behind",
    "Explained",
    "Gone",
    "Own",
    "Read",
    "Reading",
    "Traced",
]
