"""Fictitious data, a real object store to hold it, and the acceptance flow as code."""

from privet.demo.generate import generate, write_csv
from privet.demo.objectstore import ObjectStore, StoreKeys

__all__ = ["ObjectStore", "StoreKeys", "generate", "write_csv"]
