"""An invented provider, in a folder of its own as a real one would be.

Uploads in the form part `upload`, `Authorization: Token KEY`, success is 201, replies have a time and the file name.
"""

from tests.providers.acme.api import Acme

__all__ = ["Acme"]
