"""Make the providers' real host names lead to a mock on this machine, without root rights and without a hosts file."""
