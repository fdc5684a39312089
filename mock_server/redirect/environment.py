"""Redirect a child process and its children, or this process for a while, to the mock; what the user's proxy is for."""

import json
import os
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from mock_server.errors import SettingsError
from mock_server.redirect.python_hook import ROUTE_VARIABLE, Route, install

_HERE = Path(__file__).parent
_PYTHON_STARTUP = _HERE / "startup"
_NODE_PRELOAD = _HERE / "preload.cjs"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_CURL_SETTINGS = (
    ("CURL_HOME", ".curlrc"),
    ("XDG_CONFIG_HOME", ".curlrc"),
    ("XDG_CONFIG_HOME", "curlrc"),
    ("HOME", ".curlrc"),
    ("HOME", ".config/curlrc"),
)


def child_environment(route: Route, directory: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` with the variables that redirect Python, Node and curl, and that make others trust the mock.

    Files that the variables name are written to `directory`, which must exist as long as the child runs.
    """
    (directory / ".curlrc").write_text(_curl_settings(route, environ), encoding="utf-8")
    node_option = f"--require {json.dumps(str(_NODE_PRELOAD))}"
    return {
        **environ,
        ROUTE_VARIABLE: route.to_text(),
        "PYTHONPATH": _prepend(str(_PYTHON_STARTUP), environ.get("PYTHONPATH"), os.pathsep),
        "NODE_OPTIONS": _prepend(node_option, environ.get("NODE_OPTIONS"), " "),
        "CURL_HOME": str(directory),
        **proxy_exceptions([*route.names, *LOOPBACK], environ),
        **_trust_variables(route, directory, environ),
    }


def proxy_exceptions(names: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that keep `names` away from a proxy; none where no proxy is set.

    Where only the operating system names a proxy, some libraries would ignore it if these variables were set.
    """
    if not any(environ.get(variable) for proxy in PROXIES for variable in (proxy, proxy.upper())):
        return {}
    before = hosts_without_proxy(environ)
    # "*" has its meaning only if it stands alone.
    hosts = "*" if "*" in before else ",".join(dict.fromkeys([*before, *names]))
    return {"no_proxy": hosts, "NO_PROXY": hosts}


def hosts_without_proxy(environ: Mapping[str, str]) -> list[str]:
    """The hosts in `no_proxy` and `NO_PROXY`, which commas or spaces separate."""
    return f"{environ.get('no_proxy', '')},{environ.get('NO_PROXY', '')}".replace(",", " ").split()


@dataclass(frozen=True)
class Upstream:
    """The proxy that the user has set: for `https` and `http`, and the hosts that are reached without it."""

    proxies: Mapping[str, str]
    exceptions: Sequence[str] = ()

    def proxy_for(self, scheme: str, host: str, port: int) -> SplitResult | None:
        """The proxy for a host, or None."""
        url = self.proxies.get(scheme) or self.proxies.get("all")
        if not url or any(covers(exception, host, port) for exception in self.exceptions):
            return None
        return urlsplit(url if "://" in url else f"http://{url}")

    def check(self) -> None:
        """Raise SettingsError for a proxy that is not an HTTP proxy."""
        for url in self.proxies.values():
            if url and "://" in url and not url.startswith("http://"):
                raise SettingsError(f"--proxy can use a proxy with http:// only, not {url.partition('://')[0]}://")


def covers(exception: str, host: str, port: int | None = None) -> bool:
    """Whether an entry of NO_PROXY is about a host: `example.com`, `.example.com:8443`, `10.0.0.0/8`, `[::1]`, `*`.

    Without `port`, an entry for one port is about the host as well.
    """
    with suppress(ValueError):
        return ip_address(host) in ip_network(exception.strip("[]"), strict=False)
    name, _, digits = exception.rpartition(":") if exception.count(":") == 1 else (exception, "", "")
    name, only_port = (name, int(digits)) if digits.isdecimal() else (exception, port)
    domain = name.lower().removeprefix("*").lstrip(".")
    is_named = name == "*" or bool(domain and f".{host.lower().rstrip('.')}".endswith(f".{domain}"))
    return is_named and port in (None, only_port)


def credentials(proxy: SplitResult) -> bytes:
    """The header with the name and password of a proxy, or nothing."""
    if proxy.username is None:
        return b""
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return b"Proxy-Authorization: Basic " + b64encode(pair.encode()) + b"\r\n"


@contextmanager
def changed_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process while the context lasts."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def redirected(route: Route) -> Iterator[None]:
    """Make the route's names lead to the mock in this process, while the context lasts.

    Name look-ups, connections and TLS trust change for exactly these names, and no proxy is used for them. At the end
    all of it is undone, except that a TLS context that was used with the mock still trusts its authority.
    """
    with changed_environment(proxy_exceptions(route.names, os.environ)):
        undo = install(route)
        try:
            yield
        finally:
            undo()


def _trust_variables(route: Route, directory: Path, environ: Mapping[str, str]) -> dict[str, str]:
    from mock_server.redirect.trust import JAVA_PASSWORD, bundles, java_trust_store

    variables: dict[str, str] = {}
    contents = bundles(environ, Path(route.certificate).read_bytes())
    for variable, bundle in contents.items():
        path = directory / f"{variable.lower()}.pem"
        path.write_bytes(bundle)
        variables[variable] = str(path)
    java = environ.get("JAVA_TOOL_OPTIONS", "")
    # Java has one trust store. If the user has named one, it is not replaced.
    if "javax.net.ssl.trustStore=" not in java:
        store = directory / "java-trust.p12"
        store.write_bytes(java_trust_store(contents["SSL_CERT_FILE"]))
        option = f"-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword={JAVA_PASSWORD}"
        variables["JAVA_TOOL_OPTIONS"] = _prepend(option, java, " ")
    return variables


def _curl_settings(route: Route, environ: Mapping[str, str]) -> str:
    """curl reads only one settings file: the user's own lines, then the redirects."""
    user_files = [Path(environ[variable], name) for variable, name in _CURL_SETTINGS if environ.get(variable)]
    user_file = next((path for path in user_files if path.is_file()), None)
    lines = [user_file.read_text(encoding="utf-8", errors="surrogateescape")] if user_file else []
    lines += [
        f'connect-to = "{name}:{port}:{route.address}:{to}"' for name in route.names for port, to in route.ports.items()
    ]
    return "\n".join(lines) + "\n"


def _prepend(first: str, rest: str | None, separator: str) -> str:
    return f"{first}{separator}{rest}" if rest else first
