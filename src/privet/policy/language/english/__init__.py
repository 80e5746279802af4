"""Permissions and filters in words, for people who read neither SQL nor JSON."""

from privet.policy.language.english.filters import condition_english
from privet.policy.language.english.sentences import filter_english, to_english

__all__ = ["condition_english", "filter_english", "to_english"]
