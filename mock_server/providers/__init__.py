"""The providers. Each reads its own wire format and writes its own replies; the core decides what they are."""
