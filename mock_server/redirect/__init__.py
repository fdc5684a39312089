"""The providers' real host names, leading to a mock on this machine without root and without a hosts file.

`in_process` does it for the current Python process, `environment` for a child of any kind.
"""
