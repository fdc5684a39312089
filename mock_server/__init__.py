"""A local server that answers exactly as two vehicle-recognition APIs do.

`MockServer` is the Python face; the command is `vehicle-ocr-mock`.
"""

__version__ = "0.1.0"
