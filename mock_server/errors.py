"""Every error this package raises on purpose.

```
MockServerError                     never raised directly
├── SettingsError                   a flag, variable or default that cannot be used; exit code 1
├── FixturesError                   mistakes in fixture files, all of them; exit code 1
├── ImageError                      bytes that are no usable picture; never raised directly
│   ├── EmptyImageError             no bytes at all
│   ├── NotAnImageError             bytes of no image format
│   ├── UnsupportedImageError       an image format that is not read here
│   ├── TruncatedImageError         an image that ends early or is damaged
│   └── TooManyPixelsError          an image whose header declares more pixels than allowed
├── BodyTooLargeError               a request body over the limit
├── ClientDisconnectedError         the client went away before its request was complete
├── MultipartError                  a body that is no well-formed multipart/form-data
├── FaultUnavailableError           a fault asked for where no connection can be broken
├── FetchError                      an image URL that was not, or could not be, fetched
├── UnknownPreferenceError          a client forces a scenario, outcome or status that does not exist
├── StoreUnavailableError           the shared store does not answer
├── NotFoundError                   an admin call names something that does not exist
├── ConflictError                   an admin call would create something twice
├── RefusedError                    an admin call from Python was refused: bad input, no token
└── VerificationError               `verify` did not find what was expected; also an AssertionError
```

Errors carry data; the wording a client sees is made where it is shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class MockServerError(Exception):
    """The base of every error here. Never raised directly."""


class SettingsError(MockServerError):
    """A flag, an environment variable or a default that cannot be used."""


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One thing wrong in a fixture file, with its place (line and column count from 1; 0 where there are none)."""

    file: str
    line: int
    column: int
    what: str
    hint: str = ""
    warning: bool = False

    def __str__(self) -> str:
        kind = "warning: " if self.warning else ""
        hint = f" — {self.hint}" if self.hint else ""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {kind}{self.what}{hint}"


class FixturesError(MockServerError):
    """Mistakes in fixture files: all that were found, in order of file and line."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class ImageError(MockServerError):
    """Bytes that are no usable picture. Never raised directly."""


class EmptyImageError(ImageError):
    """No bytes at all."""


class NotAnImageError(ImageError):
    """Bytes that are of no image format."""


class UnsupportedImageError(ImageError):
    """An image, but of a format that is not read here; `format` is its name where known."""

    def __init__(self, format: str = "unknown") -> None:
        self.format = format
        super().__init__(format)


class TruncatedImageError(ImageError):
    """An image of a known format that ends early or is damaged."""


class TooManyPixelsError(ImageError):
    """An image whose header declares more pixels than allowed; it was not decoded."""

    def __init__(self, pixels: int, limit: int) -> None:
        self.pixels = pixels
        self.limit = limit
        super().__init__(f"{pixels} pixels, {limit} allowed")


class BodyTooLargeError(MockServerError):
    """A request body over `limit` bytes; `declared` is its Content-Length, None when it had none.

    `drained` tells whether all of it was read and thrown away; if not, the connection cannot be used again.
    """

    def __init__(self, limit: int, declared: int | None, *, drained: bool) -> None:
        self.limit = limit
        self.declared = declared
        self.drained = drained
        super().__init__(f"{declared or 'more'} bytes, {limit} allowed")


class ClientDisconnectedError(MockServerError):
    """The client went away before its request was complete; there is nobody to answer."""


class MultipartError(MockServerError):
    """A body that is no well-formed multipart/form-data; `reason` says why, without quoting the body."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class FaultUnavailableError(MockServerError):
    """A fault asked for where the client's connection is out of reach: not under this package's own server."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        super().__init__(f"{fault} needs a real connection: serve with vehicle-ocr-mock or MockServer")


class FetchError(MockServerError):
    """An image URL that was not fetched (not allowed) or could not be; the text says which."""


class UnknownPreferenceError(MockServerError):
    """A client forces a scenario, outcome or status that does not exist; `close` are names it may have meant."""

    def __init__(self, kind: str, name: str, close: Sequence[str]) -> None:
        self.kind = kind
        self.name = name
        self.close = tuple(close)
        super().__init__(f"{kind} {name}")


class StoreUnavailableError(MockServerError):
    """The shared store does not answer."""


class NotFoundError(MockServerError):
    """An admin call names something that does not exist."""


class ConflictError(MockServerError):
    """An admin call would create something that exists already."""


class RefusedError(MockServerError):
    """An admin call was refused; `errors` tell what is wrong where, as the admin API words it."""

    def __init__(self, status: int, detail: str, errors: Sequence[Mapping[str, Any]] = ()) -> None:
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        super().__init__("\n".join([detail, *(f"  {_placed(error)}" for error in errors if len(errors) > 1)]))


def _placed(error: Mapping[str, Any]) -> str:
    place = error.get("pointer") or error.get("parameter") or error.get("part") or ""
    if "line" in error:
        place = f"{error['line']}:{error['column']}"
    return f"{place}: {error.get('detail', '')}" + (f" — {error['hint']}" if error.get("hint") else "")


class VerificationError(MockServerError, AssertionError):
    """`verify` did not find the exchanges that were expected."""
