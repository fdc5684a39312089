"""A mock that runs elsewhere, from Python tests."""

import http.client
from urllib.parse import urlsplit

from mock_server.controls import Controls

_TIMEOUT = 30.0  # seconds


class MockClient(Controls):
    """A mock that runs elsewhere, by its URL. A mock on another machine needs its admin `token`."""

    def __init__(self, url: str, *, token: str | None = None) -> None:
        self._url = url.rstrip("/")
        self._token = token

    @property
    def url(self) -> str:
        return self._url

    def _send(self, method: str, path: str, body: bytes, content_type: str) -> tuple[int, bytes]:
        address = urlsplit(self.url)
        connect = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        connection = connect(address.hostname or "", address.port, timeout=_TIMEOUT)
        headers = {"Content-Type": content_type} | ({"Authorization": f"Bearer {self._token}"} if self._token else {})
        try:
            connection.request(method, address.path + path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()
