"""A local server that answers exactly as two vehicle-recognition APIs do.

`MockServer` is the mock in this process, `MockClient` the same face of one that runs elsewhere; the command is
`vehicle-ocr-mock`.
"""

from mock_server.version import __version__

TYPE_CHECKING = False  # typing is slow to load for the verb `healthcheck`
if TYPE_CHECKING:
    from mock_server.client import MockClient
    from mock_server.client_models import Account, NearMiss, Override, QuotaView
    from mock_server.core.exchange import Exchange, Picture, ScenarioMiss
    from mock_server.errors import (
        ConflictError,
        FixturesError,
        Mistake,
        MockServerError,
        NotFoundError,
        RefusedError,
        SettingsError,
        VerificationError,
    )
    from mock_server.server import MockServer

__all__ = [
    "Account",
    "ConflictError",
    "Exchange",
    "FixturesError",
    "Mistake",
    "MockClient",
    "MockServer",
    "MockServerError",
    "NearMiss",
    "NotFoundError",
    "Override",
    "Picture",
    "QuotaView",
    "RefusedError",
    "ScenarioMiss",
    "SettingsError",
    "VerificationError",
    "__version__",
]

_HOMES = {
    "MockServer": "server",
    "MockClient": "client",
    "Exchange": "core.exchange",
    "Picture": "core.exchange",
    "ScenarioMiss": "core.exchange",
}


def __getattr__(name: str) -> object:
    # Loaded when asked for: pytest imports this package in every suite of an environment that has it.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    home = _HOMES.get(name) or ("errors" if name.endswith("Error") or name == "Mistake" else "client_models")
    exported: object = getattr(import_module(f"{__name__}.{home}"), name)
    return exported


def __dir__() -> list[str]:
    return [*globals(), *__all__]
