"""The control plane without a wire: what tests may set, see and ask, for the admin API and for Python alike.

Documents go in and come out as JSON values; what is wrong with one is told with its place inside it.
"""

from mock_server.control.control import Control

__all__ = ["Control"]
