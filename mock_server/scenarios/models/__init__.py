"""The models of fixture files: what may be written, and what it means."""
