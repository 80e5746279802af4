"""Proposes tags with evidence: a built-in library, and rules that stewards write. Pure."""

from privet.classifier.classify import ColumnSample, classify
from privet.classifier.library import BUILTIN_RULES, BUILTIN_TAGS
from privet.classifier.patterns import check_rule

__all__ = ["BUILTIN_RULES", "BUILTIN_TAGS", "ColumnSample", "check_rule", "classify"]
