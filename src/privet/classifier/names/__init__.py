"""What columns' names say."""

from privet.classifier.names.naming import meaning_of

__all__ = ["meaning_of"]
