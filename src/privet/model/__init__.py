"""Frozen values that every room speaks in. Imports nothing of Privet's but itself."""
