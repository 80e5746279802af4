"""Use cases of definitions: databases, and tables over files."""

from privet.service.definitions.connected import Loaded, Made, default_place
from privet.service.definitions.databases import Databases
from privet.service.definitions.tables import Tables
from privet.service.definitions.writing import create_sql

__all__ = ["Databases", "Loaded", "Made", "Tables", "create_sql", "default_place"]
