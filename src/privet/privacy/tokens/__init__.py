"""Tokens and digests under a key, and the ciphers they are made with."""
