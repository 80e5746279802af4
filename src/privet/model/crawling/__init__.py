"""Crawls, and what they find, report and remember."""
