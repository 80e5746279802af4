"""The process that runs user SQL: it holds governed batches and nothing else.

`python -m privet.sandbox` is a template that is forked once for each statement; `privet.query` is
its other end. This room imports `model` and `privacy` only, and what it is sent is what it has.
"""

from privet.sandbox.wire import Channel, Limits

__all__ = ["Channel", "Limits"]
