"""Use cases of definitions: databases, and tables over files."""

from privet.service.definitions.databases import Databases
from privet.service.definitions.tables import Made, Tables
from privet.service.definitions.writing import create_sql

__all__ = ["Databases", "Made", "Tables", "create_sql"]
