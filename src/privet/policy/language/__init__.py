"""The policy language: statements as text, as JSON, as English, and as values."""
