"""Fetch one image URL: resolve its host once, connect to the address that was checked, and enforce every limit."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address

import httpx

from mock_server.errors import FetchError
from mock_server.fetch.policy import Address, FetchPolicy, as_address

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

MAX_BYTES = 20 * 1024 * 1024
TIMEOUT_SECONDS = 10.0
MAX_REDIRECTS = 3

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Content types of pictures whose type the server does not know.
_UNTYPED = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/binary"})
_HEADERS = {"accept": "image/*", "accept-encoding": "identity", "user-agent": "vehicle-ocr-mock"}


class Fetcher:
    """Fetches image URLs that `policy` allows, up to `max_bytes` each, within `timeout` seconds including redirects.

    `resolve` returns the addresses of a host name and port; by default the system's resolver does. A proxy is never
    used: it would resolve the host again, and could connect to an address that was not checked.
    """

    def __init__(
        self,
        policy: FetchPolicy,
        *,
        max_bytes: int = MAX_BYTES,
        timeout: float = TIMEOUT_SECONDS,
        resolve: Resolve | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.policy = policy
        self._max_bytes = max_bytes
        self._timeout = timeout
        self._resolve = resolve or _system_addresses
        self._ssl_context = ssl_context

    async def fetch(self, url: str) -> tuple[bytes, str]:
        """Return the picture at `url`, and the IP address that the connection used.

        Raises FetchError: not allowed, not reachable, wrong content type, too large or too slow.
        """
        try:
            async with asyncio.timeout(self._timeout):
                return await self._follow(url)
        except TimeoutError as error:
            raise FetchError(f"the picture did not arrive within {self._timeout:g} s") from error
        except httpx.HTTPError as error:
            raise FetchError(f"the image URL cannot be read: {str(error) or type(error).__name__}") from error

    async def _follow(self, url: str) -> tuple[bytes, str]:
        target = _parse(url)
        async with self._client() as client:
            for _ in range(MAX_REDIRECTS + 1):
                answer = await self._get(client, target)
                if not isinstance(answer, httpx.URL):
                    return answer
                target = answer
        raise FetchError(f"more than {MAX_REDIRECTS} redirects")

    def _client(self) -> httpx.AsyncClient:
        # Loaded at the first fetch: reading the trusted certificates takes tens of milliseconds.
        if self._ssl_context is None:
            self._ssl_context = httpx.create_ssl_context()
        return httpx.AsyncClient(
            verify=self._ssl_context, trust_env=False, follow_redirects=False, timeout=self._timeout
        )

    async def _get(self, client: httpx.AsyncClient, url: httpx.URL) -> tuple[bytes, str] | httpx.URL:
        """Send one request. Return the picture and the address that was used, or the URL of a redirect."""
        failure: Exception | None = None
        for address in await self._allowed_addresses(url):
            request = client.build_request(
                "GET",
                url.copy_with(host=str(address), fragment=None),
                headers=_HEADERS | {"host": url.netloc.decode("ascii")},
                # The URL contains the address, but the certificate must be checked against the name.
                extensions={"sni_hostname": _host(url)},
            )
            try:
                response = await client.send(request, stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
                continue
            try:
                if response.status_code in _REDIRECTS and "location" in response.headers:
                    return _parse(response.headers["location"], base=url)
                return await self._read(response, _host(url)), str(address)
            finally:
                await response.aclose()
        raise FetchError(f"no connection to {_host(url)}: {failure}") from failure

    async def _allowed_addresses(self, url: httpx.URL) -> list[Address]:
        """Resolve the host once. Every address must be allowed."""
        host = _host(url)
        self.policy.check_host(host)
        literal = as_address(host)
        if literal is not None:
            return [literal]
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            addresses = [ip_address(text) for text in await self._resolve(host, port)]
        except (OSError, UnicodeError) as error:
            raise FetchError(f"{host} cannot be resolved: {error}") from error
        if not addresses:
            raise FetchError(f"{host} has no address")
        for address in addresses:
            self.policy.check_address(host, address)
        return addresses

    async def _read(self, response: httpx.Response, host: str) -> bytes:
        if response.status_code != 200:
            raise FetchError(f"{host} answered {response.status_code}")
        content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not (content_type.startswith("image/") or content_type in _UNTYPED):
            raise FetchError(f"{host} sent {content_type}, not a picture")
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise FetchError(f"{host} sent a compressed body, which was not requested")
        declared = response.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self._max_bytes:
            raise FetchError(f"the picture has {declared} bytes, {self._max_bytes} are allowed")
        data = bytearray()
        async for chunk in response.aiter_raw():
            data += chunk
            if len(data) > self._max_bytes:
                raise FetchError(f"the picture has more than {self._max_bytes} bytes")
        return bytes(data)


def _parse(url: str, base: httpx.URL | None = None) -> httpx.URL:
    try:
        parsed = base.join(url.strip()) if base is not None else httpx.URL(url.strip())
    except (httpx.InvalidURL, UnicodeError) as error:
        raise FetchError("this is not a URL") from error
    if parsed.scheme not in ("http", "https"):
        raise FetchError(f"only http and https URLs are fetched, not {parsed.scheme or 'relative ones'}")
    if parsed.userinfo:
        raise FetchError("a URL with a user name is not fetched")
    if not parsed.host:
        raise FetchError("this URL has no host")
    return parsed


def _host(url: httpx.URL) -> str:
    """The host in ASCII and lower case, without a dot at the end."""
    return url.raw_host.decode("ascii").lower().rstrip(".")


async def _system_addresses(host: str, port: int) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # An IPv6 address keeps its zone ("fe80::1%eth0"). Such addresses are link-local and will be refused.
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
