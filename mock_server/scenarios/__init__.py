"""Fixture files: reading, checking, watching. What they say is compiled to the plain values of the core."""
