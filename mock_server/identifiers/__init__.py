"""Licence plate texts and VINs: formats, check digits, similar characters, random examples."""
