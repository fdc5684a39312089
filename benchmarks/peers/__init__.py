"""Servers to compare with; each of them does as little as possible."""
