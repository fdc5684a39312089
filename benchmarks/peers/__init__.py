"""Servers to compare with: how little each of them does is what makes it a measure."""
