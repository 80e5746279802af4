"""`privet policy`: tags, rules, roles and permissions as files that live in git."""

from privet.cli.policies.commands import add_to

__all__ = ["add_to"]
