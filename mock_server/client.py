"""The admin API from Python tests: the methods that control a mock, and a mock that runs elsewhere."""

import http.client
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Unpack
from urllib.parse import urlencode, urlsplit

from mock_server import client_payloads as payloads
from mock_server.client_models import (
    Account,
    AccountChanges,
    AccountFields,
    NearMiss,
    Override,
    OverrideFields,
    RequestFilters,
    adapter,
)
from mock_server.core.exchange import Exchange
from mock_server.errors import VerificationError
from mock_server.verification import bounds_of, failure_message

_TIMEOUT = 30.0  # seconds


class Controls(ABC):
    """The methods with which tests control a mock.

    State is separate for each API key, so tests that create an account each do not affect each other.
    """

    @property
    @abstractmethod
    def url(self) -> str:
        """The HTTP URL, without a slash at the end."""

    @abstractmethod
    def _send(self, method: str, path: str, body: bytes, content_type: str) -> tuple[int, bytes]:
        """Call the mock; return the status and the body of the response."""

    # Accounts

    def create_account(self, **fields: Unpack[AccountFields]) -> Account:
        """Create an account. Without a key one is generated. Raises ConflictError and RefusedError."""
        return adapter(Account).validate_python(self._json("POST", "/accounts", fields))

    def account(self, key: str) -> Account:
        """The account of a key, with its current balances. Raises NotFoundError."""
        return adapter(Account).validate_python(self._json("GET", payloads.path_of("accounts", key)))

    def accounts(self) -> list[Account]:
        """All accounts."""
        return adapter(list[Account]).validate_python(self._json("GET", "/accounts")["accounts"])

    def update_account(self, key: str, **changes: Unpack[AccountChanges]) -> Account:
        """Change fields: `credits={"plate": 2}` makes the balance 2. Raises NotFoundError and RefusedError."""
        return adapter(Account).validate_python(self._json("PATCH", payloads.path_of("accounts", key), changes))

    def delete_account(self, key: str) -> None:
        """Delete an account. Raises NotFoundError."""
        self._json("DELETE", payloads.path_of("accounts", key))

    # Scenarios

    def add_scenario(self, document: Mapping[str, Any] | str, *, replace: bool = False) -> dict[str, Any]:
        """Add a scenario, in the form of a fixture file: a mapping, or YAML text.

        In a mapping, `when.image` may be the path of a local file (relative to the working directory), bytes, the name
        of a picture that the mock has, or a list of these. Raises RefusedError with every mistake, and ConflictError
        if the name exists and `replace` is false.
        """
        if replace and isinstance(document, str):
            raise ValueError("only a mapping can replace a scenario, not YAML text")
        plain, pictures = payloads.without_pictures(document)
        text = plain if isinstance(plain, str) else json.dumps(plain)
        body, content_type = payloads.multipart([("scenario", None, text.encode()), *pictures])
        if isinstance(plain, Mapping) and replace:
            method, path = "PUT", payloads.path_of("scenarios", str(plain.get("scenario", "")))
        else:
            method, path = "POST", "/scenarios"
        return dict(json.loads(self._call(method, path, body, content_type)))

    def scenario(self, name: str, *, key: str | None = None) -> dict[str, Any]:
        """The document of a scenario; `key` is needed for a scenario that is bound to a key.

        Raises NotFoundError, and ConflictError without a key that is needed.
        """
        return dict(self._json("GET", payloads.path_of("scenarios", name) + payloads.key_query(key)))

    def scenarios(self) -> list[dict[str, Any]]:
        """The documents of all scenarios."""
        return list(self._json("GET", "/scenarios")["scenarios"])

    def remove_scenario(self, name: str, *, key: str | None = None) -> None:
        """Delete a runtime scenario; `key` as in `scenario`. Raises NotFoundError and ConflictError."""
        self._json("DELETE", payloads.path_of("scenarios", name) + payloads.key_query(key))

    def set_state(self, scenario: str, key: str, position: int) -> None:
        """Set the position of a key in a scenario's sequence, from 0."""
        self._json("PUT", payloads.path_of("scenarios", scenario, "state"), {"key": key, "position": position})

    # Overrides

    @cached_property
    def _new_override_ids(self) -> dict[str, str]:
        return {}  # by former ids: an override that comes back at the end of an inner context has another id

    @contextmanager
    def override(self, **fields: Unpack[OverrideFields]) -> Iterator[Override]:
        """Decide what happens to the next calls, before any scenario, while the context lasts.

        `with mock.override(outcome="service_error", key=account.key):` fails one call of that key, `times=3` calls,
        or `times="always"` every call. One with the same scope is replaced, and comes back. Raises RefusedError.
        """
        scope = {name: fields.get(name) for name in ("key", "provider", "product")}
        overrides = self._json("GET", "/overrides")["overrides"]
        replaced = [one | {"times": one["remaining"]} for one in overrides if scope.items() <= one.items()]
        override = self.set_override(**fields)
        try:
            yield override
        finally:
            current = override.id
            while current in self._new_override_ids:
                current = self._new_override_ids.pop(current)
            self._json("DELETE", f"/overrides?{urlencode({'id': current})}")
            for document in replaced:
                self._new_override_ids[document["id"]] = self._json("PUT", "/overrides", document)["id"]

    def set_override(self, **fields: Unpack[OverrideFields]) -> Override:
        """The same without an end: until its calls are used up, or `reset`. Raises RefusedError."""
        return adapter(Override).validate_python(self._json("PUT", "/overrides", fields))

    def overrides(self) -> list[Override]:
        """The overrides that will still answer a call."""
        return adapter(list[Override]).validate_python(self._json("GET", "/overrides")["overrides"])

    def remove_overrides(self, *, key: str | None = None) -> None:
        """Remove the overrides for a key, or all."""
        self._json("DELETE", f"/overrides{payloads.key_query(key)}")

    # The journal

    def requests(self, **filters: Unpack[RequestFilters]) -> list[Exchange]:
        """The requests that match the filters, oldest first. Raises RefusedError for a value that cannot occur."""
        found = self._json("POST", "/requests/find", payloads.with_iso_times(filters))
        return adapter(list[Exchange]).validate_python(found["requests"])

    def count(self, **filters: Unpack[RequestFilters]) -> int:
        """The number of requests that match the filters."""
        return int(self._json("POST", "/requests/count", payloads.with_iso_times(filters))["count"])

    def verify(
        self,
        *,
        times: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
        **filters: Unpack[RequestFilters],
    ) -> None:
        """Raise VerificationError if another number of requests matches the filters. The default is at least one."""
        bounds = smallest, largest = bounds_of(times, at_least, at_most)
        count = self.count(**filters)
        if count < smallest or (largest is not None and count > largest):
            raise VerificationError(failure_message(filters, bounds, self.requests))

    def unmatched(self) -> list[Exchange]:
        """The requests that no scenario matched."""
        return adapter(list[Exchange]).validate_python(self._json("GET", "/requests/unmatched")["requests"])

    def near_misses(self, *, key: str | None = None) -> list[NearMiss]:
        """The requests, of one key or of all, that no scenario matched, with the nearest three scenarios of each."""
        found = self._json("GET", f"/requests/unmatched/near-misses{payloads.key_query(key)}")
        return adapter(list[NearMiss]).validate_python(found["nearMisses"])

    def clear_requests(self, *, key: str | None = None) -> int:
        """Delete the requests of one key, or all, from the journal; return how many were deleted."""
        return int(self._json("DELETE", f"/requests{payloads.key_query(key)}")["deleted"])

    def match(self, image: payloads.Image | None = None, **fields: Any) -> dict[str, Any]:
        """How a request would be answered, and why. It changes nothing.

        `fields` are provider, product, key, url, filename, language and headers.
        """
        if isinstance(image, str | Path):
            fields.setdefault("filename", Path(image).name)
        parts: list[payloads.Part] = [
            (name, None, (value if isinstance(value, str) else json.dumps(value)).encode())
            for name, value in fields.items()
        ]
        if image is not None:
            parts.append(("image", "image", payloads.read_image(image)))
        return dict(json.loads(self._call("POST", "/match", *payloads.multipart(parts))))

    # Export

    def export(self, directory: Path | str, *, replace: bool = False) -> list[Path]:
        """Write what is served as a fixtures directory: scenarios, pictures, accounts as declared and `mock.yaml`.

        Returns the paths of the files. Raises ConflictError if the directory has files and `replace` is false.
        """
        return payloads.write_fixtures(self._call("GET", "/export"), Path(directory), replace=replace)

    # The rehearsal report

    def report(self, *, final: bool = False) -> dict[str, Any]:
        """The rehearsal report as JSON. `final`: no further call follows, so that no rule of advice waits for one."""
        return dict(self._json("GET", f"/report?{urlencode({'final': str(final).lower()})}"))

    def report_counts(self) -> bytes:
        """What a report is made from, to merge it with the counts of other mocks. The form is no promise."""
        return self._call("GET", "/report?format=counts")

    def clear_report(self, key: str | None = None) -> None:
        """Begin the report anew; with a key, forget only the calls of that key."""
        self._call("DELETE", f"/report{payloads.key_query(key)}")

    # State

    def reset(self, key: str | None = None) -> None:
        """Reset the mock to its fixture files; with a key, only what belongs to that key."""
        self._json("POST", f"/reset{payloads.key_query(key)}")

    def now(self) -> datetime:
        """The time by the mock's clock."""
        return payloads.now_of(self._json("GET", "/clock"))

    def freeze(self, at: datetime | str | None = None) -> datetime:
        """Stop the mock's clock at a time, or now. Quotas and rate limits use this clock."""
        time = at.isoformat() if isinstance(at, datetime) else (True if at is None else at)
        return payloads.now_of(self._json("PUT", "/clock", {"freeze": time}))

    def advance(self, by: timedelta | str | float) -> datetime:
        """Move the mock's clock forward by "31d", "90s", a number of seconds or a timedelta."""
        step = by.total_seconds() if isinstance(by, timedelta) else by
        return payloads.now_of(self._json("PUT", "/clock", {"advance": step}))

    def release(self) -> datetime:
        """Let the mock's clock show the system's time again."""
        return payloads.now_of(self._json("DELETE", "/clock"))

    def _json(self, method: str, path: str, document: object = None) -> Any:
        content = self._call(method, path, b"" if document is None else json.dumps(document).encode())
        return json.loads(content) if content else None

    def _call(self, method: str, path: str, body: bytes = b"", content_type: str = "application/json") -> bytes:
        """The body of the admin API's response. Raises the error of a call that failed."""
        status, content = self._send(method, f"/__admin{path}", body, content_type)
        if status >= 400:
            raise payloads.error_of(status, content)
        return content


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
