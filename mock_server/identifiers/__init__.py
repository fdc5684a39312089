"""Licence plate texts and vehicle identification numbers: formats, check digits, look-alikes, generators.

Knows neither pictures nor scenarios.
"""
