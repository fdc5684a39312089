"""The control plane for Python tests: the same methods on a mock in this process and on one that runs elsewhere."""

import http.client
import json
import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, Unpack
from urllib.parse import quote, urlencode, urlsplit

from mock_server.client_models import Account, AccountChanges, AccountFields, NearMiss, RequestFilters
from mock_server.core.exchange import Exchange
from mock_server.errors import ConflictError, NotFoundError, RefusedError, VerificationError
from mock_server.verification import expected, failure

Image = str | Path | bytes
"""A picture: the path of a local file, relative to the working directory, or its bytes."""

_TIMEOUT = 30.0

T = TypeVar("T")


class Controls(ABC):
    """What tests do with a mock. Keys namespace everything: tests that each create an account never meet."""

    @property
    @abstractmethod
    def url(self) -> str:
        """The HTTP address, without a slash at the end."""

    @abstractmethod
    def _send(self, method: str, path: str, body: bytes, content_type: str) -> tuple[int, bytes]:
        """One call to the admin API: status and body."""

    # Accounts

    def create_account(self, **facts: Unpack[AccountFields]) -> Account:
        """A new account; its key is made up unless given. Raises ConflictError and RefusedError."""
        return _parsed(Account, self._json("POST", "/accounts", facts))

    def account(self, key: str) -> Account:
        """An account with its balances of now. Raises NotFoundError."""
        return _parsed(Account, self._json("GET", f"/accounts/{quote(key, safe='')}"))

    def accounts(self) -> list[Account]:
        """All accounts."""
        return _parsed(list[Account], self._json("GET", "/accounts")["accounts"])

    def update_account(self, key: str, **changes: Unpack[AccountChanges]) -> Account:
        """Set what is named: `credits={"plate": 2}` makes the balance 2. Raises NotFoundError and RefusedError."""
        return _parsed(Account, self._json("PATCH", f"/accounts/{quote(key, safe='')}", changes))

    def delete_account(self, key: str) -> None:
        """Forget an account. Raises NotFoundError."""
        self._json("DELETE", f"/accounts/{quote(key, safe='')}")

    # Scenarios

    def add_scenario(self, document: Mapping[str, Any] | str, *, replace: bool = False) -> dict[str, Any]:
        """Add a scenario, written as in a fixture file: a mapping, or YAML text.

        In a mapping, `when.image` may be the path of a local file (relative to the working directory), its bytes, or
        the name of a picture that the mock serves already; or a list of these. Raises RefusedError with every mistake
        and ConflictError for a name that is taken, unless it is to be replaced.
        """
        plain, pictures = _with_pictures(document)
        body, content_type = _form(plain, pictures)
        method, path = "POST", "/scenarios"
        if replace:
            method, path = "PUT", f"/scenarios/{quote(_name_of(plain), safe='')}"
        scenario: dict[str, Any] = self._call(method, path, body, content_type)
        return scenario

    def scenario(self, name: str) -> dict[str, Any]:
        """One scenario as a document. Raises NotFoundError."""
        scenario: dict[str, Any] = self._json("GET", f"/scenarios/{quote(name, safe='')}")
        return scenario

    def scenarios(self) -> list[dict[str, Any]]:
        """All scenarios as documents."""
        return list(self._json("GET", "/scenarios")["scenarios"])

    def remove_scenario(self, name: str) -> None:
        """Take a runtime scenario away. Raises NotFoundError and ConflictError."""
        self._json("DELETE", f"/scenarios/{quote(name, safe='')}")

    def set_state(self, scenario: str, key: str, position: int) -> None:
        """Set where a key stands in a scenario's sequence, from 0."""
        self._json("PUT", f"/scenarios/{quote(scenario, safe='')}/state", {"key": key, "position": position})

    # What happened

    def requests(self, **facts: Unpack[RequestFilters]) -> list[Exchange]:
        """The exchanges that have these facts, oldest first. Raises RefusedError for a fact that cannot be."""
        return self._find(facts)

    def count(self, **facts: Unpack[RequestFilters]) -> int:
        """How many exchanges have these facts."""
        return int(self._json("POST", "/requests/count", _sendable(facts))["count"])

    def verify(
        self,
        *,
        times: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
        **facts: Unpack[RequestFilters],
    ) -> None:
        """Raise VerificationError unless there are so many exchanges with these facts; by default at least one."""
        bounds = expected(times, at_least, at_most)
        count = self.count(**facts)
        if count < bounds[0] or (bounds[1] is not None and count > bounds[1]):
            raise VerificationError(failure(facts, bounds, count, self._find))

    def unmatched(self) -> list[Exchange]:
        """The exchanges that found no scenario."""
        return _parsed(list[Exchange], self._json("GET", "/requests/unmatched")["requests"])

    def near_misses(self, *, key: str | None = None) -> list[NearMiss]:
        """The exchanges, of one key or of all, that found no scenario, and the nearest three of each."""
        query = "" if key is None else f"?{urlencode({'key': key})}"
        told = self._json("GET", f"/requests/unmatched/near-misses{query}")["nearMisses"]
        return _parsed(list[NearMiss], told)

    def clear_requests(self, *, key: str | None = None) -> int:
        """Forget exchanges: all, or those of one key; how many that were."""
        query = "" if key is None else f"?{urlencode({'key': key})}"
        return int(self._json("DELETE", f"/requests{query}")["deleted"])

    def match(self, image: Image | None = None, **facts: Any) -> dict[str, Any]:
        """What would be answered, and why; changes nothing. Facts: provider, product, key, url, filename, language."""
        pictures = {} if image is None else {"image": _read(image)}
        if isinstance(image, str | Path):
            facts.setdefault("filename", Path(image).name)
        fields = {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in facts.items()
        }
        body, content_type = _multipart(fields, [("image", None, data) for data in pictures.values()])
        told: dict[str, Any] = self._call("POST", "/match", body, content_type)
        return told

    # State

    def reset(self, key: str | None = None) -> None:
        """Back to the files; with a key, only what is that key's."""
        self._json("POST", "/reset" if key is None else f"/reset?{urlencode({'key': key})}")

    def now(self) -> datetime:
        """The time by the mock's clock."""
        return datetime.fromisoformat(self._json("GET", "/clock")["now"])

    def freeze(self, at: datetime | str | None = None) -> datetime:
        """Stop the mock's clock, at `at` or now. Quotas, their periods and rate limits stand still with it."""
        moment = True if at is None else _sendable({"at": at})["at"]
        return datetime.fromisoformat(self._json("PUT", "/clock", {"freeze": moment})["now"])

    def advance(self, by: timedelta | str | float) -> datetime:
        """Move the mock's clock on: "31d", "90s", seconds or a timedelta."""
        step = by.total_seconds() if isinstance(by, timedelta) else by
        return datetime.fromisoformat(self._json("PUT", "/clock", {"advance": step})["now"])

    def release(self) -> datetime:
        """Let the mock's clock go with the system's again."""
        return datetime.fromisoformat(self._json("DELETE", "/clock")["now"])

    # The wire

    def _find(self, facts: Mapping[str, Any]) -> list[Exchange]:
        found = self._json("POST", "/requests/find", _sendable(facts))
        return _parsed(list[Exchange], found["requests"])

    def _json(self, method: str, path: str, document: object = None) -> Any:
        body = b"" if document is None else json.dumps(document).encode()
        return self._call(method, path, body, "application/json")

    def _call(self, method: str, path: str, body: bytes, content_type: str) -> Any:
        status, reply = self._send(method, f"/__admin{path}", body, content_type)
        document = json.loads(reply) if reply else None
        if status < 400:
            return document
        detail = document.get("detail", "") if isinstance(document, dict) else ""
        if status == 404:
            raise NotFoundError(detail)
        if status == 409:
            raise ConflictError(detail)
        raise RefusedError(status, detail, document.get("errors", []) if isinstance(document, dict) else [])


class MockClient(Controls):
    """A mock that runs somewhere else, by its address. `token` is needed where it does not run on this machine."""

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
        headers = {"Content-Type": content_type} | (
            {"Authorization": f"Bearer {self._token}"} if self._token else {}
        )
        try:
            connection.request(method, address.path + path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def _parsed(kind: type[T], document: object) -> T:
    # Imported here because it is slow, and not every test reads what happened.
    from pydantic import TypeAdapter

    return TypeAdapter(kind).validate_python(document)


def _sendable(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in facts.items()
    }


def _read(image: Image) -> bytes:
    return image if isinstance(image, bytes) else Path(image).read_bytes()


def _with_pictures(document: Mapping[str, Any] | str) -> tuple[Mapping[str, Any] | str, dict[str, bytes]]:
    """The document with its local pictures under names of their own, and their bytes."""
    when = document.get("when") if isinstance(document, Mapping) else None
    if isinstance(document, str) or not isinstance(when, Mapping) or "image" not in when:
        return document, {}
    given = when["image"]
    pictures: dict[str, bytes] = {}
    names = []
    for image in given if isinstance(given, list | tuple) else [given]:
        if isinstance(image, str) and not Path(image).is_file():
            # The name of a picture that the mock serves; if it is not, the mock says what it has.
            names.append(image)
            continue
        name = f"picture-{len(pictures) + 1}"
        pictures[name] = _read(image)
        names.append(name)
    return {**document, "when": {**when, "image": names}}, pictures


def _name_of(document: Mapping[str, Any] | str) -> str:
    if isinstance(document, Mapping):
        return str(document.get("scenario", ""))
    raise ValueError("only a mapping can replace a scenario, not YAML text")


def _form(document: Mapping[str, Any] | str, pictures: Mapping[str, bytes]) -> tuple[bytes, str]:
    text = document if isinstance(document, str) else json.dumps(document)
    return _multipart({"scenario": text}, [("image", name, data) for name, data in pictures.items()])


def _multipart(
    fields: Mapping[str, str], files: Sequence[tuple[str, str | None, bytes]]
) -> tuple[bytes, str]:
    boundary = secrets.token_hex(16)
    pieces: list[bytes] = []
    for name, text in fields.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        pieces += [head.encode(), text.encode(), b"\r\n"]
    for name, filename, data in files:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename or name}"\r\n\r\n'
        pieces += [head.encode(), data, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    return b"".join(pieces), f"multipart/form-data; boundary={boundary}"
