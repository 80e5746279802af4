"""What is said about tokens beside facts: profiles of columns."""

from privet.model.tokens.profiles import Profile

__all__ = ["Profile"]
