"""Statements of the policy language: parsed, then the same use cases as everywhere."""

from privet.service.statements.executing import Offered, Statements
from privet.service.statements.grants import GRANT_COLUMNS, grant_rows
from privet.service.statements.results import StatementResult

__all__ = ["GRANT_COLUMNS", "Offered", "StatementResult", "Statements", "grant_rows"]
