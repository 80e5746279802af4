"""Token domains: which tags they serve, which datasets are in them, and what becomes of keys."""
