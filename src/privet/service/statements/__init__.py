"""Statements of the policy language: parsed, then the same use cases as everywhere."""

from privet.service.statements.executing import Offered, Statements
from privet.service.statements.results import StatementResult

__all__ = ["Offered", "StatementResult", "Statements"]
