"""The rehearsal report: what the tests have exercised, and how the client behaved.

`counted.py` collects what is needed of a running mock, `building.py` makes the report from it, and the other files
write the report.
"""
