"""Lead some host names to a server on this machine, inside a running Python process.

This file is also loaded by its path into processes that know nothing of this package (see `startup/`), under
whatever Python those run: it uses the standard library alone and stays readable to Python 3.7.

What happens: each of the names resolves to `STAND_IN`, a loopback address that nobody else uses; connections
to that address (or straight to the name) at port 443 or 80 go to the server's own ports; TLS connections to
the names trust the server's authority besides whatever they trust. Every other name, address and port is left
alone.
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

# An address of its own, so that programs which keep the address and drop the name are still recognised.
STAND_IN = "127.86.79.77"

_INSTALLED = "_vehicle_ocr_mock_redirect"


class Route:
    """Which `names` lead to which ports of `address`, and the certificate (a path) that vouches for them."""

    def __init__(
        self,
        names: Iterable[str],
        http_port: int,
        https_port: int,
        certificate: str,
        address: str = "127.0.0.1",
    ) -> None:
        self.names = tuple(names)
        self.ports = {80: http_port, 443: https_port}
        self.certificate = certificate
        self.address = address

    @classmethod
    def from_text(cls, text: str) -> Route:
        """Read what `to_text` wrote."""
        facts = json.loads(text)
        return cls(facts["names"], facts["http"], facts["https"], facts["certificate"], facts["address"])

    def to_text(self) -> str:
        """Write the route on one line, for an environment variable."""
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
        """Give the stand-in's address for a name that is covered, anything else back as it is."""
        return STAND_IN if self.covers(host) else host

    def rewrite(self, host: Any, port: Any) -> tuple[Any, Any]:
        """Give the server's own address and port for the stand-in's, anything else back as it is."""
        host = self.resolve(host)
        if host in (STAND_IN, "::ffff:" + STAND_IN) and port in self.ports:
            return host.replace(STAND_IN, self.address), self.ports[port]
        return host, port


def install(route: Route) -> Undo:
    """Redirect this process from now on; the returned function undoes it.

    Modules that are not imported yet are seen to when they are, so nothing is imported before its time.
    A second call takes the place of the first, until it is undone.
    """
    redirection = _Redirection(route, getattr(sys, _INSTALLED, None))
    redirection.begin()
    return redirection.end


class _Redirection:
    """One redirect of this process, and the one whose place it takes."""

    def __init__(self, route: Route, earlier: Any) -> None:
        self._route = route
        self._earlier = earlier
        self._ended = False
        self._undone: list[Undo] = []
        self._waiting: Any = None

    def begin(self) -> None:
        if self._earlier is not None:
            self._earlier._revert()
        self._apply()

    def end(self) -> None:
        if self._ended:
            return
        self._ended = True
        # While another one has taken this one's place, there is nothing to undo here.
        if getattr(sys, _INSTALLED, None) is self:
            self._revert()
            earlier = self._earlier
            while earlier is not None and earlier._ended:
                earlier = earlier._earlier
            if earlier is not None:
                earlier._apply()

    def _apply(self) -> None:
        setattr(sys, _INSTALLED, self)
        self._waiting = _AfterImport({name: self._patch for name in _PATCHES if name not in sys.modules})
        sys.meta_path.insert(0, self._waiting)
        for name in _PATCHES:
            if name in sys.modules:
                self._patch(name)

    def _patch(self, name: str) -> None:
        # An import that began before the end may finish after it.
        if getattr(sys, _INSTALLED, None) is self:
            self._undone.extend(_PATCHES[name](sys.modules[name], self._route))

    def _revert(self) -> None:
        setattr(sys, _INSTALLED, None)
        sys.meta_path.remove(self._waiting)
        while self._undone:
            self._undone.pop()()


class _AfterImport:
    """Calls `actions[name](name)` right after the module of that name was imported."""

    def __init__(self, actions: dict[str, Callable[[str], None]]) -> None:
        self._actions = actions
        self._searching: set[tuple[str, int]] = set()

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        # The search below comes back to this very finder, which then must keep out of the way.
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
    """A module's own loader, with something to do once it is done."""

    def __init__(self, loader: Any, action: Callable[[str], None]) -> None:
        self._loader = loader
        self._action = action

    def create_module(self, spec: Any) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # The module keeps its own loader: others ask it for source text and data files.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._action(module.__name__)


def _replace(owner: Any, name: str, make: Callable[[Any], Any]) -> Undo:
    """Put `make(original)` in the place of an attribute; return what puts things back as they were."""
    own = name in vars(owner)
    original = getattr(owner, name)
    setattr(owner, name, make(original))

    def undo() -> None:
        if own:
            setattr(owner, name, original)
        else:
            delattr(owner, name)

    return undo


def _patch_socket(module: Any, route: Route) -> list[Undo]:
    def by_name(original: Any) -> Any:
        def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
            return original(route.resolve(host), *args, **kwargs)

        return look_up

    def by_address(original: Any) -> Any:
        def connect(self: Any, address: Any) -> Any:
            if isinstance(address, tuple) and len(address) >= 2:
                address = route.rewrite(*address[:2]) + address[2:]
            return original(self, address)

        return connect

    return [
        _replace(module, "getaddrinfo", by_name),
        _replace(module, "gethostbyname", by_name),
        _replace(module, "gethostbyname_ex", by_name),
        _replace(module.socket, "connect", by_address),
        _replace(module.socket, "connect_ex", by_address),
    ]


def _patch_ssl(module: Any, route: Route) -> list[Undo]:
    def trusting(original: Any) -> Any:
        def wrap(self: Any, *args: Any, **kwargs: Any) -> Any:
            if any(route.covers(value) for value in (*args, kwargs.get("server_hostname"))):
                self.load_verify_locations(route.certificate)
            return original(self, *args, **kwargs)

        return wrap

    return [_replace(module.SSLContext, name, trusting) for name in ("wrap_socket", "wrap_bio")]


def _patch_uvloop(module: Any, route: Route) -> list[Undo]:
    """uvloop resolves and connects in C, out of reach of the functions in `socket`."""

    def looking_up(original: Any) -> Any:
        async def getaddrinfo(self: Any, host: Any, *args: Any, **kwargs: Any) -> Any:
            return await original(self, route.resolve(host), *args, **kwargs)

        return getaddrinfo

    def connecting(original: Any) -> Any:
        async def create_connection(
            self: Any, protocol_factory: Any, host: Any = None, port: Any = None, **kwargs: Any
        ) -> Any:
            if kwargs.get("ssl") and kwargs.get("server_hostname") is None and route.covers(host):
                kwargs["server_hostname"] = host
            host, port = route.rewrite(host, port)
            return await original(self, protocol_factory, host, port, **kwargs)

        return create_connection

    return [
        _replace(module.Loop, "getaddrinfo", looking_up),
        _replace(module.Loop, "create_connection", connecting),
    ]


def _patch_aiohttp_resolver(module: Any, route: Route) -> list[Undo]:
    """With aiodns installed, aiohttp asks name servers by itself."""

    def resolving(original: Any) -> Any:
        async def resolve(self: Any, host: str, port: int = 0, *args: Any, **kwargs: Any) -> Any:
            if not route.covers(host):
                return await original(self, host, port, *args, **kwargs)
            family, numeric = module.socket.AF_INET, module.socket.AI_NUMERICHOST
            answer = {"hostname": host, "host": STAND_IN, "port": port, "proto": 0}
            return [dict(answer, family=family, flags=numeric)]

        return resolve

    return [_replace(module.AsyncResolver, "resolve", resolving)]


_PATCHES: dict[str, Callable[[Any, Route], list[Undo]]] = {
    "socket": _patch_socket,
    "ssl": _patch_ssl,
    "uvloop": _patch_uvloop,
    "aiohttp.resolver": _patch_aiohttp_resolver,
}
