"""The built-in tags and the rules that propose them."""

from privet.classifier.library.content import CONTENT_RULES
from privet.classifier.library.named import NAME_RULES
from privet.classifier.library.tags import BUILTIN_TAGS
from privet.model.datasets import Rule

BUILTIN_RULES: tuple[Rule, ...] = (*NAME_RULES, *CONTENT_RULES)

__all__ = ["BUILTIN_RULES", "BUILTIN_TAGS"]
