"""Redirect some host names to a server on this machine, inside a running Python process.

This file is also loaded by its path into processes that do not have this package (see `startup/`), under other
versions of Python: it uses the standard library only and must run on Python 3.7.

Each of the names resolves to `STAND_IN`, a loopback address that is used for nothing else. Connections to that address
(or to the name) at port 443 or 80 go to the server's own ports. TLS connections to the names also trust the server's
authority. All other names, addresses and ports do not change.
"""

from __future__ import annotations

import _thread
import importlib.util
import json
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

    Undo = Callable[[], None]

ROUTE_VARIABLE = "VEHICLE_OCR_MOCK_REDIRECT"

# Programs may resolve a name first and later connect to its address: this address identifies them.
STAND_IN = "127.86.79.77"

_ACTIVE = "_vehicle_ocr_mock_redirects"


class Route:
    """The `names` that are redirected to ports of `address`, and the path of the certificate to trust for them."""

    def __init__(
        self, names: Iterable[str], http_port: int, https_port: int, certificate: str, address: str = "127.0.0.1"
    ) -> None:
        self.names = tuple(names)
        self.ports = {80: http_port, 443: https_port}
        self.certificate = certificate
        self.address = address

    @classmethod
    def from_text(cls, text: str) -> Route:
        """Parse the text that `to_text` returns."""
        route = json.loads(text)
        return cls(route["names"], route["http"], route["https"], route["certificate"], route["address"])

    def to_text(self) -> str:
        """Return the route as one line of text, for an environment variable."""
        return json.dumps(
            {
                "names": self.names,
                "http": self.ports[80],
                "https": self.ports[443],
                "certificate": self.certificate,
                "address": self.address,
                "standIn": STAND_IN,
            }
        )

    def covers(self, host: object) -> bool:
        """Whether `host` (text or bytes, any case) is one of the names."""
        if isinstance(host, (bytes, bytearray)):
            host = bytes(host).decode("latin-1")
        return isinstance(host, str) and host.lower().rstrip(".") in self.names

    def resolve(self, host: Any) -> Any:
        """Return the stand-in address for one of the names, and any other host unchanged."""
        return STAND_IN if self.covers(host) else host

    def rewrite(self, host: Any, port: Any) -> tuple[Any, Any]:
        """Return the server's address and port for the stand-in's, and any other address unchanged."""
        host = self.resolve(host)
        if host in (STAND_IN, "::ffff:" + STAND_IN) and port in self.ports:
            return host.replace(STAND_IN, self.address), self.ports[port]
        return host, port


def install(route: Route) -> Undo:
    """Redirect this process. Call the returned function to undo it.

    Modules that are not imported yet are patched when the program imports them. A second call replaces the first
    until the second is undone.
    """
    # On `sys`, because one process may load this file under two names.
    active: list[_Redirection] = vars(sys).setdefault(_ACTIVE, [])
    redirection = _Redirection(route)
    if active:
        active[-1].revert()
    active.append(redirection)
    redirection.apply()

    def undo() -> None:
        if redirection not in active:
            return
        is_last = redirection is active[-1]
        active.remove(redirection)
        if is_last:
            redirection.revert()
            if active:
                active[-1].apply()

    return undo


class _Redirection:
    """One redirect of this process. Only the last one is applied."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._undo_steps: list[Undo] = []
        self._finder: Any = None

    def apply(self) -> None:
        self._finder = _AfterImport({name: self._patch for name in _PATCHES if name not in sys.modules})
        sys.meta_path.insert(0, self._finder)
        for name in _PATCHES:
            if name in sys.modules:
                self._patch(name)

    def _patch(self, name: str) -> None:
        # An import may have started before the redirect ended.
        if self._finder is not None:
            self._undo_steps.extend(_PATCHES[name](sys.modules[name], self._route))

    def revert(self) -> None:
        sys.meta_path.remove(self._finder)
        self._finder = None
        while self._undo_steps:
            self._undo_steps.pop()()


class _AfterImport:
    """An import finder that calls `actions[name](name)` after the module `name` has been imported."""

    def __init__(self, actions: dict[str, Callable[[str], None]]) -> None:
        self._actions = actions
        self._searching: set[tuple[str, int]] = set()

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        # The search below calls this finder again; the second call must find nothing.
        search = (fullname, _thread.get_ident())
        if fullname not in self._actions or search in self._searching:
            return None
        self._searching.add(search)
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._searching.discard(search)
        if spec is not None and spec.loader is not None:
            spec.loader = cast("Any", _LoaderThenAction(spec.loader, self._actions[fullname]))
        return spec


class _LoaderThenAction:
    """A module's own loader, and an action to run after it."""

    def __init__(self, loader: Any, action: Callable[[str], None]) -> None:
        self._loader = loader
        self._action = action

    def create_module(self, spec: Any) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # The module keeps its own loader: programs use it to read source text and data files.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._action(module.__name__)


def _replace(owner: Any, name: str, make: Callable[[Any], Any]) -> Undo:
    """Replace an attribute by `make(original)`. Call the returned function to restore it."""
    is_own = name in vars(owner)  # not inherited
    original = getattr(owner, name)
    setattr(owner, name, make(original))

    def undo() -> None:
        if is_own:
            setattr(owner, name, original)
        else:
            delattr(owner, name)

    return undo


def _patch_socket(module: Any, route: Route) -> list[Undo]:
    def with_resolved_host(original: Any) -> Any:
        def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
            return original(route.resolve(host), *args, **kwargs)

        return look_up

    def with_rewritten_address(original: Any) -> Any:
        def connect(self: Any, address: Any) -> Any:
            if isinstance(address, tuple) and len(address) >= 2:
                address = route.rewrite(*address[:2]) + address[2:]
            return original(self, address)

        return connect

    return [
        _replace(module, "getaddrinfo", with_resolved_host),
        _replace(module, "gethostbyname", with_resolved_host),
        _replace(module, "gethostbyname_ex", with_resolved_host),
        _replace(module.socket, "connect", with_rewritten_address),
        _replace(module.socket, "connect_ex", with_rewritten_address),
    ]


def _patch_ssl(module: Any, route: Route) -> list[Undo]:
    def with_trust(original: Any) -> Any:
        def wrap(self: Any, *args: Any, **kwargs: Any) -> Any:
            if any(route.covers(value) for value in (*args, kwargs.get("server_hostname"))):
                self.load_verify_locations(route.certificate)
            return original(self, *args, **kwargs)

        return wrap

    return [_replace(module.SSLContext, name, with_trust) for name in ("wrap_socket", "wrap_bio")]


def _patch_uvloop(module: Any, route: Route) -> list[Undo]:
    """uvloop resolves and connects in C code, which does not use the functions of `socket`."""

    def with_resolved_host(original: Any) -> Any:
        async def getaddrinfo(self: Any, host: Any, *args: Any, **kwargs: Any) -> Any:
            return await original(self, route.resolve(host), *args, **kwargs)

        return getaddrinfo

    def with_rewritten_address(original: Any) -> Any:
        async def create_connection(
            self: Any, protocol_factory: Any, host: Any = None, port: Any = None, **kwargs: Any
        ) -> Any:
            if kwargs.get("ssl") and kwargs.get("server_hostname") is None and route.covers(host):
                kwargs["server_hostname"] = host
            host, port = route.rewrite(host, port)
            return await original(self, protocol_factory, host, port, **kwargs)

        return create_connection

    return [
        _replace(module.Loop, "getaddrinfo", with_resolved_host),
        _replace(module.Loop, "create_connection", with_rewritten_address),
    ]


def _patch_aiohttp_resolver(module: Any, route: Route) -> list[Undo]:
    """With aiodns installed, aiohttp queries name servers itself."""

    def with_stand_in(original: Any) -> Any:
        async def resolve(self: Any, host: str, port: int = 0, *args: Any, **kwargs: Any) -> Any:
            if not route.covers(host):
                return await original(self, host, port, *args, **kwargs)
            family, numeric = module.socket.AF_INET, module.socket.AI_NUMERICHOST
            answer = {"hostname": host, "host": STAND_IN, "port": port, "proto": 0}
            return [dict(answer, family=family, flags=numeric)]

        return resolve

    return [_replace(module.AsyncResolver, "resolve", with_stand_in)]


_PATCHES: dict[str, Callable[[Any, Route], list[Undo]]] = {
    "socket": _patch_socket,
    "ssl": _patch_ssl,
    "uvloop": _patch_uvloop,
    "aiohttp.resolver": _patch_aiohttp_resolver,
}
