"""The HTTP proxy that the user has set, and the hosts that are reached without it."""

import contextlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, unquote, urlsplit

from mock_server.errors import SettingsError


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
    with contextlib.suppress(ValueError):
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
