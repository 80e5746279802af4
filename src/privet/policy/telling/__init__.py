"""Decisions in words: one of them explained, and what differs between two."""
