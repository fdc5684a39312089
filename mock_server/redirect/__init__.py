"""Make the providers' real host names lead to a mock on this machine, without root rights and without a hosts file.

`in_process` does it for the current Python process, `environment` for a child process of any kind.
"""
