"""Transforms without a key: what hides a value, or leaves only a coarser one."""
