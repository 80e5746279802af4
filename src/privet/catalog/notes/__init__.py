"""Small texts that clients keep by key."""

from privet.catalog.notes.notes import Notes

__all__ = ["Notes"]
