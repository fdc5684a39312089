"""The wire: reading bodies and forms, sending replies, and breaking connections on purpose.

It knows ASGI and sockets; it knows no provider, no account and no scenario.
"""
