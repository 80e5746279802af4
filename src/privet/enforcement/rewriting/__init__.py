"""A decision as SQL for another engine, where that can be said with the same meaning."""

from privet.enforcement.rewriting.engines import Engine, get_engine, list_engines
from privet.enforcement.rewriting.governed import governed
from privet.enforcement.rewriting.statements import Foreign, is_select, whole

__all__ = ["Engine", "Foreign", "get_engine", "governed", "is_select", "list_engines", "whole"]
